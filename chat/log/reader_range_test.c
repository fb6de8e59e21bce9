/* SPDX-License-Identifier: MIT */
#include "log/log_testing.h"

#include <stdlib.h>
#include <string.h>

#include "core/command.h"
#include "log/schema.h"

/*
 * History by number, time and pair of people. A log with a bit of everything in it, and the
 * plainest way to answer a query from a list of the same events: both must find the same.
 */

enum place { ROOM_ONE, ROOM_TWO, WITH_BOB, WITH_CAROL, PLACE_COUNT };

#define ALICE  0xfedcba9876543210u /* does not fit SQLite's integers with a sign */
#define BOB    2u
#define CAROL  3u

#define EVENTS 120

struct fact {
    enum place place;
    enum event_type type;
    enum message_kind kind; /* of private ones */
    bool to_alice;
    uint64_t number, seq;
    int64_t time_ms;
    bool taken_back;
};

struct scene {
    char *dir;
    struct log *log;
    struct reader *reader;
    struct fact facts[EVENTS + 1]; /* by number */
    uint64_t seqs[ROOM_TWO + 1];
    uint64_t random;
    struct event_list found;
};

static uint64_t next_random(struct scene *scene, uint64_t below)
{
    scene->random ^= scene->random >> 12;
    scene->random ^= scene->random << 25;
    scene->random ^= scene->random >> 27;
    return scene->random * UINT64_C(2685821657736338717) % below;
}

/* ---- the log ---- */

static void invent(struct scene *scene, uint64_t number)
{
    static const enum event_type types[] = {
        EVENT_MESSAGE, EVENT_MESSAGE, EVENT_NOTICE,  EVENT_ACTION,       EVENT_TOPIC,
        EVENT_TAGS,    EVENT_MODE,    EVENT_REMOVED, EVENT_ROOM_RENAMED, EVENT_SEALED};
    static const enum event_type messages[] = {EVENT_MESSAGE, EVENT_ACTION, EVENT_NOTICE,
                                               EVENT_TAGS};
    struct fact *fact = &scene->facts[number];
    *fact = (struct fact){.place = (enum place)next_random(scene, PLACE_COUNT), .number = number};
    /* Several of one time, and times that are missing. */
    fact->time_ms = (int64_t)(number / 4 * 40);
    if (fact->place > ROOM_TWO) {
        fact->kind = (enum message_kind)next_random(scene, 4);
        fact->type = messages[fact->kind];
        fact->to_alice = next_random(scene, 2) != 0;
    } else {
        fact->type = types[next_random(scene, 10)];
        fact->seq =
            fact->type <= EVENT_TOPIC || fact->type == EVENT_TAGS ? ++scene->seqs[fact->place] : 0;
    }
}

static struct event *make_private(const struct fact *fact)
{
    const char *other = fact->place == WITH_BOB ? "Bob" : "Caro\u0308l";
    const char *actor = fact->to_alice ? other : "alice";
    const char *target = fact->to_alice ? "alice" : other;
    uint64_t peer = fact->place == WITH_BOB ? BOB : CAROL;
    struct event_parts parts = {
        .type = EVENT_PRIVATE_TO,
        .audience = AUDIENCE_SESSION,
        .durable = true,
        .kind = (uint8_t)fact->kind,
        .number = fact->number,
        .time_ms = fact->time_ms,
        .identity = fact->to_alice ? peer : ALICE,
        .peer_identity = fact->to_alice ? ALICE : peer,
        .actor = actor,
        .actor_len = strlen(actor),
        .target = target,
        .target_len = strlen(target),
    };
    return event_create(&parts);
}

static struct event *make_event(const struct fact *fact)
{
    if (fact->place > ROOM_TWO) {
        return make_private(fact);
    }
    struct event_parts parts = {
        .type = fact->type,
        .audience = AUDIENCE_ROOM,
        .durable = true,
        .room_id = (uint32_t)fact->place + 1,
        .seq = fact->seq,
        .number = fact->number,
        .time_ms = fact->time_ms,
        .identity = ALICE,
        .room = "room",
        .room_len = 4,
        .actor = "alice",
        .actor_len = 5,
        .target = "target",
        .target_len = 6,
        .value = fact->type == EVENT_SEALED ? 1 : 0,
    };
    return event_create(&parts);
}

