/* SPDX-License-Identifier: MIT */
#include "log/reader_internal.h"

/*
 * From what a query says to rows. A room has two tables, each with keys of its own: messages with
 * its seq, room_events with the number. A place in the room's order is therefore two keys, one for
 * each; the events between two places are those of both tables between their keys, merged by
 * number. A conversation has one table, and its key is the number too: it stands in `events`.
 *
 * A place lies between rows: `messages` and `events` are the first rows behind it.
 */

struct place_keys {
    int64_t messages, events;
};

struct range {
    struct place_keys from, to;
    bool newest; /* the last ones are wanted, else the first ones */
};

static const struct place_keys everything_before = {0, 0};
static const struct place_keys everything_after = {INT64_MAX, INT64_MAX};

int64_t reader_key(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

bool reader_names_a_number(const struct history_query *query)
{
    return query->kind >= HISTORY_FIRST_OF &&
           (query->from.kind == BOUND_NUMBER || query->to.kind == BOUND_NUMBER);
}

/* ---- places ---- */

static struct axis axis_of(struct reader *reader, enum reader_statement at,
                           enum reader_statement last, uint32_t room_id)
{
    return (struct axis){reader->statements[at], reader->statements[last], room_id};
}

static struct axis messages_axis(struct reader *reader, uint32_t room_id)
{
    return axis_of(reader, READER_SEQ_AT, READER_SEQ_LAST, room_id);
}

static struct axis events_axis(struct reader *reader, const struct reader_place *place)
{
    return place->other ? axis_of(reader, READER_PRIVATE_AT, READER_PRIVATE_LAST, 0)
                        : axis_of(reader, READER_EVENT_AT, READER_EVENT_LAST, place->room.id);
}

/* The place before the first event at or after the time. */
static int place_of_time(struct reader *reader, const struct reader_place *place, int64_t time_ms,
                         struct place_keys *ret_keys)
{
    struct axis messages = messages_axis(reader, place->room.id);
    struct axis events = events_axis(reader, place);
    int code = SQLITE_OK;
    ret_keys->messages = 1;
    if (!place->other) {
        code = axis_find(&messages, AXIS_TIME, time_ms, &ret_keys->messages);
    }
    return code == SQLITE_OK ? axis_find(&events, AXIS_TIME, time_ms, &ret_keys->events) : code;
}

/* The place before the event with this number or, when there is none, where it would be. */
static int place_of_number(struct reader *reader, const struct reader_place *place, int64_t number,
                           struct place_keys *ret_keys)
{
    struct axis messages = messages_axis(reader, place->room.id);
    ret_keys->events = number;
    ret_keys->messages = 1;
    return place->other ? SQLITE_OK
                        : axis_find(&messages, AXIS_NUMBER, number, &ret_keys->messages);
}

static int step_once(sqlite3_stmt *stmt)
{
    int code = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return code;
}

/* What is below the floor must not even be known to be there. Returns: SQLITE_OK; SQLITE_NOTFOUND;
 * or an error. */
static int check_number(struct reader *reader, const struct reader_place *place, int64_t number,
                        const struct place_keys *floor)
{
    int64_t key;
    if (place->other) {
        sqlite3_stmt *stmt = reader->statements[READER_IN_CONVERSATION];
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)place->room.identity);
        (void)sqlite3_bind_text64(stmt, 2, place->other, place->other_len, SQLITE_STATIC,
                                  SQLITE_UTF8);
        (void)sqlite3_bind_int64(stmt, 3, number);
        int code = step_once(stmt);
        return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_DONE ? SQLITE_NOTFOUND : code;
    }
    struct axis messages = messages_axis(reader, place->room.id);
    int code = axis_find_number(&messages, number, &key);
    if (code == SQLITE_ROW) {
        return key >= floor->messages ? SQLITE_OK : SQLITE_NOTFOUND;
    }
    if (code == SQLITE_DONE) {
        struct axis events = events_axis(reader, place);
        code = axis_find_number(&events, number, &key);
    }
    if (code == SQLITE_ROW) {
        return key >= floor->events ? SQLITE_OK : SQLITE_NOTFOUND;
    }
    return code == SQLITE_DONE ? SQLITE_NOTFOUND : code;
}

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Where an asker's history begins: behind the last message that is not for it. */
static int place_of_floor(struct reader *reader, const struct reader_place *place,
                          const struct history_query *query, struct place_keys *ret_keys)
{
    uint64_t floor = query->floor;
    *ret_keys = everything_before;
    if (place->other) {
        return SQLITE_OK;
    }
    if (floor <= 1) {
        /* In a room that was closed all the time nothing need have been said. */
        ret_keys->events = later_of(ret_keys->events, reader_key(query->floor_number));
        return SQLITE_OK;
    }
    sqlite3_stmt *stmt = reader->statements[READER_SEQ_AT];
    ret_keys->messages = reader_key(floor);
    ret_keys->events = INT64_MAX;
    (void)sqlite3_bind_int64(stmt, 1, place->room.id);
    (void)sqlite3_bind_int64(stmt, 2, ret_keys->messages - 1);
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        int64_t number = sqlite3_column_int64(stmt, 2);
        /* When the one below the floor is missing, this is one above it. */
        bool below = sqlite3_column_int64(stmt, 0) < ret_keys->messages;
        ret_keys->events = below ? number + 1 : number;
    }
    ret_keys->events = later_of(ret_keys->events, reader_key(query->floor_number));
    (void)sqlite3_reset(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* The places before and behind what a bound names. */
static int resolve(struct reader *reader, const struct reader_place *place,
                   const struct history_bound *bound, const struct place_keys *floor,
                   struct place_keys *ret_before, struct place_keys *ret_behind)
{
    int64_t number = reader_key(bound->number);
    int code = SQLITE_OK;
    switch (bound->kind) {
    case BOUND_NONE:
        *ret_before = everything_after;
        *ret_behind = everything_before;
        return SQLITE_OK;
    case BOUND_TIME:
        code = place_of_time(reader, place, bound->time_ms, ret_before);
        if (code != SQLITE_OK || bound->time_ms == INT64_MAX) {
            *ret_behind = everything_after;
            return code;
        }
        return place_of_time(reader, place, bound->time_ms + 1, ret_behind);
    case BOUND_NUMBER:
        code = number == INT64_MAX ? SQLITE_NOTFOUND : check_number(reader, place, number, floor);
        if (code == SQLITE_OK) {
            code = place_of_number(reader, place, number, ret_before);
        }
        return code == SQLITE_OK ? place_of_number(reader, place, number + 1, ret_behind) : code;
    }
    return SQLITE_MISUSE;
}

/* ---- rows ---- */

int reader_walk_private(struct reader *reader, const struct reader_place *place, int64_t from,
                        int64_t to, bool newest_first, struct row_walk *walk,
                        struct event_list *out)
{
    sqlite3_stmt *stmt = reader->statements[newest_first ? READER_PRIVATE_DOWN : READER_PRIVATE_UP];
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)place->room.identity);
    (void)sqlite3_bind_int64(stmt, 2, from);
    (void)sqlite3_bind_int64(stmt, 3, to);
    (void)sqlite3_bind_text64(stmt, 4, place->other, place->other_len, SQLITE_STATIC, SQLITE_UTF8);
    return row_walk(stmt, &place->room, walk, out);
}

