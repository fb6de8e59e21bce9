/* SPDX-License-Identifier: MIT */
#include "front/front_test_util.h"

#include <stdio.h>
#include <string.h>

#include "core/limit.h"
#include "wire/text.h"

/* The life of a session, and what comes at a bad time: the end, a line behind one that waits, names
 * as long as they may be. */

static struct house *house;
static struct user *alice, *bob;

static void forget(struct user *user)
{
    user_read(user);
    user_forget(user);
}

static int open_house(void **state)
{
    (void)state;
    house = house_open(NULL, NULL);
    alice = user_enter_irc(
        house, "alice",
        "batch labeled-response message-tags draft/multiline draft/channel-rename echo-message");
    bob = user_enter_irc(house, "bob", "batch server-time message-tags draft/chathistory");
    user_send(alice, "JOIN #room\r\n");
    user_send(bob, "JOIN #room\r\n");
    forget(alice);
    forget(bob);
    return 0;
}

static int close_house(void **state)
{
    (void)state;
    user_free(alice);
    user_free(bob);
    house_close(house);
    return 0;
}

/* ---- the end while something is under way ---- */

static void test_who_is_gone_before_the_welcome_leaves_nobody_behind(void **state)
{
    (void)state;
    struct house *empty = house_open(NULL, NULL);
    struct user *carol = user_connect(empty, ENTRY_IRC);
    empty->hold = true;
    user_send(carol, "NICK carol\r\nUSER carol 0 * :carol\r\n");
    shard_close_all(empty->shard);
    house_settle(empty);
    assert_int_equal(shard_connections(empty->shard), 0);
    house_apply_held(empty);
    assert_int_equal(hub_member_count(empty->hub), 0);
    user_free(carol);
    house_close(empty);
}

static void test_name_is_refused_to_one_who_is_gone(void **state)
{
    (void)state;
    struct user *carol = user_connect(house, ENTRY_IRC);
    house->hold = true;
    user_send(carol, "NICK alice\r\nUSER carol 0 * :carol\r\n");
    user_end_output(carol);
    house_apply_held(house);
    assert_reads_some(carol, " 433 * alice ");
    assert_true(carol->ended);
    assert_int_equal(hub_member_count(house->hub), 2);
    user_free(carol);
}

/* Nothing more is heard of it, so nothing but its own end would end it later. */
static void test_thrown_out_while_the_password_is_looked_at(void **state)
{
    static char junk[17000];
    static const char rest[] = "\r\nPASS wrong\r\nNICK carol\r\nUSER carol 0 * :carol\r\n";
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.asks_password = true;
    struct house *locked = house_open(&settings, NULL);
    locked->hold_answers = true;
    struct user *carol = user_connect(locked, ENTRY_IRC);
    memset(junk, 'x', sizeof(junk));
    memcpy(junk + sizeof(junk) - sizeof(rest), rest, sizeof(rest));
    user_send_bytes(carol, junk, 14000);
    user_send_bytes(carol, junk + 14000, sizeof(junk) - 14000 - 1);
    assert_reads_some(carol, "[Input line is far too long]");
    assert_true(carol->ended);
    house_answer_password(locked);
    user_free(carol);
    house_close(locked);
}

static void test_killed_while_the_reader_is_asked(void **state)
{
    (void)state;
    user_send(bob, "OPER boss right\r\n");
    forget(bob);
    house->hold_answers = true;
    user_send(alice, "@label=h CHATHISTORY LATEST #room * 5\r\nPING t\r\n");
    user_send(bob, "KILL alice :out\r\n");
    assert_reads(alice, "@label=h :server BATCH +L0 labeled-response\r\n"
                        "@batch=L0 :bob KILL alice :Killed (bob (out))\r\n"
                        "@batch=L0 ERROR :Closing link: (~alice@unix) [Killed (bob (out))]\r\n"
                        ":server BATCH -L0\r\n");
    assert_true(alice->ended);
    house_answer_held(house);
    assert_int_equal(hub_member_count(house->hub), 1);
}

/* Who is put out while the reader is asked does not read what is said behind its back. */
static void test_put_out_while_the_reader_is_asked(void **state)
{
    (void)state;
    struct user *erin = user_enter(house, "erin");
    user_send(erin, "/join room\n");
    forget(erin);
    for (int is_line = 0; is_line < 2; is_line++) {
        struct user *asker = is_line ? erin : bob;
        house->hold_answers = true;
        user_send(asker, is_line ? "/history\n" : "CHATHISTORY LATEST #room * 5\r\n");
        user_send(alice, is_line ? "KICK #room erin\r\n" : "KICK #room bob\r\n");
        user_send(alice, "PRIVMSG #room :behind your back\r\n");
        forget(asker);
        house_answer_held(house);
        assert_reads(asker, is_line ? "*** You are not in that room any more.\n"
                                    : ":server FAIL CHATHISTORY INVALID_TARGET LATEST #room "
                                      ":Nothing can be found under that target\r\n");
    }
    user_free(erin);
}

