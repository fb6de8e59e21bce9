/* SPDX-License-Identifier: MIT */
#include "core/authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/hub_internal.h"
#include "core/record.h"

/*
 * Every cell of the table is tried live: for each act that a command carries out, each relation and
 * each set of modes a hub is brought there, the command is given, and what comes of it must be what
 * the table says. A second account of the table, written as rules, must agree with it.
 */

#define MODES_COUNT 64u /* all sets of the six modes without parameter */

#define FOUNDER     1u /* an operator of the room */
#define ACTOR       2u /* who tries */
#define OTHER       3u /* somebody outside the room */
#define CONSOLE     9u

#define ROOM        "den"

static const char letters[] = "imnstC"; /* in the order of ROOM_ */

struct cell {
    enum act act;
    enum relation relation;
    uint32_t modes;
};

/* ---- the table as rules ---- */

static bool is_inside(enum relation relation)
{
    return relation == RELATION_MEMBER || relation == RELATION_VOICE ||
           relation == RELATION_OPERATOR;
}

static bool is_over(enum relation relation)
{
    return relation == RELATION_OPERATOR || relation == RELATION_SERVER;
}

static bool expected(const struct cell *cell)
{
    enum relation relation = cell->relation;
    bool is_console = relation == RELATION_CONSOLE;
    bool is_ranked = relation == RELATION_VOICE || is_over(relation);
    bool is_hidden = relation == RELATION_OUTSIDER && (cell->modes & ROOM_SECRET) != 0;
    bool is_closed = (cell->modes & ROOM_INVITE_ONLY) != 0;
    bool is_kept_out =
        relation == RELATION_OUTSIDER && (cell->modes & (ROOM_NO_OUTSIDE | ROOM_MODERATED)) != 0;
    switch (cell->act) {
    case ACT_LIST:
    case ACT_NAMES:
    case ACT_ASK:
    case ACT_ASK_BANS:
        return !is_hidden;
    case ACT_SEE_KEY:
        return relation != RELATION_OUTSIDER;
    case ACT_READ:
        return is_inside(relation);
    case ACT_ENTER:
        return (relation == RELATION_OUTSIDER || relation == RELATION_SERVER) && !is_closed;
    case ACT_SPEAK:
        return is_ranked || (!is_console && !is_kept_out && (cell->modes & ROOM_MODERATED) == 0);
    case ACT_SPEAK_BANNED:
        return is_ranked;
    case ACT_CTCP:
        return !is_console && (cell->modes & ROOM_NO_CTCP) == 0;
    case ACT_TOPIC:
        return is_over(relation) || (is_inside(relation) && (cell->modes & ROOM_TOPIC_LOCK) == 0);
    case ACT_INVITE:
        return is_over(relation) || (is_inside(relation) && !is_closed);
    case ACT_REDACT_OWN:
        return relation != RELATION_OUTSIDER;
    case ACT_ASK_LISTS:
    case ACT_MODE:
    case ACT_REMOVE:
    case ACT_RENAME:
    case ACT_REDACT:
        return is_over(relation) || is_console;
    case ACT_SERVE:
        return relation == RELATION_SERVER || is_console;
    default:
        return false;
    }
}

/* ---- a hub to try it in ---- */

struct world {
    struct hub *hub;
    struct event_list events;
    uint64_t number;
};

/* Gives a command and keeps what it yields in events. */
static void give(struct world *world, struct command_parts *parts)
{
    parts->target_len = parts->target != NULL ? strlen(parts->target) : 0;
    parts->text_len =
        parts->text_len == 0 && parts->text != NULL ? strlen(parts->text) : parts->text_len;
    parts->extra_len =
        parts->extra_len == 0 && parts->extra != NULL ? strlen(parts->extra) : parts->extra_len;
    struct command *command = command_make(parts);
    event_list_clear(&world->events);
    hub_begin(world->hub);
    world->number += hub_apply(world->hub, command, 1000, world->number, &world->events);
    hub_commit(world->hub);
    command_destroy(command);
}

static void give_plain(struct world *world, enum command_type type, uint64_t session,
                       const char *target)
{
    give(world, &(struct command_parts){.type = type, .session = session, .target = target});
}

static void change(struct world *world, const char *sign, const char *param)
{
    struct record_out out = {0};
    record_puts(&out, sign);
    record_puts(&out, param);
    record_end(&out);
    give(world, &(struct command_parts){.type = COMMAND_MODE,
                                        .session = FOUNDER,
                                        .target = ROOM,
                                        .text = out.bytes,
                                        .text_len = out.len});
    record_out_finish(&out);
}

static void relate(struct world *world, enum relation relation)
{
    if (relation == RELATION_CONSOLE) {
        return;
    }
    give_plain(world, COMMAND_REGISTER, ACTOR, "actor");
    if (is_inside(relation)) {
        give_plain(world, COMMAND_JOIN, ACTOR, ROOM);
    }
    if (relation == RELATION_VOICE) {
        change(world, "+v", "actor");
    } else if (relation == RELATION_OPERATOR) {
        change(world, "+o", "actor");
    } else if (relation == RELATION_SERVER) {
        give(world,
             &(struct command_parts){.type = COMMAND_OPER, .session = ACTOR, .text = "root"});
    }
}