static int walk_table(struct reader *reader, const struct reader_place *place, bool events,
                      const struct range *range, struct row_walk *walk, struct event_list *out)
{
    int64_t from = events ? range->from.events : range->from.messages;
    int64_t to = events ? range->to.events : range->to.messages;
    if (place->other) {
        return reader_walk_private(reader, place, from, to, range->newest, walk, out);
    }
    enum reader_statement which = events ? READER_EVENTS_UP : READER_MESSAGES_UP;
    if (range->newest) {
        which = events ? READER_EVENTS_DOWN : READER_MESSAGES_DOWN;
    }
    sqlite3_stmt *stmt = reader->statements[which];
    (void)sqlite3_bind_int64(stmt, 1, place->room.id);
    (void)sqlite3_bind_int64(stmt, 2, from);
    (void)sqlite3_bind_int64(stmt, 3, to);
    return row_walk(stmt, &place->room, walk, out);
}

/* One of the two tables while they are merged. */
struct half {
    struct event_list list;
    struct row_walk walk;
    size_t next;
};

static struct event *half_peek(const struct half *half)
{
    return half->next < half->list.count ? half->list.items[half->next] : NULL;
}

/* Which comes next of the two; NULL when both are done or when one was cut off before that, so that
 * nobody knows what else lies between. */