/* ---- order ---- */

/* Takes out what the hub has yet to do. */
static struct command *take_held(struct command **ret_last)
{
    struct command *first = house->held_first;
    *ret_last = house->held_last;
    house->held_first = NULL;
    house->held_last = NULL;
    return first;
}

/* A line that was answered ends no wait but its own. */
static void test_earlier_answer_does_not_end_the_wait_of_a_later_line(void **state)
{
    struct command *ping, *ping_last, *history, *history_last;
    (void)state;
    house->hold = true;
    user_send(alice, "PING t\r\n");
    ping = take_held(&ping_last);
    user_send(alice, "CHATHISTORY LATEST #room * 5\r\n");
    history = take_held(&history_last);
    house->held_first = ping;
    house->held_last = ping_last;
    house_apply_held(house);
    house->hold = true;
    house->held_first = history;
    house->held_last = history_last;
    user_send(alice, "NICK alicia\r\n");
    house_apply_held(house);
    assert_reads(alice, ":server PONG server :t\r\n"
                        ":server BATCH +H0 chathistory #room\r\n"
                        ":server BATCH -H0\r\n"
                        ":alice!~alice@unix NICK alicia\r\n");
}

/* What was kept for an answer that is not given is not taken for the answer to another question. */
static void test_renamed_room_that_was_left_meanwhile(void **state)
{
    (void)state;
    user_send(alice, "MODE #room +s\r\n");
    user_send(bob, "JOIN #other\r\n");
    forget(bob);
    house->hold = true;
    user_send(alice, "RENAME #room #hall\r\n");
    user_send(bob, "PART #hall\r\n");
    house_apply_held(house);
    user_read(bob);
    assert_null(strstr(bob->text, " 403 "));
    user_forget(bob);
    user_send(bob, "TOPIC #other\r\n");
    assert_reads(bob, ":server 331 bob #other :No topic is set\r\n");
}

/* ---- flood control ---- */

/* Slowed and waiting for the reader at once: who waits for both goes on behind the later of them.
 */
static void test_flood_and_a_wait_at_once(void **state)
{
    struct front_settings settings = house_default_settings();
    (void)state;
    settings.flood_burst = 4;
    settings.flood_rate = 1;
    struct house *slow = house_open(&settings, NULL);
    struct user *carol = user_connect(slow, ENTRY_IRC);
    user_send(carol, "NICK carol\r\nUSER carol 0 * :carol\r\n");
    house_wait_ms(slow, 60000);
    forget(carol);
    user_send(carol, "PING 1\r\nPING 2\r\nPING 3\r\nPING 4\r\nPING 5\r\nPING 6\r\n");
    assert_reads(carol, ":server PONG server :1\r\n:server PONG server :2\r\n"
                        ":server PONG server :3\r\n:server PONG server :4\r\n");
    house_wait_ms(slow, 999);
    assert_reads(carol, "");
    house_wait_ms(slow, 1);
    assert_reads(carol, ":server PONG server :5\r\n");
    house_wait_ms(slow, 1000);
    assert_reads(carol, ":server PONG server :6\r\n");
    house_wait_ms(slow, 60000);
    slow->hold_answers = true;
    for (int is_answer_first = 0; is_answer_first < 2; is_answer_first++) {
        user_send(carol, "PING 1\r\nPING 2\r\nPING 3\r\nCHATHISTORY LATEST bob * 1\r\nPING 4\r\n");
        forget(carol);
        if (is_answer_first) {
            house_answer_held(slow);
            assert_reads(carol, "");
            house_wait_ms(slow, 2000);
        } else {
            house_wait_ms(slow, 2000);
            assert_reads(carol, "");
            house_answer_held(slow);
        }
        assert_reads(carol, ":server PONG server :4\r\n");
        house_wait_ms(slow, 60000);
    }
    user_free(carol);
    house_close(slow);
}

