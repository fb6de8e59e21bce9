/* SPDX-License-Identifier: MIT */
#include "core/hub_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/*
 * Batches of several commands, where what one command made another one takes away again. That
 * single commands are undone is shown by hub_script.c, and long random batches are sim_test.c's.
 */

struct step {
    enum command_type type;
    uint64_t session;
    const char *target;
    const char *text; /* of COMMAND_MODE with ';' for NUL and '/' for a new line */
};

struct fixture {
    struct hub *hub;
    struct event_list events;
    uint64_t number;
};

/* The commands for which the text of a step is their extra. */
static bool has_extra(enum command_type type)
{
    return type == COMMAND_INVITE || type == COMMAND_REMOVE || type == COMMAND_RENAME_ROOM;
}

static struct command *make_command(const struct step *step)
{
    char text[128];
    size_t len = strlen(step->text);
    assert_in_range(len, 0, sizeof(text) - 1);
    for (size_t i = 0; i < len; i++) {
        bool is_end = step->type == COMMAND_MODE && (step->text[i] == ';' || step->text[i] == '/');
        text[i] = !is_end ? step->text[i] : step->text[i] == ';' ? '\0' : '\n';
    }
    struct command_parts parts = {.type = step->type,
                                  .session = step->session,
                                  .target = step->target,
                                  .target_len = strlen(step->target)};
    if (has_extra(step->type)) {
        parts.extra = text;
        parts.extra_len = len;
    } else {
        parts.text = text;
        parts.text_len = len;
    }
    if (step->type >= COMMAND_CLIENTS && step->type <= COMMAND_KICK) {
        parts.authority = AUTHORITY_OPERATOR;
    }
    return command_make(&parts);
}

static void apply(struct fixture *fixture, const struct step *step)
{
    struct command *command = make_command(step);
    fixture->number += hub_apply(fixture->hub, command, 1000, fixture->number, &fixture->events);
    assert_null(hub_check(fixture->hub));
    command_destroy(command);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void apply_all(struct fixture *fixture, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        apply(fixture, &steps[i]);
    }
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct hub_settings settings = {.limits.recent = 3};
    static const struct step steps[] = {
        {COMMAND_ENTER, 1, "alice", "a:1"}, {COMMAND_ENTER, 2, "bob", "b:1"},
        {COMMAND_ENTER, 3, "", "c:1"},      {COMMAND_JOIN, 1, "games", ""},
        {COMMAND_JOIN, 2, "music", ""},     {COMMAND_SAY, 1, "lobby", "hello"},
        {COMMAND_TOPIC, 1, "lobby", "tea"},
    };
    fixture = (struct fixture){.hub = hub_create(&settings), .number = 1};
    hub_begin(fixture.hub);
    apply_all(&fixture, steps, COUNT(steps));
    hub_commit(fixture.hub);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    event_list_finish(&fixture->events);
    hub_destroy(fixture->hub);
    return 0;
}

/* Members, names, rooms, topics and messages that come and go within the batch. */
static const struct step turmoil[] = {
    {COMMAND_NICK, 1, "carol", ""},
    {COMMAND_ENTER, 4, "alice", "d:1"},
    {COMMAND_SAY, 1, "lobby", "two"},
    {COMMAND_SAY, 1, "lobby", "three"},
    {COMMAND_SAY, 4, "", "four"},
    {COMMAND_LEAVE, 1, "games", ""},
    {COMMAND_JOIN, 4, "games", ""},
    {COMMAND_TOPIC, 4, "games", "chess"},
    {COMMAND_TOPIC, 4, "games", ""},
    {COMMAND_TOPIC, 4, "lobby", "coffee"},
    {COMMAND_KICK, 9, "bob", ""},
    {COMMAND_ENTER, 2, "bob", "e:1"},
    {COMMAND_QUIT, 4, "", ""},
    {COMMAND_QUIT, 3, "", ""},
    {COMMAND_NICK, 1, "guest1", ""},
    {COMMAND_JOIN, 1, "music", ""},
    {COMMAND_REGISTER, 5, "eve", "f:1"},
    {COMMAND_JOIN, 1, "den", ""},
    {COMMAND_MODE, 1, "den", "+i;;/+k;fish;/+l;9;/+b;x;/+e;y;/-b;x;/"},
    {COMMAND_INVITE, 1, "den", "eve"},
    {COMMAND_MODE, 1, "den", "-k;*;/+b;z;/+b;w;/"},
    {COMMAND_JOIN, 5, "den", ""},
    {COMMAND_MODE, 1, "den", "+v;eve;/+o;eve;/-o;guest1;/"},
    {COMMAND_SAY, 5, "den", "in the den"},
    {COMMAND_TOPIC, 5, "den", "plans"},
    {COMMAND_RENAME_ROOM, 5, "den", "cave"},
    {COMMAND_REMOVE, 5, "cave", "guest1"},
    {COMMAND_INVITE, 5, "cave", "guest1"},
    {COMMAND_LEAVE, 5, "cave", ""},
    {COMMAND_JOIN, 1, "cave", ""},
    {COMMAND_QUIT, 5, "", ""},
    {COMMAND_ANNOUNCE, 9, "", "the end is near"},
    {COMMAND_QUIT, 1, "", ""},
    {COMMAND_QUIT, 2, "", ""},
};