static struct half *choose(struct half *a, struct half *b, bool newest)
{
    const struct event *in_a = half_peek(a), *in_b = half_peek(b);
    if (in_a && in_b) {
        return (in_a->number < in_b->number) != newest ? a : b;
    }
    if (!in_a && !in_b) {
        return NULL;
    }
    struct half *left = in_a ? a : b, *ended = in_a ? b : a;
    uint64_t number = half_peek(left)->number;
    bool beyond = newest ? number < ended->walk.reached : number > ended->walk.reached;
    return ended->walk.more && beyond ? NULL : left;
}

static bool merge(struct half *a, struct half *b, uint32_t count, bool newest,
                  struct event_list *out)
{
    uint32_t taken = 0;
    struct half *half;
    while (taken < count && (half = choose(a, b, newest))) {
        event_list_take(out, event_ref(half->list.items[half->next++]));
        taken++;
    }
    return half_peek(a) || half_peek(b) || a->walk.more || b->walk.more;
}

static int fetch_merged(struct reader *reader, const struct reader_place *place,
                        const struct range *range, uint32_t count, struct event_list *out,
                        bool *ret_more)
{
    struct row_walk walk = {.kinds = ROW_KINDS_EVENTS, .count = count, .rows_max = ROW_WALK_MAX};
    struct half messages = {.walk = walk}, events = {.walk = walk};
    int code = walk_table(reader, place, false, range, &messages.walk, &messages.list);
    if (code == SQLITE_OK) {
        code = walk_table(reader, place, true, range, &events.walk, &events.list);
    }
    if (code == SQLITE_OK) {
        *ret_more = merge(&messages, &events, count, range->newest, out);
    }
    event_list_finish(&messages.list);
    event_list_finish(&events.list);
    return code;
}

static uint32_t kinds_of(enum history_what what)
{
    switch (what) {
    case HISTORY_LINES:
        return ROW_KINDS_LINES;
    case HISTORY_MESSAGES:
        return ROW_KINDS_MESSAGES;
    case HISTORY_EVENTS:
        break;
    }
    return ROW_KINDS_EVENTS;
}

/* Appends what lies in the range, oldest first. */
static int fetch(struct reader *reader, const struct reader_place *place, enum history_what what,
                 const struct range *range, uint32_t count, struct event_list *out, bool *ret_more)
{
    size_t from = out->count;
    int code;
    if (what == HISTORY_EVENTS && !place->other && range->from.events < range->to.events) {
        code = fetch_merged(reader, place, range, count, out, ret_more);
    } else {
        struct row_walk walk = {.kinds = kinds_of(what), .count = count, .rows_max = ROW_WALK_MAX};
        code = walk_table(reader, place, place->other != NULL, range, &walk, out);
        *ret_more = walk.more;
    }
    if (range->newest) {
        row_list_reverse(out, from);
    }
    return code;
}

/* ---- answers ---- */

static void raise_to_floor(struct range *range, const struct place_keys *floor)
{
    range->from.messages = later_of(range->from.messages, floor->messages);
    range->from.events = later_of(range->from.events, floor->events);
}

