/* SPDX-License-Identifier: MIT */
#include "front/door.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/front_test_util.h"

/* The front door: who comes in by what first bytes, however they are cut, and when. */

#define GREETING                                                                                   \
    "*** Welcome to Testnet. You are guest1; /nick NAME changes that.\n"                           \
    "*** You are in lobby, alone so far.\n"                                                        \
    "*** What you type is said to the room. /help lists what else you can do.\n"

#define LATE_IRC                                                                                   \
    "*** That is IRC and was not said. Who speaks IRC begins with it as soon as the connection "   \
    "stands.\n"

struct visitor {
    const char *name, *bytes;
    size_t len;
    const char *answer; /* how the answer begins */
    bool is_let_in;
};

#define VISITOR(name, bytes, answer, let_in)                                                       \
    {                                                                                              \
        name, bytes, sizeof(bytes) - 1, answer, let_in                                             \
    }

static const struct visitor visitors[] = {
    VISITOR("line", "hello\n", GREETING TEST_TIME " guest1: hello\n", true),
    VISITOR("shouting", "GET OUT\n", GREETING TEST_TIME " guest1: GET OUT\n", true),
    VISITOR("telnet", "\xff\xfd\x03hi\r\n", GREETING "\xff\xfc\x03" TEST_TIME " guest1: hi\n",
            true),
    VISITOR("chinese", "\xe4\xbd\xa0\xe5\xa5\xbd\n",
            GREETING TEST_TIME " guest1: \xe4\xbd\xa0\xe5\xa5\xbd\n", true),
    VISITOR("http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 Not Found\r\n", false),
    VISITOR("http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 404 Not Found\r\n", false),
    VISITOR("irc", "CAP LIST\r\nQUIT\r\n", ":server CAP * LIST :\r\n", false),
    VISITOR("irc in lower case", "\r\ncap list\r\nquit\r\n", ":server CAP * LIST :\r\n", false),
    VISITOR("gateway", "WEBIRC secret gw host 10.0.0.1\r\nQUIT\r\n", ":server 451 * ", false),
    VISITOR("ping", "PING :1\r\nCAP LIST\r\nQUIT\r\n", ":server ", false),
    VISITOR("polite", "pass me the salt\nplease\n",
            GREETING TEST_TIME " guest1: pass me the salt\n" TEST_TIME " guest1: please\n", true),
    VISITOR("tls", "\x16\x03\x01\x02\x00\x01", "\x15\x03\x01", false),
    VISITOR("proxy", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "*** A PROXY header", false),
};

static void check_visitor(const struct visitor *visitor, size_t piece)
{
    struct house *house = house_open(NULL, NULL);
    struct user *user = user_connect(house, ENTRY_ANY);
    for (size_t at = 0; at < visitor->len; at += piece) {
        size_t len = visitor->len - at < piece ? visitor->len - at : piece;
        if (!user->ended) {
            user_send_bytes(user, visitor->bytes + at, len);
        }
    }
    user_read(user);
    if (strncmp(user->text, visitor->answer, strlen(visitor->answer)) != 0) {
        print_error("%s in pieces of %zu: \"%s\"\n", visitor->name, piece, user->text);
        fail();
    }
    assert_int_equal(user->ended, !visitor->is_let_in);
    assert_int_equal(hub_member_count(house->hub), visitor->is_let_in);
    assert_int_equal(house->released, 0);
    user_hang_up(user);
    assert_int_equal(house->released, 1);
    assert_int_equal(shard_connections(house->shard), 0);
    user_free(user);
    house_close(house);
}

static void test_every_kind_of_visitor_is_known_by_its_first_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(visitors) / sizeof(visitors[0]); i++) {
        for (size_t piece = 1; piece <= visitors[i].len; piece++) {
            check_visitor(&visitors[i], piece);
        }
    }
}

static void test_silent_visitor_is_let_in_when_the_wait_is_over(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *user = user_connect(house, ENTRY_ANY);
    house_wait_ms(house, 299);
    assert_reads(user, "");
    assert_int_equal(shard_connections(house->shard), 1);
    house_wait_ms(house, 1);
    assert_reads(user, GREETING);
    user_send(user, "PASS secret\r\npass secret\r\n");
    assert_reads(user, LATE_IRC LATE_IRC);
    user_send(user, "nick is no command of mine\nNICK is none now\n");
    assert_reads(user, TEST_TIME " guest1: nick is no command of mine\n" TEST_TIME
                                 " guest1: NICK is none now\n");
    user_free(user);
    house_close(house);
}