static void test_operators_are_not_slowed(void **state)
{
    struct front_settings settings = house_default_settings();
    (void)state;
    settings.flood_burst = 4;
    settings.flood_rate = 1;
    struct house *slow = house_open(&settings, NULL);
    struct user *carol = user_connect(slow, ENTRY_IRC);
    user_send(carol, "NICK carol\r\nUSER carol 0 * :carol\r\n");
    house_wait_ms(slow, 60000);
    forget(carol);
    user_send(carol, "OPER boss right\r\nPING 1\r\nPING 2\r\nPING 3\r\nPING 4\r\n");
    house_wait_ms(slow, 1000); /* what was heard before the hub had answered OPER */
    assert_reads_some(carol, "PONG server :4\r\n");
    user_send(carol, "MODE carol -o\r\n");
    user_send(carol, "PING 5\r\nPING 6\r\n");
    user_read(carol);
    assert_null(strstr(carol->text, "PONG server :6"));
    user_free(carol);
    house_close(slow);
}

/* Lines that say the same thing many times, or nothing, are slowed as others are. */
static void test_every_line_costs_what_it_does(void **state)
{
    static const char *const lines[] = {
        "BATCH x\r\n",          "BATCH +1 draft/multiline #r\r\nBATCH -1\r\n",
        "@label=x PONG\r\n",    "PONG\r\n",
        "JOIN #a,#b,#c,#d\r\n", "PRIVMSG nobody :x\r\n",
    };
    struct front_settings settings = house_default_settings();
    (void)state;
    settings.flood_burst = 4;
    settings.flood_rate = 1;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct house *slow = house_open(&settings, NULL);
        struct user *carol =
            user_enter_irc(slow, "carol", "batch labeled-response draft/multiline");
        for (int k = 0; k < 5; k++) {
            user_send(carol, lines[i]);
        }
        user_send(carol, "PING end\r\n");
        user_read(carol);
        assert_null(strstr(carol->text, "end"));
        for (int k = 0; k < 3; k++) {
            house_wait_ms(slow, 60000); /* a burst each */
        }
        assert_reads_some(carol, "PONG server :end");
        user_free(carol);
        house_close(slow);
    }
}

static void test_bytes_of_no_line_are_slowed(void **state)
{
    static char lines[40000];
    struct front_settings settings = house_default_settings();
    (void)state;
    settings.flood_burst = 4;
    settings.flood_rate = 1;
    struct house *slow = house_open(&settings, NULL);
    struct user *carol = user_enter_irc(slow, "carol", NULL);
    memset(lines, '\n', sizeof(lines));
    user_send_bytes(carol, lines, sizeof(lines));
    user_send(carol, "PING end\r\n");
    user_read(carol);
    assert_null(strstr(carol->text, "end"));
    for (int k = 0; k < 3; k++) {
        house_wait_ms(slow, 60000);
    }
    assert_reads_some(carol, "PONG server :end");
    user_free(carol);
    house_close(slow);
}

static void test_targets_cost_as_much_as_lines(void **state)
{
    static const char *const lines[] = {
        "PRIVMSG a,a,a,a,a :x\r\n",
        "NOTICE a,a,a,a,a :x\r\n",
        "WHOIS a,a,a,a,a\r\n",
        "WHOIS server a,a,a,a,a\r\n",
        "NAMES #a,#a,#a,#a,#a\r\n",
        "KICK #a b,b,b,b,b\r\n",
        "JOIN #a,#b,#c,#d,#e,#f,#g,#h,#i,#j,#k,#l,#m,#n,#o,#p,#q\r\n",
    };
    struct front_settings settings = house_default_settings();
    (void)state;
    settings.flood_burst = 4;
    settings.flood_rate = 1;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct house *slow = house_open(&settings, NULL);
        struct user *carol = user_enter_irc(slow, "carol", NULL);
        user_send(carol, lines[i]);
        user_send(carol, "PING end\r\n");
        user_read(carol);
        assert_null(strstr(carol->text, "end"));
        house_wait_ms(slow, 60000);
        assert_reads_some(carol, "PONG server :end");
        user_free(carol);
        house_close(slow);
    }
}

/* Of the others nothing is done. */
static void test_targets_beyond_the_most_cost_nothing(void **state)
{
    char line[256] = "PRIVMSG a";
    struct front_settings settings = house_default_settings();
    (void)state;
    settings.flood_burst = 4;
    settings.flood_rate = 1;
    struct house *slow = house_open(&settings, NULL);
    struct user *carol = user_enter_irc(slow, "carol", NULL);
    for (int i = 1; i < 100; i++) {
        strcat(line, ",a");
    }
    strcat(line, " :x\r\nPING end\r\n");
    user_send(carol, line);
    user_read(carol);
    assert_null(strstr(carol->text, "end"));
    house_wait_ms(slow, 20000);
    assert_reads_some(carol, "PONG server :end");
    user_free(carol);
    house_close(slow);
}

