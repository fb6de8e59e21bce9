/* SPDX-License-Identifier: MIT */
#include "core/invite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/record.h"

/* How many invitations one member may have. */

#define HOST  1u
#define GUEST 2u

static void give(struct hub *hub, struct event_list *events, enum command_type type,
                 uint64_t session, const char *target, const char *extra)
{
    struct command_parts parts = {.type = type,
                                  .session = session,
                                  .target = target,
                                  .target_len = strlen(target),
                                  .extra = extra,
                                  .extra_len = strlen(extra)};
    struct command *command = command_make(&parts);
    event_list_clear(events);
    hub_begin(hub);
    hub_apply(hub, command, 1, 1, events);
    hub_commit(hub);
    assert_null(hub_check(hub));
    command_destroy(command);
}

static void test_the_oldest_invitation_goes_when_there_are_too_many(void **state)
{
    (void)state;
    struct hub_settings settings = {0};
    struct hub *hub = hub_create(&settings);
    struct event_list events = {0};
    give(hub, &events, COMMAND_REGISTER, HOST, "host", "");
    give(hub, &events, COMMAND_REGISTER, GUEST, "visitor", "");
    for (unsigned i = 0; i < INVITES_MAX + 1; i++) {
        char room[16];
        snprintf(room, sizeof(room), "room%u", i);
        give(hub, &events, COMMAND_JOIN, HOST, room, "");
        give(hub, &events, COMMAND_INVITE, HOST, room, "visitor");
    }
    const struct member *guest = member_by_session(hub, GUEST);
    assert_int_equal(guest->invites->count, INVITES_MAX);
    assert_false(invite_is_there(guest, room_by_name(hub, "room0", 5)));
    assert_true(invite_is_there(guest, room_by_name(hub, "room1", 5)));
    assert_true(invite_is_there(guest, room_by_name(hub, "room64", 6)));

    give(hub, &events, COMMAND_INVITE, GUEST, "", "");
    assert_int_equal(events.count, 1);
    assert_int_equal(events.items[0]->type, EVENT_REPLY_INVITES);
    assert_int_equal(events.items[0]->count, INVITES_MAX);
    struct record_in in = {events.items[0]->extra, events.items[0]->extra_len};
    struct record_field room;
    assert_true(record_next(&in, &room, 1));
    assert_string_equal(room.text, "room1");
    event_list_finish(&events);
    hub_destroy(hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_oldest_invitation_goes_when_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