/* Who presses Enter to wake the server up has said nothing yet. */
static void test_late_irc_is_known_behind_empty_lines(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *user = user_connect(house, ENTRY_ANY);
    house_wait_ms(house, 300);
    user_send(user, "\r\n \n\t\n\xef\xbb\xbf\nPASS secret\r\n");
    assert_reads(user, GREETING LATE_IRC);
    user_send(user, "hello\n\nPASS port\n");
    assert_reads(user, TEST_TIME " guest1: hello\n" TEST_TIME " guest1: PASS port\n");
    user_free(user);
    house_close(house);
}

static void test_no_line_of_a_late_handshake_is_said(void **state)
{
    (void)state;
    static const char *const handshakes[][6] = {
        {"cap ls 302", "nick low", "user low 0 * :low", "cap end"},
        {"CAP LS 302", "PASS secret", "NICK low", "USER low host server :low", "CAP END"},
        {"nick x", "pass y", "pass my secret", "user low host server :low"},
        {"WEBIRC secret gw host 10.0.0.1", "nick x"},
        {"\001PASS secret", "PASS\tsecret"},
    };
    for (size_t i = 0; i < sizeof(handshakes) / sizeof(handshakes[0]); i++) {
        struct house *house = house_open(NULL, NULL);
        struct user *user = user_connect(house, ENTRY_ANY);
        house_wait_ms(house, 300);
        assert_reads(user, GREETING);
        for (size_t k = 0; handshakes[i][k]; k++) {
            user_send(user, handshakes[i][k]);
            user_send(user, "\r\n");
            assert_reads(user, LATE_IRC);
        }
        user_send(user, "hello\n");
        assert_reads(user, TEST_TIME " guest1: hello\n");
        user_free(user);
        house_close(house);
    }
}

static void test_what_may_be_chat_is_said_and_the_password_behind_it_is_not(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *user = user_connect(house, ENTRY_ANY);
    house_wait_ms(house, 300);
    user_send(user, "PING x\nPING x\npass secret\n");
    assert_reads(user,
                 GREETING TEST_TIME " guest1: PING x\n" TEST_TIME " guest1: PING x\n" LATE_IRC);
    user_free(user);
    house_close(house);
}

static void test_first_words_that_only_begin_like_irc_are_said(void **state)
{
    (void)state;
    static const char *const chat[] = {
        "nick is here", "pass me the salt",      "user error", "cap",
        "ping",         "user error in line :(", "ping pong",  "webirc is down again today"};
    for (size_t i = 0; i < sizeof(chat) / sizeof(chat[0]); i++) {
        char answer[256];
        struct house *house = house_open(NULL, NULL);
        struct user *user = user_connect(house, ENTRY_ANY);
        house_wait_ms(house, 300);
        user_send(user, chat[i]);
        user_send(user, "\n");
        (void)snprintf(answer, sizeof(answer), GREETING TEST_TIME " guest1: %s\n", chat[i]);
        assert_reads(user, answer);
        user_free(user);
        house_close(house);
    }
}

static void test_visitor_who_stops_in_the_middle_is_let_in_with_what_it_said(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *user = user_connect(house, ENTRY_ANY);
    user_send(user, "GE");
    house_wait_ms(house, 300);
    assert_reads(user, GREETING);
    user_send(user, "ORGE is here\n");
    assert_reads(user, TEST_TIME " guest1: GEORGE is here\n");
    user_free(user);
    house_close(house);
}

static void test_end_before_the_first_byte_lets_nobody_in(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *user = user_connect(house, ENTRY_ANY);
    user_hang_up(user);
    assert_int_equal(house->submitted, 0);
    assert_int_equal(house->released, 1);
    user_free(user);
    user = user_connect(house, ENTRY_ANY);
    user_end_output(user);
    assert_reads(user, "");
    assert_true(user->ended);
    assert_int_equal(house->submitted, 0);
    assert_int_equal(house->released, 2);
    user_free(user);
    house_close(house);
}

static void test_end_before_the_decision_lets_a_line_user_in_who_is_heard(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *user = user_connect(house, ENTRY_ANY);
    user_put(user, "NIC", 3);
    user_end_output(user);
    assert_reads(user, GREETING TEST_TIME " guest1: NIC\n*** Goodbye: end of file\n");
    assert_true(user->ended);
    user_free(user);
    house_close(house);
}