/* Some of the messages are taken back once all are there. */
static void take_some_back(struct scene *scene)
{
    uint64_t number = EVENTS;
    for (uint64_t of = 1; of <= EVENTS; of++) {
        struct fact *fact = &scene->facts[of];
        bool message = fact->place > ROOM_TWO || (fact->seq != 0 && fact->type != EVENT_TOPIC);
        if (!message || next_random(scene, 6) != 0) {
            continue;
        }
        struct event_parts parts = {
            .type = EVENT_REDACTED,
            .durable = true,
            .room_id = fact->place > ROOM_TWO ? 0 : (uint32_t)fact->place + 1,
            .room = "room",
            .room_len = 4,
            .number = ++number,
            .time_ms = 10000,
            .value = of,
        };
        assert_int_equal(test_commit_one(scene->log, event_create(&parts)), LOG_OK);
        fact->taken_back = true;
    }
}

static int setup(void **state)
{
    static struct scene scene;
    struct event_list list = {0};
    char message[512];
    scene = (struct scene){.dir = test_dir_create(), .random = 88172645463325252u};
    scene.log = test_open(scene.dir);
    for (uint64_t number = 1; number <= EVENTS; number++) {
        invent(&scene, number);
        event_list_take(&list, make_event(&scene.facts[number]));
    }
    assert_int_equal(log_commit(scene.log, list.items, list.count), LOG_OK);
    event_list_finish(&list);
    take_some_back(&scene);
    assert_int_equal(reader_open(scene.dir, &scene.reader, message, sizeof(message)), LOG_OK);
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    event_list_finish(&scene->found);
    reader_close(scene->reader);
    log_close(scene->log);
    test_dir_remove(scene->dir);
    return 0;
}

/* ---- the plainest way ---- */

static bool is_shown(const struct scene *scene, const struct fact *fact, enum history_what what,
                     const struct history_query *query)
{
    uint64_t floor = query->floor;
    if (fact->taken_back || fact->type == EVENT_SEALED) {
        return false;
    }
    if (what != HISTORY_EVENTS && (fact->type == EVENT_TAGS || fact->type > EVENT_TOPIC)) {
        return false;
    }
    if (what == HISTORY_MESSAGES && fact->type == EVENT_TOPIC) {
        return false;
    }
    if (fact->place > ROOM_TWO || fact->seq != 0) {
        return fact->seq >= floor || fact->place > ROOM_TWO;
    }
    /* What happened to the room is there from behind the last message that is not, and from a
     * number of its own. */
    if (fact->number < query->floor_number) {
        return false;
    }
    for (uint64_t later = fact->number + 1; later <= EVENTS; later++) {
        const struct fact *other = &scene->facts[later];
        if (other->place == fact->place && other->seq != 0 && other->seq < floor) {
            return false;
        }
    }
    return floor <= scene->seqs[fact->place] + 1;
}

/* -1: before the bound, 0: at it, 1: behind. */
static int side(const struct fact *fact, const struct history_bound *bound)
{
    if (bound->kind == BOUND_TIME) {
        return (fact->time_ms > bound->time_ms) - (fact->time_ms < bound->time_ms);
    }
    return (fact->number > bound->number) - (fact->number < bound->number);
}

static unsigned count_before(const struct scene *scene, enum place place,
                             const struct history_bound *bound)
{
    unsigned count = 0;
    for (uint64_t number = 1; number <= EVENTS; number++) {
        count += scene->facts[number].place == place && side(&scene->facts[number], bound) < 0;
    }
    return count;
}

struct answer {
    uint64_t numbers[EVENTS];
    size_t count;
    bool more;
};

/* Those between the bounds, with `from` itself when inclusive; the last or first `limit` of them.
 */
static void choose(const struct scene *scene, enum place place, const struct history_query *query,
                   const struct history_bound *from, const struct history_bound *to, bool inclusive,
                   bool newest, size_t limit, struct answer *answer)
{
    uint64_t all[EVENTS];
    size_t count = 0;
    for (uint64_t number = 1; number <= EVENTS; number++) {
        const struct fact *fact = &scene->facts[number];
        if (fact->place == place && is_shown(scene, fact, query->what, query) &&
            (from->kind == BOUND_NONE || side(fact, from) > (inclusive ? -1 : 0)) &&
            (to->kind == BOUND_NONE || side(fact, to) < 0)) {
            all[count++] = number;
        }
    }
    size_t first = newest && count > limit ? count - limit : 0;
    answer->more = answer->more || count > limit;
    for (size_t i = first; i < count && i < first + limit; i++) {
        answer->numbers[answer->count++] = all[i];
    }
}