static void test_a_rollback_after_any_command_of_a_batch_restores_the_state(void **state)
{
    struct fixture *fixture = *state;
    uint64_t before = hub_digest(fixture->hub);
    uint64_t number = fixture->number;
    for (size_t count = 0; count <= COUNT(turmoil); count++) {
        hub_begin(fixture->hub);
        apply_all(fixture, turmoil, count);
        assert_true(count == 0 || hub_digest(fixture->hub) != before);
        hub_rollback(fixture->hub);
        assert_null(hub_check(fixture->hub));
        assert_int_equal(hub_digest(fixture->hub), before);
        fixture->number = number;
        event_list_clear(&fixture->events);
    }
}

static void test_what_is_kept_is_the_same_in_one_batch_and_in_many(void **state)
{
    struct fixture *first = *state;
    void *other_state;
    struct fixture saved = *first;
    hub_begin(saved.hub);
    apply_all(&saved, turmoil, COUNT(turmoil));
    hub_commit(saved.hub);
    assert_int_equal(hub_member_count(saved.hub), 0);
    assert_int_equal(hub_room_count(saved.hub), 4);

    set_up(&other_state);
    struct fixture *second = other_state;
    for (size_t i = 0; i < COUNT(turmoil); i++) {
        hub_begin(second->hub);
        apply(second, &turmoil[i]);
        hub_commit(second->hub);
    }
    assert_int_equal(hub_digest(second->hub), hub_digest(saved.hub));
    assert_int_equal(second->number, saved.number);
    tear_down(&other_state);
    *first = saved;
}

static void test_events_outlive_a_rollback(void **state)
{
    struct fixture *fixture = *state;
    event_list_clear(&fixture->events);
    hub_begin(fixture->hub);
    apply(fixture, &(struct step){COMMAND_SAY, 3, "", "never said"});
    hub_rollback(fixture->hub);
    assert_int_equal(fixture->events.count, 1);
    assert_string_equal(fixture->events.items[0]->text, "never said");
    assert_int_equal(fixture->events.items[0]->refs, 1);
}

static void test_the_journal_uses_its_memory_again(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned batch = 0; batch < 50; batch++) {
        hub_begin(fixture->hub);
        for (unsigned i = 0; i < 20; i++) {
            apply(fixture, &(struct step){COMMAND_SAY, 3, "", "again"});
        }
        if (batch % 2 == 0) {
            hub_commit(fixture->hub);
        } else {
            hub_rollback(fixture->hub);
        }
        event_list_clear(&fixture->events);
        assert_int_equal(fixture->hub->journal.count, 0);
    }
    assert_in_range(fixture->hub->journal.cap, 20, 64);
}

static void test_a_hub_may_end_within_a_batch(void **state)
{
    struct fixture *fixture = *state;
    hub_begin(fixture->hub);
    apply_all(fixture, turmoil, COUNT(turmoil));
    assert_int_equal(hub_member_count(fixture->hub), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_rollback_after_any_command_of_a_batch_restores_the_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_kept_is_the_same_in_one_batch_and_in_many,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_outlive_a_rollback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_journal_uses_its_memory_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_hub_may_end_within_a_batch, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