static bool is_older(const struct place_keys *a, const struct place_keys *b)
{
    return a->messages != b->messages ? a->messages < b->messages : a->events < b->events;
}

/* The kinds that speak of a seq or a time. */
static int plain_range(struct reader *reader, const struct reader_place *place,
                       const struct history_query *query, struct range *range)
{
    switch (query->kind) {
    case HISTORY_BEFORE:
        range->newest = true;
        range->to = (struct place_keys){reader_key(query->seq), 0};
        return SQLITE_OK;
    case HISTORY_AFTER:
        range->from = (struct place_keys){later_of(reader_key(query->seq), 0), INT64_MAX};
        range->from.messages += range->from.messages < INT64_MAX;
        return SQLITE_OK;
    case HISTORY_SINCE:
        return place_of_time(reader, place, query->time_ms, &range->from);
    case HISTORY_UNTIL:
        range->newest = true;
        return place_of_time(reader, place, query->time_ms, &range->to);
    default:
        range->newest = true;
        return SQLITE_OK;
    }
}

/* The kinds that have bounds. */
static int bounded_range(struct reader *reader, const struct reader_place *place,
                         const struct history_query *query, const struct place_keys *floor,
                         struct range *range)
{
    struct place_keys before_from, behind_from, before_to, behind_to;
    int code = resolve(reader, place, &query->from, floor, &before_from, &behind_from);
    if (code == SQLITE_OK) {
        code = resolve(reader, place, &query->to, floor, &before_to, &behind_to);
    }
    if (code != SQLITE_OK) {
        return code;
    }
    bool swapped = query->kind == HISTORY_BETWEEN && query->from.kind != BOUND_NONE &&
                   query->to.kind != BOUND_NONE && is_older(&before_to, &before_from);
    range->from = swapped ? behind_to : behind_from;
    range->to = swapped ? before_from : before_to;
    range->newest = swapped || query->kind == HISTORY_LAST_OF;
    return SQLITE_OK;
}

static int answer_around(struct reader *reader, const struct reader_place *place,
                         const struct history_query *query, const struct place_keys *floor,
                         uint32_t count, struct event_list *out, bool *ret_more)
{
    struct place_keys middle, behind;
    bool more_before = false, more_behind = false;
    if (query->from.kind == BOUND_NONE) {
        return SQLITE_MISUSE;
    }
    int code = resolve(reader, place, &query->from, floor, &middle, &behind);
    if (code != SQLITE_OK) {
        return code;
    }
    struct range before_it = {*floor, middle, true};
    struct range from_it = {middle, everything_after, false};
    raise_to_floor(&from_it, floor);
    code = fetch(reader, place, query->what, &before_it, count / 2, out, &more_before);
    if (code == SQLITE_OK) {
        code = fetch(reader, place, query->what, &from_it, count - count / 2, out, &more_behind);
    }
    *ret_more = more_before || more_behind;
    return code;
}

int reader_answer(struct reader *reader, const struct history_query *query,
                  const struct reader_place *place, struct event_list *out, bool *ret_more)
{
    uint32_t count = query->count < HISTORY_MAX ? query->count : HISTORY_MAX;
    struct range range = {everything_before, everything_after, false};
    struct place_keys floor;
    int code = place_of_floor(reader, place, query, &floor);
    if (code != SQLITE_OK) {
        return code;
    }
    if (query->kind == HISTORY_AROUND) {
        return answer_around(reader, place, query, &floor, count, out, ret_more);
    }
    code = query->kind >= HISTORY_FIRST_OF ? bounded_range(reader, place, query, &floor, &range)
                                           : plain_range(reader, place, query, &range);
    if (code != SQLITE_OK) {
        return code;
    }
    raise_to_floor(&range, &floor);
    return fetch(reader, place, query->what, &range, count, out, ret_more);
}