static void answer_plainly(const struct scene *scene, enum place place,
                           const struct history_query *query, struct answer *answer)
{
    static const struct history_bound none;
    const struct history_bound *from = &query->from, *to = &query->to;
    *answer = (struct answer){0};
    bool swapped = query->kind == HISTORY_BETWEEN && from->kind != BOUND_NONE &&
                   to->kind != BOUND_NONE &&
                   count_before(scene, place, to) < count_before(scene, place, from);
    if (query->kind == HISTORY_AROUND) {
        size_t half = query->count / 2;
        choose(scene, place, query, &none, from, false, true, half, answer);
        choose(scene, place, query, from, &none, true, false, query->count - half, answer);
    } else {
        choose(scene, place, query, swapped ? to : from, swapped ? from : to, false,
               swapped || query->kind == HISTORY_LAST_OF, query->count, answer);
    }
}

/* ---- the two side by side ---- */

static enum log_fault ask(struct scene *scene, const struct history_query *query, bool *ret_more)
{
    event_list_clear(&scene->found);
    return reader_history(scene->reader, query, &scene->found, ret_more);
}

static void check_event(const struct scene *scene, const struct event *event)
{
    const struct fact *fact = &scene->facts[event->number];
    assert_int_equal(event->time_ms, fact->time_ms);
    assert_int_equal(event->session, 0);
    assert_int_equal(event->peer, 0);
    if (fact->place <= ROOM_TWO) {
        assert_int_equal(event->type, fact->type);
        assert_int_equal(event->room_id, (int)fact->place + 1);
        assert_int_equal(event->seq, fact->seq);
        assert_string_equal(event->target, fact->seq ? "" : "target");
        return;
    }
    assert_int_equal(event->type, fact->to_alice ? EVENT_PRIVATE_TO : EVENT_PRIVATE_OF);
    assert_int_equal(event->kind, fact->kind);
    assert_string_equal(fact->to_alice ? event->target : event->actor, "alice");
    assert_true((fact->to_alice ? event->peer_identity : event->identity) == ALICE);
}

static void compare(struct scene *scene, enum place place, const struct history_query *query)
{
    struct answer answer;
    bool more = false;
    answer_plainly(scene, place, query, &answer);
    assert_int_equal(ask(scene, query, &more), LOG_OK);
    assert_int_equal(scene->found.count, answer.count);
    for (size_t i = 0; i < answer.count; i++) {
        assert_int_equal(scene->found.items[i]->number, answer.numbers[i]);
        check_event(scene, scene->found.items[i]);
    }
    assert_int_equal(more, answer.more);
}

static struct history_query query_of(enum place place)
{
    struct history_query query = {.count = 10, .what = HISTORY_EVENTS};
    if (place <= ROOM_TWO) {
        query.room_id = (uint32_t)place + 1;
    } else {
        query.identity = ALICE;
        query.other = place == WITH_BOB ? "bOB" : "CAR\u00d6L";
    }
    return query;
}

/* A number of the place, or one that is not for who asks, or a time around those there are. */
static struct history_bound random_bound(struct scene *scene, enum place place,
                                         const struct history_query *query, bool *ret_known)
{
    struct history_bound bound = {.kind = (enum history_bound_kind)next_random(scene, 3)};
    bound.time_ms = (int64_t)next_random(scene, EVENTS * 10 + 60) - 20;
    bound.number = next_random(scene, EVENTS) + 1;
    const struct fact *fact = &scene->facts[bound.number];
    bool hidden = fact->type == EVENT_SEALED;
    if (bound.kind == BOUND_NUMBER) {
        /* What it is to the floor does not depend on what it is. */
        struct fact message = *fact;
        message.taken_back = false;
        message.type = hidden ? EVENT_MODE : fact->type;
        *ret_known =
            *ret_known && fact->place == place && is_shown(scene, &message, HISTORY_EVENTS, query);
    }
    return bound;
}

static void test_random_queries_find_what_the_plainest_way_finds(void **state)
{
    struct scene *scene = *state;
    unsigned known_count = 0, unknown_count = 0;
    for (int i = 0; i < 20000; i++) {
        enum place place = (enum place)next_random(scene, PLACE_COUNT);
        struct history_query query = query_of(place);
        bool known = true;
        query.kind = HISTORY_FIRST_OF + (enum history_kind)next_random(scene, 4);
        query.what = (enum history_what)next_random(scene, 3);
        query.count = (uint32_t)next_random(scene, 12);
        query.floor = place <= ROOM_TWO && next_random(scene, 2) == 0
                          ? next_random(scene, scene->seqs[place] + 3)
                          : 0;
        query.floor_number =
            place <= ROOM_TWO && next_random(scene, 2) == 0 ? next_random(scene, EVENTS + 2) : 0;
        query.from = random_bound(scene, place, &query, &known);
        if (query.kind == HISTORY_AROUND && query.from.kind == BOUND_NONE) {
            continue;
        }
        if (query.kind != HISTORY_AROUND) {
            query.to = random_bound(scene, place, &query, &known);
        }
        if (known) {
            compare(scene, place, &query);
        } else {
            assert_int_equal(ask(scene, &query, NULL), LOG_UNKNOWN);
        }
        known_count += known;
        unknown_count += !known;
    }
    assert_true(known_count > 5000 && unknown_count > 5000);
}