static struct world make_world(const struct cell *cell)
{
    struct hub_settings settings = {.identity_seed = 5};
    struct world world = {.hub = hub_create(&settings), .number = 1};
    give_plain(&world, COMMAND_REGISTER, FOUNDER, "founder");
    give_plain(&world, COMMAND_REGISTER, OTHER, "other");
    give_plain(&world, COMMAND_JOIN, FOUNDER, ROOM);
    relate(&world, cell->relation);
    for (size_t i = 0; letters[i] != '\0'; i++) {
        char sign[] = {(cell->modes & (1u << i)) != 0 ? '+' : '-', letters[i], '\0'};
        change(&world, sign, "");
    }
    const struct room *room = room_by_name(world.hub, ROOM, strlen(ROOM));
    assert_int_equal(room->modes, cell->modes);
    return world;
}

static void destroy_world(struct world *world)
{
    assert_null(hub_check(world->hub));
    event_list_finish(&world->events);
    hub_destroy(world->hub);
}

static bool has_event(const struct world *world, enum event_type type)
{
    for (size_t i = 0; i < world->events.count; i++) {
        if (world->events.items[i]->type == type) {
            return true;
        }
    }
    return false;
}

/* An answer that has at least one record. */
static bool has_records(const struct world *world, enum event_type type)
{
    for (size_t i = 0; i < world->events.count; i++) {
        const struct event *event = world->events.items[i];
        if (event->type == type && event->count > 0) {
            return true;
        }
    }
    return false;
}

static bool shows_key(const struct world *world)
{
    for (size_t i = 0; i < world->events.count; i++) {
        const struct event *event = world->events.items[i];
        struct record_in in = {event->extra, event->extra_len};
        struct record_field fields[2];
        if (event->type == EVENT_REPLY_MODE && record_next(&in, fields, 2)) {
            return strcmp(fields[1].text, "secret") == 0;
        }
    }
    return false;
}

static struct command_parts parts_of(const struct cell *cell, enum command_type type)
{
    bool is_console = cell->relation == RELATION_CONSOLE;
    return (struct command_parts){.type = type,
                                  .session = is_console ? CONSOLE : ACTOR,
                                  .authority = is_console ? AUTHORITY_OPERATOR : AUTHORITY_USER,
                                  .target = ROOM};
}

static bool try_mode(struct world *world, const struct cell *cell, const char *sign,
                     const char *param, bool is_bare)
{
    struct command_parts parts = parts_of(cell, COMMAND_MODE);
    struct record_out out = {0};
    record_puts(&out, sign);
    record_puts(&out, param);
    record_puts(&out, is_bare ? "?" : "");
    record_end(&out);
    parts.text = out.bytes;
    parts.text_len = out.len;
    give(world, &parts);
    record_out_finish(&out);
    return has_event(world, is_bare ? EVENT_REPLY_MASKS : EVENT_MODE);
}

static bool try_plain(struct world *world, struct command_parts parts, enum event_type type)
{
    give(world, &parts);
    return has_event(world, type);
}

static bool try_text(struct world *world, const struct cell *cell, enum command_type type,
                     const char *text, enum event_type yields)
{
    struct command_parts parts = parts_of(cell, type);
    parts.text = text;
    return try_plain(world, parts, yields);
}

static bool try_extra(struct world *world, const struct cell *cell, enum command_type type,
                      const char *extra, enum event_type yields)
{
    struct command_parts parts = parts_of(cell, type);
    parts.extra = extra;
    return try_plain(world, parts, yields);
}

/* A message of the founder's, or one as if the actor had written it. */
static bool try_redact(struct world *world, const struct cell *cell, bool is_own)
{
    const struct room *room = room_by_name(world->hub, ROOM, strlen(ROOM));
    const struct member *author = member_by_session(world->hub, is_own ? ACTOR : FOUNDER);
    struct command_parts say = {
        .type = COMMAND_SAY, .session = FOUNDER, .target = ROOM, .text = "well"};
    give(world, &say);
    struct record_out out = {0};
    record_put_number(&out, room->id);
    record_put_number(&out, room->last_seq);
    record_put_number(&out, author != NULL ? author->identity : 0);
    record_end(&out);
    struct command_parts parts = parts_of(cell, COMMAND_REDACT);
    parts.value = world->number - 1;
    parts.extra = out.bytes;
    parts.extra_len = out.len;
    give(world, &parts);
    record_out_finish(&out);
    return has_event(world, EVENT_REDACTED);
}

