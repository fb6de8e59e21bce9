/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* Every reason for which the hub refuses a command: an enum event_error each. */

#define ALICE_ENTERS                                                                               \
    "> 1 ENTER alice\n"                                                                            \
    "WELCOME @1 by=alice\n"                                                                        \
    "ENTERED @1 room=lobby by=alice count=1\n"                                                     \
    "JOINED #lobby by=alice count=1\n"

#define ALICE_JOINS_GAMES                                                                          \
    "> 1 JOIN games\n"                                                                             \
    "ENTERED @1 room=games by=alice count=1\n"                                                     \
    "JOINED #games by=alice count=1\n"

#define BOB_ENTERS                                                                                 \
    "> 2 ENTER bob\n"                                                                              \
    "WELCOME @2 by=bob\n"                                                                          \
    "ENTERED @2 room=lobby by=bob count=2\n"                                                       \
    "JOINED #lobby by=bob count=2\n"

static const struct refusal_case {
    enum event_error code;
    struct hub_limits limits;
    const char *script;
} cases[] = {
    {.code = ERROR_NAME_TAKEN,
     .script = ALICE_ENTERS BOB_ENTERS "> 1 NICK BOB\n"
                                       "ERROR @1 NAME_TAKEN text=BOB\n"
                                       "> 1 NICK SERVER\n"
                                       "ERROR @1 NAME_TAKEN text=SERVER\n"
                                       "> 1 NICK You\n"
                                       "ERROR @1 NAME_TAKEN text=You\n"},
    {.code = ERROR_NAME_BAD,
     .script = ALICE_ENTERS "> 1 NICK not a name\n"
                            "ERROR @1 NAME_BAD text=not a name\n"
                            "> 1 NICK\n"
                            "ERROR @1 NAME_BAD\n"},
    {.code = ERROR_NAME_LONG,
     .limits = {.nick_bytes = 5},
     .script = ALICE_ENTERS "> 1 NICK alices\n"
                            "ERROR @1 NAME_LONG text=alices count=5\n"
                            "> 1 NICK Alice\n"
                            "RENAMED +1+ by=alice of=Alice\n"},
    {.code = ERROR_ROOM_BAD,
     .script = ALICE_ENTERS "> 1 JOIN a,b\n"
                            "ERROR @1 ROOM_BAD text=a,b\n"
                            "> 1 JOIN #\n"
                            "ERROR @1 ROOM_BAD text=#\n"
                            "> 1 JOIN\n"
                            "ERROR @1 ROOM_BAD\n"},
    {.code = ERROR_ROOM_LONG,
     .limits = {.room_bytes = 5},
     .script = ALICE_ENTERS "> 1 JOIN games2\n"
                            "ERROR @1 ROOM_LONG text=games2 count=5\n" ALICE_JOINS_GAMES},
    {.code = ERROR_ROOMS_FULL,
     .limits = {.rooms = 2},
     .script = ALICE_ENTERS ALICE_JOINS_GAMES "> 1 JOIN third\n"
                                              "ERROR @1 ROOMS_FULL text=third count=2\n"
                                              "> 1 LEAVE games\n"
                                              "GONE_FROM @1 room=games by=alice\n"
                                              "LEFT #games by=alice\n"
                                              "> 1 JOIN third\n"
                                              "ENTERED @1 room=third by=alice count=1\n"
                                              "JOINED #third by=alice count=1\n"},
    {.code = ERROR_NO_SUCH_ROOM,
     .script = ALICE_ENTERS "> 1 SAY nowhere | hello\n"
                            "ERROR @1 NO_SUCH_ROOM text=nowhere\n"
                            "> 1 LEAVE nowhere\n"
                            "ERROR @1 NO_SUCH_ROOM text=nowhere\n"
                            "> 1 TOPIC not a room | tea\n"
                            "ERROR @1 NO_SUCH_ROOM text=not a room\n"
                            "> 1 GET_TOPIC nowhere\n"
                            "ERROR @1 NO_SUCH_ROOM text=nowhere\n"
                            "> 1 WHO nowhere\n"
                            "ERROR @1 NO_SUCH_ROOM text=nowhere\n"},
    {.code = ERROR_NO_SUCH_NAME,
     .script = ALICE_ENTERS "> 1 PRIVATE nobody | hello\n"
                            "ERROR @1 NO_SUCH_NAME text=nobody\n"
                            "> 1 PRIVATE not a name | hello\n"
                            "ERROR @1 NO_SUCH_NAME text=not a name\n"
                            "> *9 KICK nobody\n"
                            "ERROR @9 NO_SUCH_NAME text=nobody\n"},
    {.code = ERROR_NOT_IN_ROOM,
     .script = ALICE_ENTERS BOB_ENTERS ALICE_JOINS_GAMES "> 2 SAY Games | hello\n"
                                                         "ERROR @2 CANNOT_SEND text=games\n"
                                                         "> 2 TOPIC games | tea\n"
                                                         "ERROR @2 NOT_IN_ROOM text=games\n"
                                                         "> 2 LEAVE games\n"
                                                         "ERROR @2 NOT_IN_ROOM text=games\n"
                                                         "> 2 LEAVE\n"
                                                         "GONE_FROM @2 room=lobby by=bob\n"
                                                         "LEFT #lobby by=bob count=1\n"
                                                         "> 2 SAY | hello\n"
                                                         "ERROR @2 NOT_IN_ROOM\n"},
    {.code = ERROR_IN_ROOM,
     .script = ALICE_ENTERS "> 1 JOIN #LOBBY\n"
                            "ERROR @1 IN_ROOM text=lobby\n"
                            "> 1 JOIN/MOVE lobby\n"
                            "ERROR @1 IN_ROOM text=lobby\n"},
    {.code = ERROR_WHICH_ROOM,
     .script = ALICE_ENTERS ALICE_JOINS_GAMES "> 1 SAY | hello\n"
                                              "ERROR @1 WHICH_ROOM\n"
                                              "> 1 LEAVE\n"
                                              "ERROR @1 WHICH_ROOM\n"
                                              "> 1 WHO\n"
                                              "ERROR @1 WHICH_ROOM\n"},
    {.code = ERROR_TOO_MANY_ROOMS,
     .limits = {.rooms_per_member = 2},
     .script = ALICE_ENTERS ALICE_JOINS_GAMES "> 1 JOIN third\n"
                                              "ERROR @1 TOO_MANY_ROOMS text=third count=2\n"
                                              "> 1 JOIN/MOVE third\n"
                                              "GONE_FROM @1 room=lobby by=alice\n"
                                              "LEFT #lobby by=alice\n"
                                              "GONE_FROM @1 room=games by=alice\n"
                                              "LEFT #games by=alice\n"
                                              "ENTERED @1 room=third by=alice count=1\n"
                                              "JOINED #third by=alice count=1\n"},
    {.code = ERROR_TEXT_EMPTY,
     .script = ALICE_ENTERS "> 1 SAY\n"
                            "ERROR @1 TEXT_EMPTY\n"
                            "> 1 ACTION\n"
                            "ERROR @1 TEXT_EMPTY\n"
                            "> 1 PRIVATE alice\n"
                            "ERROR @1 TEXT_EMPTY\n"
                            "> *9 ANNOUNCE\n"
                            "ERROR @9 TEXT_EMPTY\n"},
    {.code = ERROR_TEXT_LONG,
     .limits = {.text_bytes = 5},
     .script = ALICE_ENTERS "> 1 SAY | hello\n"
                            "MESSAGE #lobby by=alice text=hello seq=1 n=1\n"
                            "> 1 SAY | hello!\n"
                            "ERROR @1 TEXT_LONG count=5\n"
                            "> 1 PRIVATE alice | hello!\n"
                            "ERROR @1 TEXT_LONG count=5\n"
                            "> *9 ANNOUNCE | hello!\n"
                            "ERROR @9 TEXT_LONG count=5\n"},
    {.code = ERROR_TOPIC_LONG,
     .limits = {.topic_bytes = 3},
     .script = ALICE_ENTERS "> 1 TOPIC | tea\n"
                            "TOPIC #lobby by=alice text=tea seq=1 n=1\n"
                            "> 1 TOPIC | teas\n"
                            "ERROR @1 TOPIC_LONG count=3\n"},
    {.code = ERROR_NOT_STORED,
     .script = ALICE_ENTERS "> ! disk full\n"
                            "> 1 SAY | hello\n"
                            "ERROR @1 NOT_STORED text=disk full\n"},
    {.code = ERROR_DENIED,
     .script = ALICE_ENTERS "> 1 CLIENTS\n"
                            "ERROR @1 DENIED\n"
                            "> 1 ANNOUNCE | hello\n"
                            "ERROR @1 DENIED\n"
                            "> 1 KICK alice\n"
                            "ERROR @1 DENIED\n"},
};