/* The kinds that speak of times, which line clients use for rooms. */
static void test_last_since_and_until_are_the_same_as_bounds(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 2000; i++) {
        enum place place = (enum place)next_random(scene, PLACE_COUNT);
        struct history_query query = query_of(place), same;
        bool more = false;
        query.what = (enum history_what)next_random(scene, 3);
        query.count = (uint32_t)next_random(scene, 12);
        query.floor = place <= ROOM_TWO ? next_random(scene, 10) : 0;
        query.time_ms = (int64_t)next_random(scene, EVENTS * 10);
        same = query;
        struct history_bound bound = {.kind = BOUND_TIME, .time_ms = query.time_ms};
        query.kind = i % 3 == 0 ? HISTORY_LAST : i % 3 == 1 ? HISTORY_SINCE : HISTORY_UNTIL;
        same.kind = query.kind == HISTORY_SINCE ? HISTORY_FIRST_OF : HISTORY_LAST_OF;
        if (query.kind == HISTORY_SINCE) {
            bound.time_ms--;
            same.from = bound;
        } else if (query.kind == HISTORY_UNTIL) {
            same.to = bound;
        }
        struct answer answer;
        answer_plainly(scene, place, &same, &answer);
        assert_int_equal(ask(scene, &query, &more), LOG_OK);
        assert_int_equal(scene->found.count, answer.count);
        for (size_t n = 0; n < answer.count; n++) {
            assert_int_equal(scene->found.items[n]->number, answer.numbers[n]);
        }
        assert_int_equal(more, answer.more);
    }
}

static void test_the_floor_is_for_the_kinds_of_line_clients_too(void **state)
{
    struct scene *scene = *state;
    uint64_t floor = scene->seqs[ROOM_ONE] - 3;
    struct history_query query = query_of(ROOM_ONE);
    query.floor = floor;
    for (int kind = HISTORY_LAST; kind <= HISTORY_SEARCH; kind++) {
        query.kind = (enum history_kind)kind;
        query.seq = kind == HISTORY_AFTER ? 1 : scene->seqs[ROOM_ONE];
        query.time_ms = kind == HISTORY_UNTIL ? 100000 : 0;
        query.text = "";
        query.what = HISTORY_LINES;
        assert_int_equal(ask(scene, &query, NULL), LOG_OK);
        for (size_t i = 0; i < scene->found.count; i++) {
            assert_true(scene->found.items[i]->seq >= floor);
        }
    }
}

/* ---- who may ask ---- */

static void test_nobody_else_finds_a_conversation(void **state)
{
    struct scene *scene = *state;
    struct history_query query = query_of(WITH_BOB);
    query.kind = HISTORY_LAST_OF;
    query.count = HISTORY_MAX;
    compare(scene, WITH_BOB, &query);
    assert_true(scene->found.count > 0);
    query.identity = CAROL;
    assert_int_equal(ask(scene, &query, NULL), LOG_OK);
    assert_int_equal(scene->found.count, 0);
    query.identity = 0;
    assert_int_equal(ask(scene, &query, NULL), LOG_OK);
    assert_int_equal(scene->found.count, 0);
    /* The other side sees the same, the other way round. */
    query.identity = BOB;
    query.other = "Alice";
    assert_int_equal(ask(scene, &query, NULL), LOG_OK);
    assert_true(scene->found.count > 0);
    for (size_t i = 0; i < scene->found.count; i++) {
        const struct fact *fact = &scene->facts[scene->found.items[i]->number];
        assert_int_equal(fact->place, WITH_BOB);
        assert_int_equal(scene->found.items[i]->type,
                         fact->to_alice ? EVENT_PRIVATE_OF : EVENT_PRIVATE_TO);
    }
}