static void test_who_has_yet_to_register_is_slowed_in_the_end(void **state)
{
    struct front_settings settings = house_default_settings();
    (void)state;
    settings.flood_burst = 4;
    settings.flood_rate = 1;
    settings.registration_s = 0;
    struct house *slow = house_open(&settings, NULL);
    struct user *carol = user_connect(slow, ENTRY_IRC);
    for (int i = 0; i < 104; i++) {
        user_send(carol, "CAP LIST\r\n");
    }
    user_send(carol, "PING end\r\n");
    user_read(carol);
    assert_null(strstr(carol->text, "end"));
    house_wait_ms(slow, 60000);
    assert_reads_some(carol, "PONG server :end");
    user_free(carol);
    house_close(slow);
}

static void test_list_is_told_once_a_line(void **state)
{
    (void)state;
    user_send(alice, "MODE #room +b x!*@*\r\n");
    user_read(alice);
    user_forget(alice);
    user_send(alice, "MODE #room bbbbbbbb\r\n");
    user_read(alice);
    char *first = strstr(alice->text, " 367 ");
    assert_non_null(first);
    assert_null(strstr(first + 1, " 367 "));
}

/* ---- several lines, for who sees them one by one in history ---- */

static void test_each_line_in_history_has_its_time(void **state)
{
    (void)state;
    user_send(alice, "BATCH +1 draft/multiline #room\r\n"
                     "@batch=1 PRIVMSG #room :one\r\n"
                     "@batch=1 PRIVMSG #room :two\r\n"
                     "BATCH -1\r\n");
    forget(bob);
    user_send(bob, "CHATHISTORY LATEST #room * 5\r\n");
    assert_reads(bob,
                 ":server BATCH +H0 chathistory #room\r\n"
                 "@batch=H0;time=2026-11-20T12:31:07.000Z;msgid=m1 :alice!~alice@unix PRIVMSG "
                 "#room :one\r\n"
                 "@batch=H0;time=2026-11-20T12:31:07.000Z :alice!~alice@unix PRIVMSG #room :two\r\n"
                 ":server BATCH -H0\r\n");
}

/* ---- sizes ---- */

/* A label longer than labels may be is none, on a batch as on a line. */
static void test_label_beyond_its_limit(void **state)
{
    char label[3001], line[4096];
    (void)state;
    memset(label, 'x', sizeof(label) - 1);
    label[sizeof(label) - 1] = '\0';
    (void)snprintf(line, sizeof(line),
                   "@label=%s BATCH +1 draft/multiline #room\r\n"
                   "@batch=1 PRIVMSG #room :one\r\nBATCH -1\r\n",
                   label);
    user_send(alice, line);
    assert_reads(alice, "@msgid=m1 :alice!~alice@unix PRIVMSG #room :one\r\n");
    (void)snprintf(line, sizeof(line), "@label=%s PING t\r\n", label);
    user_send(alice, line);
    assert_reads(alice, ":server PONG server :t\r\n");
}

/* Half a character is no text. */
static void test_mode_letters_beyond_ascii(void **state)
{
    (void)state;
    user_send(alice, "MODE #room +\xc3\xa9\r\n");
    user_read(alice);
    assert_non_null(strstr(alice->text, " 472 alice "));
    assert_true(text_is_utf8(alice->text, alice->len));
    user_forget(alice);
}

static void test_mark_under_what_can_be_no_name(void **state)
{
    char line[512];
    (void)state;
    (void)snprintf(line, sizeof(line), "MARKREAD %0300d timestamp=2026-11-20T12:31:07.000Z\r\n", 1);
    memset(line + 9, 'x', 300);
    user_send(alice, line);
    assert_reads_some(alice, "FAIL MARKREAD INVALID_PARAMS xxx");
}

static void test_context_of_a_fault_is_cut_between_characters(void **state)
{
    char line[1024] = "@batch=1 PRIVMSG ", *at = line + strlen(line);
    (void)state;
    for (int i = 0; i < 120; i++) {
        *at++ = '\xc3';
        *at++ = '\xa9';
    }
    (void)snprintf(at, 16, " :x\r\nBATCH -1\r\n");
    user_send(alice, "BATCH +1 draft/multiline #room\r\n");
    user_send(alice, line);
    user_read(alice);
    assert_non_null(strstr(alice->text, "MULTILINE_INVALID_TARGET #room \xc3\xa9"));
    assert_true(text_is_utf8(alice->text, alice->len));
    user_forget(alice);
}

static const struct hub_settings ceilings = {
    .limits = {.nick_bytes = NAME_CEILING_BYTES, .room_bytes = ROOM_NAME_CEILING_BYTES}};