/* A first line longer than what the door looks at. */
static void test_bytes_beyond_what_the_door_looks_at_come_in_their_order(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.line_max_bytes = 8192;
    const struct hub_settings hub = {.limits = {.text_bytes = 8192}};
    struct house *house = house_open(&settings, &hub);
    struct user *user = user_connect(house, ENTRY_ANY);
    char line[6001], wanted[8192];
    line[0] = '@'; /* tags of an IRC message: nothing is known before their end */
    for (size_t i = 1; i < 6000; i++) {
        line[i] = (char)('a' + i % 26);
    }
    line[6000] = '\0';
    (void)snprintf(wanted, sizeof(wanted), "%s%s guest1: %s\n", GREETING, TEST_TIME, line);
    user_send_bytes(user, line, 6000);
    user_send(user, "\n");
    assert_reads(user, wanted);
    user_free(user);
    house_close(house);
}

static void test_doors_of_other_listeners_do_not_look(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *user = user_connect(house, ENTRY_LINE);
    user_send(user, "NICK bob\n");
    assert_reads(user, GREETING LATE_IRC);
    user_free(user);
    house_close(house);
}

static void test_refused_visitor_who_never_leaves_is_let_go_by_the_finish_timeout(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.stream.finish_timeout_ms = 1000;
    struct house *house = house_open(&settings, NULL);
    struct user *user = user_connect(house, ENTRY_ANY);
    user_send(user, "GET / HTTP/1.0\r\n\r\n");
    user_send(user, "GET / HTTP/1.0\r\n\r\n");
    house_wait_ms(house, 999);
    assert_int_equal(shard_connections(house->shard), 1);
    house_wait_ms(house, 1);
    assert_int_equal(shard_connections(house->shard), 0);
    assert_int_equal(house->released, 1);
    assert_non_null(strstr(house->logged, "refused HTTP"));
    user_free(user);
    house_close(house);
}

static void test_drain_closes_the_undecided_and_takes_nobody_new(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *undecided = user_connect(house, ENTRY_ANY);
    user_send(undecided, "NI");
    shard_drain(house->shard, "test");
    struct user *late = user_connect(house, ENTRY_ANY);
    struct user *operator= user_connect(house, ENTRY_CTL);
    house_settle(house);
    assert_reads(undecided, "");
    assert_true(undecided->ended);
    assert_reads(late, "");
    assert_true(late->ended);
    user_read(operator);
    assert_true(operator->ended);
    assert_int_equal(house->released, 2);
    assert_int_equal(shard_connections(house->shard), 0);
    user_free(undecided);
    user_free(late);
    user_free(operator);
    house_close(house);
}

static void test_visitors_may_leave_in_any_order(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *users[5];
    static const int order[] = {2, 0, 4, 1, 3};
    for (int i = 0; i < 5; i++) {
        users[i] = user_connect(house, ENTRY_ANY);
        user_send(users[i], "P");
    }
    for (int i = 0; i < 5; i++) {
        if (i % 2) {
            user_send(users[order[i]], "x\n");
        }
        user_hang_up(users[order[i]]);
        assert_int_equal(house->released, i + 1);
        assert_int_equal(shard_connections(house->shard), 4 - i);
    }
    for (int i = 0; i < 5; i++) {
        user_free(users[i]);
    }
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_visitor_is_known_by_its_first_bytes),
        cmocka_unit_test(test_silent_visitor_is_let_in_when_the_wait_is_over),
        cmocka_unit_test(test_late_irc_is_known_behind_empty_lines),
        cmocka_unit_test(test_no_line_of_a_late_handshake_is_said),
        cmocka_unit_test(test_what_may_be_chat_is_said_and_the_password_behind_it_is_not),
        cmocka_unit_test(test_first_words_that_only_begin_like_irc_are_said),
        cmocka_unit_test(test_visitor_who_stops_in_the_middle_is_let_in_with_what_it_said),
        cmocka_unit_test(test_end_before_the_first_byte_lets_nobody_in),
        cmocka_unit_test(test_end_before_the_decision_lets_a_line_user_in_who_is_heard),
        cmocka_unit_test(test_bytes_beyond_what_the_door_looks_at_come_in_their_order),
        cmocka_unit_test(test_doors_of_other_listeners_do_not_look),
        cmocka_unit_test(test_refused_visitor_who_never_leaves_is_let_go_by_the_finish_timeout),
        cmocka_unit_test(test_drain_closes_the_undecided_and_takes_nobody_new),
        cmocka_unit_test(test_visitors_may_leave_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