static void test_a_number_of_a_place_that_is_not_there_is_unknown(void **state)
{
    struct scene *scene = *state;
    struct history_query query = {.kind = HISTORY_FIRST_OF,
                                  .room_id = 99,
                                  .count = 5,
                                  .from = {.kind = BOUND_NUMBER, .number = 1}};
    assert_int_equal(ask(scene, &query, NULL), LOG_UNKNOWN);
    assert_string_not_equal(reader_message(scene->reader), "");
    query.from.kind = BOUND_TIME;
    assert_int_equal(ask(scene, &query, NULL), LOG_OK);
    query.room_id = 0;
    query.from.kind = BOUND_NUMBER;
    assert_int_equal(ask(scene, &query, NULL), LOG_UNKNOWN);
    query.room_id = 1;
    query.from.number = UINT64_MAX;
    assert_int_equal(ask(scene, &query, NULL), LOG_UNKNOWN);
    query.room_id = 0;
    query.kind = HISTORY_SEARCH;
    assert_int_equal(ask(scene, &query, NULL), LOG_INTERNAL);
    query.kind = HISTORY_AROUND;
    query.room_id = 1;
    query.from.kind = BOUND_NONE;
    assert_int_equal(ask(scene, &query, NULL), LOG_INTERNAL);
}

static void test_oneself_is_a_conversation_too(void **state)
{
    struct scene *scene = *state;
    struct event_parts parts = {.type = EVENT_PRIVATE_TO,
                                .durable = true,
                                .number = log_last_number(scene->log) + 1,
                                .identity = ALICE,
                                .peer_identity = ALICE,
                                .actor = "alice",
                                .actor_len = 5,
                                .target = "alice",
                                .target_len = 5,
                                .text = "note",
                                .text_len = 4};
    struct history_query query = {
        .kind = HISTORY_LAST, .identity = ALICE, .other = "alice", .count = 5};
    assert_int_equal(test_commit_one(scene->log, event_create(&parts)), LOG_OK);
    assert_int_equal(ask(scene, &query, NULL), LOG_OK);
    assert_int_equal(scene->found.count, 1);
    assert_string_equal(scene->found.items[0]->text, "note");
}

/*
 * Far more rows that are hidden than one query looks at. What else is there must not be shown from
 * beyond the place where the look ended, for nobody knows what lies between.
 */
static void test_a_query_looks_at_so_many_rows_and_says_that_there_may_be_more(void **state)
{
    struct scene *scene = *state;
    struct history_query query = {.kind = HISTORY_LAST_OF, .room_id = 1, .count = 5};
    bool more = false;
    test_run_sql(scene->dir,
                 "DELETE FROM messages; DELETE FROM room_events;"
                 "INSERT INTO messages(room, seq, number, time, kind, actor, text, redacted)"
                 " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100010)"
                 " SELECT 1, i, i * 2, i, 1, 'alice', '', i > 1 FROM n;"
                 "INSERT INTO room_events VALUES(1, 5, 2, 16, 'alice', '', '', '', '', '', 0, 0),"
                 " (1, 200001, 100000, 16, 'alice', '', '', '', '', '', 0, 0)");
    assert_int_equal(ask(scene, &query, &more), LOG_OK);
    assert_int_equal(scene->found.count, 0);
    assert_true(more);
    query.what = HISTORY_EVENTS;
    assert_int_equal(ask(scene, &query, &more), LOG_OK);
    assert_int_equal(scene->found.count, 1);
    assert_int_equal(scene->found.items[0]->number, 200001);
    assert_true(more);
    /* From the other end the look ends at number 200,000: the last event is beyond it. */
    query.kind = HISTORY_FIRST_OF;
    assert_int_equal(ask(scene, &query, &more), LOG_OK);
    assert_int_equal(scene->found.count, 2);
    assert_int_equal(scene->found.items[0]->number, 2);
    assert_int_equal(scene->found.items[1]->number, 5);
    assert_true(more);
    test_run_sql(scene->dir, "DELETE FROM messages WHERE seq > 90000");
    assert_int_equal(ask(scene, &query, &more), LOG_OK);
    assert_int_equal(scene->found.count, 3);
    assert_false(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define RANGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        RANGE_TEST(test_random_queries_find_what_the_plainest_way_finds),
        RANGE_TEST(test_last_since_and_until_are_the_same_as_bounds),
        RANGE_TEST(test_the_floor_is_for_the_kinds_of_line_clients_too),
        RANGE_TEST(test_nobody_else_finds_a_conversation),
        RANGE_TEST(test_a_number_of_a_place_that_is_not_there_is_unknown),
        RANGE_TEST(test_oneself_is_a_conversation_too),
        RANGE_TEST(test_a_query_looks_at_so_many_rows_and_says_that_there_may_be_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