/* The history is read by who is in the room, from where EVENT_ENTERED says. */
static bool try_read(struct world *world, const struct cell *cell)
{
    struct command_parts say = {
        .type = COMMAND_SAY, .session = FOUNDER, .target = ROOM, .text = "well"};
    give(world, &say);
    if (!is_inside(cell->relation)) {
        return false; /* who is not in is told of no number it may read */
    }
    give_plain(world, COMMAND_LEAVE, ACTOR, ROOM);
    const struct member *actor = member_by_session(world->hub, ACTOR);
    struct room *room = room_by_name(world->hub, ROOM, strlen(ROOM));
    hub_begin(world->hub);
    room->modes = 0; /* the door is not what is tried here */
    hub_commit(world->hub);
    give_plain(world, COMMAND_JOIN, ACTOR, ROOM);
    assert_non_null(member_find_room(actor, room, NULL));
    for (size_t i = 0; i < world->events.count; i++) {
        const struct event *event = world->events.items[i];
        if (event->type == EVENT_ENTERED) {
            return event->value == 1 && event->recent_count > 0;
        }
    }
    return false;
}

/* Gives the command that is the act. Returns: whether it was done. */
static bool try_live(struct world *world, const struct cell *cell)
{
    switch (cell->act) {
    case ACT_LIST:
        give(world, &(struct command_parts){.type = COMMAND_LIST,
                                            .session = parts_of(cell, 0).session,
                                            .authority = parts_of(cell, 0).authority});
        return has_records(world, EVENT_REPLY_LIST);
    case ACT_NAMES: {
        struct command_parts parts = parts_of(cell, COMMAND_NAMES);
        give(world, &parts);
        return has_records(world, EVENT_REPLY_NAMES);
    }
    case ACT_ASK:
        return try_text(world, cell, COMMAND_GET_TOPIC, "", EVENT_REPLY_TOPIC);
    case ACT_ASK_BANS:
        return try_mode(world, cell, "+b", "", true);
    case ACT_ASK_LISTS:
        return try_mode(world, cell, "+e", "", true);
    case ACT_SEE_KEY:
        change(world, "+k", "secret");
        (void)try_text(world, cell, COMMAND_MODE, "", EVENT_REPLY_MODE);
        return shows_key(world);
    case ACT_READ:
        return try_read(world, cell);
    case ACT_ENTER:
        return try_text(world, cell, COMMAND_JOIN, "", EVENT_ENTERED);
    case ACT_SPEAK:
        return try_text(world, cell, COMMAND_SAY, "hello", EVENT_MESSAGE);
    case ACT_SPEAK_BANNED:
        change(world, "-m", "");
        change(world, "-n", "");
        change(world, "+b", "m:actor");
        return try_text(world, cell, COMMAND_SAY, "hello", EVENT_MESSAGE);
    case ACT_CTCP:
        change(world, "-m", "");
        change(world, "-n", "");
        return try_text(world, cell, COMMAND_SAY, "\x01VERSION\x01", EVENT_MESSAGE);
    case ACT_TOPIC:
        return try_text(world, cell, COMMAND_TOPIC, "tea", EVENT_TOPIC);
    case ACT_MODE:
        return try_mode(world, cell, "+l", "9", false);
    case ACT_INVITE:
        return try_extra(world, cell, COMMAND_INVITE, "other", EVENT_INVITED);
    case ACT_REMOVE:
        return try_extra(world, cell, COMMAND_REMOVE, "founder", EVENT_REMOVED);
    case ACT_RENAME:
        return try_extra(world, cell, COMMAND_RENAME_ROOM, "cave", EVENT_ROOM_RENAMED);
    case ACT_REDACT_OWN:
        return try_redact(world, cell, true);
    case ACT_REDACT:
        return try_redact(world, cell, false);
    case ACT_SERVE: {
        struct command_parts parts = parts_of(cell, COMMAND_CLIENTS);
        return try_plain(world, parts, EVENT_REPLY_CLIENTS);
    }
    default:
        return false;
    }
}

static void for_each_cell(void (*check)(const struct cell *cell))
{
    for (unsigned act = 0; act < ACT_COUNT; act++) {
        for (unsigned relation = 0; relation < RELATION_COUNT; relation++) {
            for (uint32_t modes = 0; modes < MODES_COUNT; modes++) {
                struct cell cell = {(enum act)act, (enum relation)relation, modes};
                check(&cell);
            }
        }
    }
}

static void check_rules(const struct cell *cell)
{
    if (authority_allows(cell->act, cell->relation, cell->modes) != expected(cell)) {
        fail_msg("act %d, relation %d, modes %u: the table says otherwise", (int)cell->act,
                 (int)cell->relation, (unsigned)cell->modes);
    }
}

static void check_live(const struct cell *cell)
{
    struct world world = make_world(cell);
    bool is_done = try_live(&world, cell);
    bool is_allowed = authority_allows(cell->act, cell->relation, cell->modes);
    destroy_world(&world);
    if (is_done != is_allowed) {
        fail_msg("act %d, relation %d, modes %u: %s", (int)cell->act, (int)cell->relation,
                 (unsigned)cell->modes, is_done ? "was done" : "was refused");
    }
}

static void test_the_table_is_what_the_rules_say(void **state)
{
    (void)state;
    for_each_cell(check_rules);
}

static void test_commands_do_what_the_table_allows_and_nothing_else(void **state)
{
    (void)state;
    for_each_cell(check_live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table_is_what_the_rules_say),
        cmocka_unit_test(test_commands_do_what_the_table_allows_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
