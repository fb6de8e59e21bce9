/* SPDX-License-Identifier: MIT */
#include "front/front_test_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* JOIN, PART, TOPIC and NAMES in IRC: each answer whole. */

static struct house *house;
static struct user *alice, *bob;

static void open_with(const char *caps, const struct front_settings *settings)
{
    house = house_open(settings, NULL);
    alice = user_enter_irc(house, "alice", NULL);
    bob = user_enter_irc(house, "bob", caps);
}

static int open_house(void **state)
{
    (void)state;
    open_with(NULL, NULL);
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

static void forget_all(void)
{
    user_read(alice);
    user_forget(alice);
    user_read(bob);
    user_forget(bob);
}

/* Both are in #room, alice its operator. */
static void meet(void)
{
    user_send(alice, "JOIN #room\r\n");
    user_send(bob, "JOIN #room\r\n");
    forget_all();
}

/* Bob has these capabilities, and both are in #room. */
static void meet_with(const char *caps)
{
    user_free(bob);
    house_settle(house);
    bob = user_enter_irc(house, "bob", caps);
    meet();
}

/* ---- JOIN ---- */

static void test_join(void **state)
{
    (void)state;
    user_send(alice, "JOIN #room\r\n");
    assert_reads(alice, ":alice!~alice@unix JOIN #room\r\n"
                        ":server 353 alice = #room :@alice\r\n"
                        ":server 366 alice #room :End of /NAMES list\r\n");
    user_send(bob, "JOIN #ROOM\r\n");
    assert_reads(bob, ":bob!~bob@unix JOIN #room\r\n"
                      ":server 353 bob = #room :@alice bob\r\n"
                      ":server 366 bob #room :End of /NAMES list\r\n");
    assert_reads(alice, ":bob!~bob@unix JOIN #room\r\n");
}

static void test_join_byte_by_byte(void **state)
{
    (void)state;
    for (const char *at = "join  #Some ,\r\n"; *at; at++) {
        user_send_bytes(alice, at, 1);
    }
    assert_reads(alice, ":alice!~alice@unix JOIN #Some\r\n"
                        ":server 353 alice = #Some :@alice\r\n"
                        ":server 366 alice #Some :End of /NAMES list\r\n");
}

static void test_join_where_one_is(void **state)
{
    (void)state;
    meet();
    user_send(alice, "JOIN #room\r\nPING 1\r\n");
    assert_reads(alice, ":server PONG server :1\r\n");
    assert_reads(bob, "");
}

static void test_join_topic(void **state)
{
    (void)state;
    user_send(alice, "JOIN #room\r\nTOPIC #room :for all\r\n");
    user_send(bob, "JOIN #room\r\n");
    assert_reads(bob, ":bob!~bob@unix JOIN #room\r\n"
                      ":server 332 bob #room :for all\r\n"
                      ":server 333 bob #room alice!~alice@unix 1795177867\r\n"
                      ":server 353 bob = #room :@alice bob\r\n"
                      ":server 366 bob #room :End of /NAMES list\r\n");
}

static void test_join_several_with_keys(void **state)
{
    (void)state;
    user_send(alice, "JOIN #a,#b,#c\r\nMODE #b +k yes\r\nMODE #c +k no\r\n");
    forget_all();
    user_send(bob, "JOIN #a,#b,#c ,yes,maybe\r\n");
    assert_reads(bob, ":bob!~bob@unix JOIN #a\r\n"
                      ":server 353 bob = #a :@alice bob\r\n"
                      ":server 366 bob #a :End of /NAMES list\r\n"
                      ":bob!~bob@unix JOIN #b\r\n"
                      ":server 353 bob = #b :@alice bob\r\n"
                      ":server 366 bob #b :End of /NAMES list\r\n"
                      ":server 475 bob #c :Cannot join channel (+k)\r\n");
}

static void test_join_what_is_no_channel(void **state)
{
    (void)state;
    user_send(alice, "JOIN room,#,##x\r\n");
    assert_reads(alice, ":server 403 alice room :No such channel\r\n"
                        ":server 476 alice # :Bad Channel Mask\r\n"
                        ":server 476 alice ##x :Bad Channel Mask\r\n");
    user_send(alice, "JOIN :\r\nJOIN :,\r\nJOIN\r\nPING 1\r\n");
    assert_reads(alice, ":server 461 alice JOIN :Not enough parameters\r\n"
                        ":server 461 alice JOIN :Not enough parameters\r\n"
                        ":server 461 alice JOIN :Not enough parameters\r\n"
                        ":server PONG server :1\r\n");
}

/* Of a list with a bad name the good ones are joined. */
static void test_join_some_bad(void **state)
{
    (void)state;
    user_send(alice, "JOIN #a,b,#c\r\nPING 1\r\n");
    assert_reads(alice, ":alice!~alice@unix JOIN #a\r\n"
                        ":server 353 alice = #a :@alice\r\n"
                        ":server 366 alice #a :End of /NAMES list\r\n"
                        ":server 403 alice b :No such channel\r\n"
                        ":alice!~alice@unix JOIN #c\r\n"
                        ":server 353 alice = #c :@alice\r\n"
                        ":server 366 alice #c :End of /NAMES list\r\n"
                        ":server PONG server :1\r\n");
}

static void test_join_zero(void **state)
{
    (void)state;
    user_send(alice, "JOIN #a,#b\r\n");
    forget_all();
    user_send(alice, "JOIN #c\r\nJOIN 0\r\nPING 1\r\n");
    assert_reads(alice, ":alice!~alice@unix JOIN #c\r\n"
                        ":server 353 alice = #c :@alice\r\n"
                        ":server 366 alice #c :End of /NAMES list\r\n"
                        ":alice!~alice@unix PART #a\r\n"
                        ":alice!~alice@unix PART #b\r\n"
                        ":alice!~alice@unix PART #c\r\n"
                        ":server PONG server :1\r\n");
    user_send(alice, "JOIN 0\r\nPING 1\r\n");
    assert_reads(alice, ":server PONG server :1\r\n");
}

static void test_join_refused(void **state)
{
    (void)state;
    user_send(alice, "JOIN #i,#b,#l\r\nMODE #i +i\r\nMODE #b +b bob\r\nMODE #l +l 1\r\n");
    forget_all();
    user_send(bob, "JOIN #i,#b,#l\r\n");
    assert_reads(bob, ":server 473 bob #i :Cannot join channel (+i)\r\n"
                      ":server 474 bob #b :Cannot join channel (+b)\r\n"
                      ":server 471 bob #l :Cannot join channel (+l)\r\n");
}

static void test_join_too_many(void **state)
{
    (void)state;
    struct hub_settings hub = {.limits = {.rooms_per_member = 2}};
    user_free(alice);
    user_free(bob);
    house_close(house);
    house = house_open(NULL, &hub);
    alice = user_enter_irc(house, "alice", NULL);
    bob = user_enter_irc(house, "bob", NULL);
    user_send(alice, "JOIN #a,#b\r\n");
    forget_all();
    user_send(alice, "JOIN #More\r\n");
    assert_reads(alice, ":server 405 alice #More :You have joined too many channels\r\n");
}

static void test_join_limits(void **state)
{
    (void)state;
    const struct hub_settings hub = {.limits = {.rooms = 2, .room_bytes = 5}};
    (void)close_house(NULL);
    house = house_open(NULL, &hub);
    alice = user_enter_irc(house, "alice", NULL);
    bob = user_enter_irc(house, "bob", NULL);
    user_send(alice, "JOIN #abcde,#b\r\n");
    forget_all();
    user_send(alice, "JOIN #abcdef,#c\r\n");
    assert_reads(alice, ":server 403 alice #abcdef :No such channel\r\n"
                        ":server 437 alice #c :Nick or channel is temporarily unavailable\r\n");
}

static void test_extended_join(void **state)
{
    (void)state;
    meet_with("extended-join");
    user_send(bob, "PART #room\r\nJOIN #room\r\n");
    assert_reads(bob, ":bob!~bob@unix PART #room\r\n"
                      ":bob!~bob@unix JOIN #room * :bob the user\r\n"
                      ":server 353 bob = #room :@alice bob\r\n"
                      ":server 366 bob #room :End of /NAMES list\r\n");
    user_send(alice, "PART #room\r\nJOIN #room\r\n");
    assert_reads(bob, ":alice!~alice@unix PART #room\r\n"
                      ":alice!~alice@unix JOIN #room * :alice the user\r\n");
}

static void test_join_marks(void **state)
{
    (void)state;
    user_free(bob);
    house_settle(house);
    bob = user_enter_irc(house, "bob", "draft/read-marker");
    user_send(bob, "JOIN #x\r\n");
    assert_reads(bob, ":bob!~bob@unix JOIN #x\r\n"
                      ":server MARKREAD #x *\r\n"
                      ":server 353 bob = #x :@bob\r\n"
                      ":server 366 bob #x :End of /NAMES list\r\n");
}

static void test_labels(void **state)
{
    (void)state;
    meet_with("labeled-response batch");
    user_send(bob, "@label=1 JOIN #room\r\n");
    assert_reads(bob, "@label=1 :server ACK\r\n");
    user_send(bob, "@label=2 PART #room :bye\r\n");
    assert_reads(bob, "@label=2 :bob!~bob@unix PART #room :bye\r\n");
    user_send(bob, "@label=3 JOIN #room\r\n");
    assert_reads(bob, "@label=3 :server BATCH +L0 labeled-response\r\n"
                      "@batch=L0 :bob!~bob@unix JOIN #room\r\n"
                      "@batch=L0 :server 353 bob = #room :@alice bob\r\n"
                      "@batch=L0 :server 366 bob #room :End of /NAMES list\r\n"
                      ":server BATCH -L0\r\n");
    user_send(bob, "@label=4 NAMES\r\n");
    assert_reads(bob, "@label=4 :server 366 bob * :End of /NAMES list\r\n");
    user_send(bob, "@label=6 NAMES #room,x\r\n");
    assert_reads(bob, "@label=6 :server BATCH +L1 labeled-response\r\n"
                      "@batch=L1 :server 353 bob = #room :@alice bob\r\n"
                      "@batch=L1 :server 366 bob #room :End of /NAMES list\r\n"
                      "@batch=L1 :server 366 bob x :End of /NAMES list\r\n"
                      ":server BATCH -L1\r\n");
    user_send(bob, "@label=5 JOIN x\r\n");
    assert_reads(bob, "@label=5 :server 403 bob x :No such channel\r\n");
    user_send(bob, "@label=6 TOPIC #room :new\r\n");
    assert_reads(bob, "@label=6 :server 482 bob #room :You're not channel operator\r\n");
}

/* ---- PART ---- */

static void test_part(void **state)
{
    (void)state;
    meet();
    user_send(alice, "PART #Room :so long\r\n");
    assert_reads(alice, ":alice!~alice@unix PART #room :so long\r\n");
    assert_reads(bob, ":alice!~alice@unix PART #room :so long\r\n");
    user_send(bob, "PART #room\r\n");
    assert_reads(bob, ":bob!~bob@unix PART #room\r\n");
    assert_reads(alice, "");
}

static void test_part_refused(void **state)
{
    (void)state;
    user_send(alice, "JOIN #a\r\n");
    forget_all();
    user_send(bob, "PART #a,#none\r\nPART x,#a\r\nPART\r\n");
    assert_reads(bob, ":server 442 bob #a :You're not on that channel\r\n"
                      ":server 403 bob #none :No such channel\r\n"
                      ":server 403 bob x :No such channel\r\n"
                      ":server 442 bob #a :You're not on that channel\r\n"
                      ":server 461 bob PART :Not enough parameters\r\n");
}

static void test_part_several(void **state)
{
    (void)state;
    user_send(alice, "JOIN #a,#b,#c\r\n");
    forget_all();
    user_send(alice, "PART #c,#a :away\r\n");
    assert_reads(alice, ":alice!~alice@unix PART #c :away\r\n"
                        ":alice!~alice@unix PART #a :away\r\n");
}

/* ---- TOPIC ---- */

static void test_topic(void **state)
{
    (void)state;
    meet();
    user_send(bob, "TOPIC #room\r\n");
    assert_reads(bob, ":server 331 bob #room :No topic is set\r\n");
    user_send(alice, "TOPIC #room :one and all\r\n");
    assert_reads(alice, ":alice!~alice@unix TOPIC #room :one and all\r\n");
    assert_reads(bob, ":alice!~alice@unix TOPIC #room :one and all\r\n");
    user_send(bob, "TOPIC #ROOM\r\n");
    assert_reads(bob, ":server 332 bob #room :one and all\r\n"
                      ":server 333 bob #room alice!~alice@unix 1795177867\r\n");
    user_send(alice, "TOPIC #room :\r\n");
    assert_reads(bob, ":alice!~alice@unix TOPIC #room :\r\n");
}

static void test_topic_refused(void **state)
{
    (void)state;
    meet();
    user_send(bob, "TOPIC #room :mine\r\nTOPIC #none\r\nTOPIC room\r\nTOPIC #none :x\r\nTOPIC\r\n");
    assert_reads(bob, ":server 482 bob #room :You're not channel operator\r\n"
                      ":server 403 bob #none :No such channel\r\n"
                      ":server 403 bob room :No such channel\r\n"
                      ":server 403 bob #none :No such channel\r\n"
                      ":server 461 bob TOPIC :Not enough parameters\r\n");
    user_send(bob, "PART #room\r\nTOPIC #room :x\r\n");
    assert_reads(bob, ":bob!~bob@unix PART #room\r\n"
                      ":server 442 bob #room :You're not on that channel\r\n");
}

/* What is too long is cut, between characters. */
static void test_topic_is_cut(void **state)
{
    (void)state;
    struct front_settings settings = house_default_settings();
    settings.topic_max = 10;
    user_free(alice);
    user_free(bob);
    house_close(house);
    open_with(NULL, &settings);
    user_send(alice, "JOIN #a\r\n");
    forget_all();
    user_send(alice, "TOPIC #a :12345678\xc3\xa9z\r\nTOPIC #a :123456789\xc3\xa9\r\n");
    assert_reads(alice, ":alice!~alice@unix TOPIC #a :12345678\xc3\xa9\r\n"
                        ":alice!~alice@unix TOPIC #a :123456789\r\n");
}

/* ---- NAMES ---- */

static void test_names(void **state)
{
    (void)state;
    meet();
    user_send(bob, "JOIN #b\r\n");
    forget_all();
    user_send(bob, "NAMES #room,#b\r\n");
    assert_reads(bob, ":server 353 bob = #room :@alice bob\r\n"
                      ":server 366 bob #room :End of /NAMES list\r\n"
                      ":server 353 bob = #b :@bob\r\n"
                      ":server 366 bob #b :End of /NAMES list\r\n");
    user_send(bob, "NAMES #none,none,,#b\r\n");
    assert_reads(bob, ":server 366 bob #none :End of /NAMES list\r\n"
                      ":server 366 bob none :End of /NAMES list\r\n"
                      ":server 353 bob = #b :@bob\r\n"
                      ":server 366 bob #b :End of /NAMES list\r\n");
    user_send(bob, "NAMES ,,\r\nNAMES :\r\n");
    assert_reads(bob, ":server 366 bob * :End of /NAMES list\r\n"
                      ":server 366 bob * :End of /NAMES list\r\n");
    user_send(bob, "NAMES\r\nNAMES #none\r\nNAMES none\r\n");
    assert_reads(bob, ":server 366 bob * :End of /NAMES list\r\n"
                      ":server 366 bob #none :End of /NAMES list\r\n"
                      ":server 366 bob none :End of /NAMES list\r\n");
}

static void test_names_secret(void **state)
{
    (void)state;
    meet();
    user_send(alice, "MODE #room +s\r\n");
    user_send(bob, "PART #room\r\n");
    forget_all();
    user_send(alice, "NAMES #room\r\n");
    assert_reads(alice, ":server 353 alice @ #room :@alice\r\n"
                        ":server 366 alice #room :End of /NAMES list\r\n");
    user_send(bob, "NAMES #room\r\n");
    assert_reads(bob, ":server 366 bob #room :End of /NAMES list\r\n");
}

static void test_names_capabilities(void **state)
{
    (void)state;
    meet_with("multi-prefix userhost-in-names");
    user_send(alice, "MODE #room +v alice\r\n");
    forget_all();
    user_send(bob, "NAMES #room\r\n");
    assert_reads(bob, ":server 353 bob = #room :@+alice!~alice@unix bob!~bob@unix\r\n"
                      ":server 366 bob #room :End of /NAMES list\r\n");
    user_send(alice, "NAMES #room\r\n");
    assert_reads(alice, ":server 353 alice = #room :@alice bob\r\n"
                        ":server 366 alice #room :End of /NAMES list\r\n");
}

#define MANY 60

/* No message is longer than 512 bytes, and all names are there. */
static void test_names_of_many(void **state)
{
    (void)state;
    struct user *others[MANY];
    unsigned found = 0;
    for (unsigned i = 0; i < MANY; i++) {
        char nick[40];
        (void)snprintf(nick, sizeof(nick), "somebody-with-a-long-name-%02u", i);
        others[i] = user_enter_irc(house, nick, NULL);
        user_send(others[i], "JOIN #room\r\n");
    }
    user_send(bob, "NAMES #room\r\n");
    user_read(bob);
    for (char *line = strtok(bob->text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_in_range(strlen(line) + 1, 20, 512);
        for (char *at = line; (at = strstr(at, "somebody-")) != NULL; at++) {
            found++;
        }
    }
    assert_int_equal(found, MANY);
    user_forget(bob);
    for (unsigned i = 0; i < MANY; i++) {
        user_free(others[i]);
    }
}

/* A peer with little room in its queue is told what fits, and is not cut for having asked. */
static void test_names_beyond_the_queue(void **state)
{
    (void)state;
    struct user *others[MANY];
    struct front_settings settings = house_default_settings();
    settings.stream.output_max_bytes = 3000;
    user_free(alice);
    user_free(bob);
    house_close(house);
    open_with("userhost-in-names", &settings);
    for (unsigned i = 0; i < MANY; i++) {
        char nick[40];
        (void)snprintf(nick, sizeof(nick), "somebody-with-a-long-name-%02u", i);
        others[i] = user_enter_irc(house, nick, NULL);
        user_send(others[i], "JOIN #room\r\n");
        user_read(others[i]);
    }
    user_send(bob, "NAMES #room\r\nPING 1\r\n");
    user_read(bob);
    assert_non_null(strstr(bob->text, ":server 416 bob NAMES #room :Too many matches\r\n"
                                      ":server 366 bob #room :End of /NAMES list\r\n"
                                      ":server PONG server :1\r\n"));
    assert_false(bob->ended);
    for (unsigned i = 0; i < MANY; i++) {
        user_free(others[i]);
    }
}

/* ---- all of it in other pieces ---- */

/* Sends lines of all kinds, in pieces of so many bytes, and keeps what comes back. */
static char *play(size_t piece)
{
    static const char lines[] =
        "JOIN #a,#b\r\nTOPIC #a :one and all\r\nMODE #a +ovbk alice alice eve key\r\nMODE #a b\r\n"
        "NAMES #a,#b\r\nLIST >0\r\nWHO #a\r\nWHO #a %tn,1\r\nWHOIS alice,bob\r\nINVITE bob #a\r\n"
        "MONITOR + bob,zed\r\nMONITOR S\r\nMODE alice +iB\r\nAWAY :out\r\nSETNAME :other\r\n"
        "PART #b :so\r\nUSERHOST alice bob\r\nISON bob\r\nLUSERS\r\nWHOWAS eve\r\n"
        "KICK #a alice,bob :bye\r\nJOIN 0\r\nPING end\r\n";
    const char *at = lines, *end = lines + sizeof(lines) - 1;
    open_with(NULL, NULL);
    while (at < end) {
        size_t len = (size_t)(end - at) < piece ? (size_t)(end - at) : piece;
        user_send_bytes(alice, at, len);
        at += len;
    }
    user_read(alice);
    char *answer = strdup(alice->text);
    assert_non_null(answer);
    (void)close_house(NULL);
    return answer;
}

static void test_pieces(void **state)
{
    (void)state;
    char *whole = play(SIZE_MAX);
    assert_non_null(strstr(whole, ":server PONG server :end\r\n"));
    for (size_t piece = 1; piece < 40; piece = piece * 2 + 1) {
        char *answer = play(piece);
        assert_string_equal(answer, whole);
        free(answer);
    }
    free(whole);
}

/* What ISUPPORT says of channels, whole: the longest of its words is this one. */
static void test_isupport(void **state)
{
    (void)state;
    struct user *carol = user_connect(house, ENTRY_IRC);
    user_send(carol, "NICK carol\r\nUSER c 0 * c\r\n");
    assert_reads_some(carol,
                      " TARGMAX=INVITE:1,JOIN:,KICK:20,LIST:,MONITOR:,NAMES:20,NOTICE:20,PART:,"
                      "PRIVMSG:20,TAGMSG:20,WHOIS:20,WHOWAS:20 ");
    user_free(carol);
}

#define in_house(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_house(test_join),
        in_house(test_join_byte_by_byte),
        in_house(test_join_where_one_is),
        in_house(test_join_topic),
        in_house(test_join_several_with_keys),
        in_house(test_join_what_is_no_channel),
        in_house(test_join_some_bad),
        in_house(test_join_zero),
        in_house(test_join_refused),
        in_house(test_join_too_many),
        in_house(test_join_limits),
        in_house(test_extended_join),
        in_house(test_join_marks),
        in_house(test_labels),
        in_house(test_part),
        in_house(test_part_refused),
        in_house(test_part_several),
        in_house(test_topic),
        in_house(test_topic_refused),
        in_house(test_topic_is_cut),
        in_house(test_names),
        in_house(test_names_secret),
        in_house(test_names_capabilities),
        in_house(test_names_of_many),
        in_house(test_names_beyond_the_queue),
        cmocka_unit_test(test_pieces),
        in_house(test_isupport),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