static void test_each_refusal_says_why_and_changes_nothing(void **state)
{
    (void)state;
    uint32_t seen = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hub_settings settings = {.limits = cases[i].limits};
        struct hub *hub = hub_create(&settings);
        hub_script_run(hub, cases[i].script);
        hub_destroy(hub);
        seen |= 1u << cases[i].code;
    }
    for (unsigned code = ERROR_NAME_TAKEN; code <= ERROR_DENIED; code++) {
        assert_true(seen & (1u << code));
    }
}

static void test_what_an_error_repeats_is_cut(void **state)
{
    (void)state;
    char target[2000];
    memset(target, 'a', sizeof(target));
    struct hub_settings settings = {0};
    struct hub *hub = hub_create(&settings);
    struct event_list events = {0};
    struct command *enter = command_create(COMMAND_ENTER, 1, NULL, 0, NULL, 0);
    struct command *join = command_create(COMMAND_JOIN, 1, target, sizeof(target), NULL, 0);
    hub_begin(hub);
    hub_apply(hub, enter, 0, 1, &events);
    event_list_clear(&events);
    hub_apply(hub, join, 0, 1, &events);
    hub_commit(hub);
    assert_int_equal(events.count, 1);
    assert_int_equal(events.items[0]->code, ERROR_ROOM_LONG);
    assert_int_equal(events.items[0]->text_len, 512);
    command_destroy(enter);
    command_destroy(join);
    event_list_finish(&events);
    hub_destroy(hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_refusal_says_why_and_changes_nothing),
        cmocka_unit_test(test_what_an_error_repeats_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