/* A name as long as it may be, of this letter. */
static void fill(char *name, size_t len, char letter)
{
    memset(name, letter, len);
    name[len] = '\0';
}

static void test_longest_names_reach_the_peer_whole(void **state)
{
    char room[ROOM_NAME_CEILING_BYTES + 1], wanted[1024], line[1024];
    char carol_name[NAME_CEILING_BYTES + 1], dave_name[NAME_CEILING_BYTES + 1];
    (void)state;
    struct house *wide = house_open(NULL, &ceilings);
    wide->cloak = "xxxxxxxx.xxxxxxxx.xxxxxxxx.ip"; /* as long as the server makes them */
    fill(room, ROOM_NAME_CEILING_BYTES, 'r');
    fill(carol_name, NAME_CEILING_BYTES, 'c');
    fill(dave_name, NAME_CEILING_BYTES, 'd');
    struct user *carol = user_enter_irc(wide, carol_name, "draft/channel-rename");
    struct user *dave = user_enter_irc(wide, dave_name, NULL);
    (void)snprintf(line, sizeof(line), "JOIN #%s\r\n", room);
    user_send(carol, line);
    (void)snprintf(wanted, sizeof(wanted), " 366 %s #%s :", carol_name, room);
    assert_reads_some(carol, wanted);
    user_send(dave, line);
    forget(dave);
    forget(carol);
    /* Who is put out has to hear of it, though not all of the one who did it fits. */
    (void)snprintf(line, sizeof(line), "KICK #%s %s\r\n", room, dave_name);
    user_send(carol, line);
    (void)snprintf(wanted, sizeof(wanted), " KICK #%s %s :", room, dave_name);
    assert_reads_some(dave, wanted);
    assert_reads_some(carol, wanted);
    (void)snprintf(line, sizeof(line), "JOIN #%s\r\n", room);
    user_send(dave, line);
    forget(dave);
    (void)snprintf(line, sizeof(line), "WHO #%s\r\n", room);
    user_send(carol, line);
    (void)snprintf(wanted, sizeof(wanted), " 352 * #%s ~ddddddddddddddd %s server %s H ", room,
                   wide->cloak, dave_name);
    assert_reads_some(carol, wanted);
    (void)snprintf(line, sizeof(line), "MODE #%s +o %s\r\n", room, dave_name);
    user_send(carol, line);
    (void)snprintf(wanted, sizeof(wanted), " MODE #%s +o %s\r\n", room, dave_name);
    assert_reads_some(dave, wanted);
    forget(carol);
    char other[ROOM_NAME_CEILING_BYTES + 1];
    fill(other, ROOM_NAME_CEILING_BYTES, 's');
    (void)snprintf(line, sizeof(line), "RENAME #%s #%s\r\n", room, other);
    user_send(carol, line);
    (void)snprintf(wanted, sizeof(wanted), " RENAME #%s #%s :", room, other);
    assert_reads_some(carol, wanted);
    user_free(carol);
    user_free(dave);
    house_close(wide);
}

int main(void)
{
#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_gone_before_the_welcome_leaves_nobody_behind),
        IN_HOUSE(test_name_is_refused_to_one_who_is_gone),
        cmocka_unit_test(test_thrown_out_while_the_password_is_looked_at),
        IN_HOUSE(test_killed_while_the_reader_is_asked),
        IN_HOUSE(test_put_out_while_the_reader_is_asked),
        IN_HOUSE(test_earlier_answer_does_not_end_the_wait_of_a_later_line),
        IN_HOUSE(test_renamed_room_that_was_left_meanwhile),
        IN_HOUSE(test_list_is_told_once_a_line),
        cmocka_unit_test(test_every_line_costs_what_it_does),
        cmocka_unit_test(test_bytes_of_no_line_are_slowed),
        cmocka_unit_test(test_targets_cost_as_much_as_lines),
        cmocka_unit_test(test_targets_beyond_the_most_cost_nothing),
        cmocka_unit_test(test_who_has_yet_to_register_is_slowed_in_the_end),
        cmocka_unit_test(test_flood_and_a_wait_at_once),
        cmocka_unit_test(test_operators_are_not_slowed),
        IN_HOUSE(test_each_line_in_history_has_its_time),
        IN_HOUSE(test_label_beyond_its_limit),
        IN_HOUSE(test_mode_letters_beyond_ascii),
        IN_HOUSE(test_mark_under_what_can_be_no_name),
        IN_HOUSE(test_context_of_a_fault_is_cut_between_characters),
        cmocka_unit_test(test_longest_names_reach_the_peer_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
