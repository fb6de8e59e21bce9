/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* What a hub makes of the seals of a log after a restart. */

static struct hub *start(uint64_t sealed_seq)
{
    struct hub_settings settings = {0};
    struct hub *hub = hub_create(&settings);
    assert_int_equal(hub_restore_room(hub, 3, "den", "plans", "zoe", 77, 5), 0);
    hub_restore_sealed(hub, 3, sealed_seq);
    hub_restore_sealed(hub, 4, sealed_seq); /* a room that is not known is let be */
    assert_null(hub_check(hub));
    return hub;
}

/* Messages 4 and 5, as from the log; both have the text "kept". */
static void restore_recent(struct hub *hub)
{
    struct event *events[2];
    for (size_t i = 0; i < 2; i++) {
        struct event_parts parts = {.type = EVENT_MESSAGE,
                                    .audience = AUDIENCE_ROOM,
                                    .durable = true,
                                    .room_id = 3,
                                    .seq = 4 + i,
                                    .number = 40 + i,
                                    .text = "kept",
                                    .text_len = 4};
        events[i] = event_create(&parts);
    }
    hub_restore_recent(hub, 3, events, 2);
    for (size_t i = 0; i < 2; i++) {
        event_unref(events[i]);
    }
}

static void test_what_was_sealed_stays_so(void **state)
{
    (void)state;
    struct hub *hub = start(4);
    restore_recent(hub);
    hub_script_run(hub, "> 1 REGISTER alice\n"
                        "WELCOME @1 by=alice\n"
                        "> 1 ROOMS\n"
                        "REPLY_ROOMS @1 text=den;0;plans count=1\n"
                        "> 1 JOIN den\n"
                        "ENTERED @1 room=den by=alice of=zoe text=plans from=5 count=1 seq=5"
                        " [kept]\n"
                        "JOINED #den by=alice count=1\n");
    hub_destroy(hub);
}

static void test_a_room_that_was_closed_at_the_end_is_sealed_with_its_topic(void **state)
{
    (void)state;
    struct hub *hub = start(EVENT_SEALED_ALL);
    restore_recent(hub);
    hub_script_run(hub, "> 1 REGISTER alice\n"
                        "WELCOME @1 by=alice\n"
                        "> 1 ROOMS\n"
                        "REPLY_ROOMS @1\n"
                        "> 1 GET_TOPIC den\n"
                        "ERROR @1 NO_SUCH_ROOM text=den\n"
                        "> 1 JOIN den\n"
                        "ENTERED @1 room=den by=alice from=6 count=1 seq=5\n"
                        "JOINED #den by=alice count=1\n");
    hub_destroy(hub);
}

static void test_a_room_that_never_was_closed_is_open(void **state)
{
    (void)state;
    struct hub *hub = start(0);
    restore_recent(hub);
    hub_script_run(hub, "> 1 REGISTER alice\n"
                        "WELCOME @1 by=alice\n"
                        "> 1 JOIN den\n"
                        "ENTERED @1 room=den by=alice of=zoe text=plans count=1 seq=5"
                        " [kept] [kept]\n"
                        "JOINED #den by=alice count=1\n");
    hub_destroy(hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_sealed_stays_so),
        cmocka_unit_test(test_a_room_that_was_closed_at_the_end_is_sealed_with_its_topic),
        cmocka_unit_test(test_a_room_that_never_was_closed_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
