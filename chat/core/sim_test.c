/* SPDX-License-Identifier: MIT */

/*
 * Years of chat in seconds: random commands from a seed, in batches that are kept, rolled back, or
 * rolled back and applied again as after a failed commit, with restarts from what was stored.
 *
 * Two hubs live side by side. The first takes every batch with all its accidents. The second takes
 * only what was kept, one command per batch, and with another hash seed: it must stay equal in
 * state and events, which shows that accidents leave no trace and that neither batches nor the
 * look-up tables show. A model that follows the events must agree with both.
 *
 * PARTYLINE_SIM_COMMANDS and PARTYLINE_SIM_SEED choose another run; a failure names its seed.
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/hub.h"
#include "core/record.h"
#include "core/sim_model.h"

#define DEFAULT_COMMANDS 1000000
#define DEFAULT_SEED     20260101
#define BATCH_MAX        20
#define SESSIONS         40
#define COMMANDS_PER_RUN 5000 /* between two restarts */
#define REPLAY_HASH_SEED UINT64_C(0x9e3779b97f4a7c15)

#define LONG_32          "abcdefghijklmnopqrstuvwxyzabcdef"
#define LONG_256         LONG_32 LONG_32 LONG_32 LONG_32 LONG_32 LONG_32 LONG_32 LONG_32

static const char *const names[] = {
    "alice",   "Alice",        "ALICE",     "bob",   "Bob",    "guest1",
    "Guest2",  "guest3",       "guest10",   "zoë",   "ZOË",    "zoe",
    "名字",    "ｇｕｅｓｔ１", "carol",     "dave",  "Server", "guest999999999",
    "3bad",    "a b",          "\xff",      "",      LONG_256, "x",
    "guest01", "\xcc\x81",     "e\xcc\x81", "аlice", "gυest2", "da{e",
    "da[e",
};

static const char *const rooms[] = {
    "lobby",  "#Lobby", "LOBBY", "games", "#GAMES", "music", "tea",   "大厅",
    "#大厅",  "a",      "b",     "c",     "d",      "e",     "f",     "bad room",
    LONG_256, "#",      "\xff",  "g",     "h",      "i",     "Ärger", "ärger",
};

static const char *const texts[] = {
    "hello", "how are you?", "你好", "x", "", "   ", " spaces ", LONG_256, "a\ttab", "two\nlines",
};

struct weight {
    enum command_type type;
    unsigned weight;
};

static const struct weight weights[] = {
    {COMMAND_ENTER, 14},   {COMMAND_QUIT, 5},      {COMMAND_NICK, 8},        {COMMAND_JOIN, 18},
    {COMMAND_LEAVE, 10},   {COMMAND_SAY, 16},      {COMMAND_ACTION, 3},      {COMMAND_PRIVATE, 6},
    {COMMAND_TOPIC, 4},    {COMMAND_GET_TOPIC, 3}, {COMMAND_WHO, 3},         {COMMAND_ROOMS, 2},
    {COMMAND_CLIENTS, 2},  {COMMAND_ANNOUNCE, 2},  {COMMAND_KICK, 3},        {COMMAND_ECHO, 2},
    {COMMAND_REGISTER, 4}, {COMMAND_NAMES, 2},     {COMMAND_LIST, 1},        {COMMAND_MODE, 24},
    {COMMAND_INVITE, 6},   {COMMAND_REMOVE, 4},    {COMMAND_RENAME_ROOM, 2}, {COMMAND_REDACT, 3},
    {COMMAND_OPER, 1},     {COMMAND_AWAY, 4},      {COMMAND_SETNAME, 2},     {COMMAND_USER_MODE, 6},
    {COMMAND_KILL, 1},     {COMMAND_WALLOPS, 1},   {COMMAND_WHOX, 4},        {COMMAND_WHOIS, 3},
    {COMMAND_WHOWAS, 1},   {COMMAND_USERHOST, 1},  {COMMAND_ISON, 1},        {COMMAND_MONITOR, 8},
    {COMMAND_LUSERS, 1},
};

static const char *const keys[] = {"", "", "key", "k2", ":bad", "a,b"};
static const char *const masks[] = {"al*", "*!*@1.2.3.4", "m:zo*", "a:x", "*",
                                    "x:y", "a b",         "",      ""};
static const char *const tags[] = {"", "", "+typing=active", "+react=x"};

/* What a command is made of besides what all have. */
struct details {
    struct command_parts parts;
    struct record_out text, extra;
};

struct sim {
    uint64_t random;
    uint64_t seed;
    uint64_t done;  /* commands applied in batches that were kept or given up */
    uint64_t total; /* commands to apply */
    struct hub *hub;
    struct hub *replay;
    struct model model;
    uint64_t replay_hash;
    int64_t now_ms;
    uint64_t rollbacks;
    struct command *batch[BATCH_MAX];
    int64_t times_ms[BATCH_MAX];
    size_t ends[BATCH_MAX]; /* where each command's events end */
    unsigned batch_count;
    struct event_list events;
};

#define CHECK(sim, wrong)                                                                          \
    do {                                                                                           \
        const char *wrong_ = (wrong);                                                              \
        if (wrong_ != NULL) {                                                                      \
            fail_msg("%s (seed %" PRIu64 ", near command %" PRIu64 ")", wrong_, (sim)->seed,       \
                     (sim)->done);                                                                 \
        }                                                                                          \
    } while (0)

/* splitmix64 */
static uint64_t next_random(struct sim *sim)
{
    uint64_t x = (sim->random += UINT64_C(0x9e3779b97f4a7c15));
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static unsigned below(struct sim *sim, size_t limit)
{
    return (unsigned)(next_random(sim) % limit);
}

static bool chance(struct sim *sim, unsigned percent)
{
    return below(sim, 100) < percent;
}

#define PICK(sim, array) ((array)[below(sim, sizeof(array) / sizeof((array)[0]))])

static enum command_type pick_type(struct sim *sim)
{
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
        sum += weights[i].weight;
    }
    unsigned at = below(sim, sum);
    for (size_t i = 0;; i++) {
        if (at < weights[i].weight) {
            return weights[i].type;
        }
        at -= weights[i].weight;
    }
}

static const char *pick_target(struct sim *sim, enum command_type type)
{
    switch (type) {
    case COMMAND_ENTER:
        return chance(sim, 50) ? "" : PICK(sim, names);
    case COMMAND_NICK:
    case COMMAND_PRIVATE:
    case COMMAND_KICK:
    case COMMAND_REGISTER:
    case COMMAND_KILL:
    case COMMAND_WHOIS:
    case COMMAND_WHOWAS:
        return PICK(sim, names);
    case COMMAND_WHOX:
        return chance(sim, 50) ? PICK(sim, rooms) : chance(sim, 50) ? PICK(sim, names) : "*e*";
    case COMMAND_JOIN:
    case COMMAND_MODE:
        return PICK(sim, rooms);
    default:
        return chance(sim, 50) ? "" : PICK(sim, rooms);
    }
}

/* Mostly one of a few; at times one that is none, or one that hardly ever is there. */
static uint64_t pick_session(struct sim *sim)
{
    if (chance(sim, 1)) {
        return chance(sim, 50) ? 0 : 1 + below(sim, MODEL_SESSIONS - 1);
    }
    return 1 + below(sim, SESSIONS);
}

/* A few changes of modes, mostly such as can be made. */
static void add_changes(struct sim *sim, struct record_out *text)
{
    static const char letters[] = "imnstCklovbeIx";
    for (unsigned count = 1 + below(sim, 3); count > 0; count--) {
        const char change[] = {chance(sim, 60) ? '+' : '-', letters[below(sim, 14)]};
        const char *param = "";
        switch (change[1]) {
        case 'k':
            param = PICK(sim, keys);
            break;
        case 'l':
            param = chance(sim, 80) ? "3" : "none";
            break;
        case 'o':
        case 'v':
            param = PICK(sim, names);
            break;
        case 'b':
        case 'e':
        case 'I':
            param = PICK(sim, masks);
            break;
        default:
            break;
        }
        record_put(text, change, sizeof(change));
        record_puts(text, param);
        if (*param == '\0' && strchr("klovbeI", change[1]) != NULL) {
            record_puts(text, "?");
        }
        record_end(text);
    }
}

/* One of the last messages the model knows, as the log has it. */
static void add_said(struct sim *sim, struct details *details)
{
    const struct model_room *room = &sim->model.rooms[below(sim, sim->model.rooms_used + 1)];
    if (!room->is_known || room->recent_count == 0) {
        return;
    }
    const struct event *event = room->recent[below(sim, room->recent_count)];
    details->parts.target = room->name;
    details->parts.value = event->number;
    record_put_number(&details->extra, room->id);
    record_put_number(&details->extra, event->seq);
    record_put_number(&details->extra, event->identity);
    record_end(&details->extra);
}

static void add_names(struct sim *sim, struct record_out *extra)
{
    for (unsigned count = 1 + below(sim, 3); count > 0; count--) {
        record_puts(extra, PICK(sim, names));
        record_end(extra);
    }
}

/* Changes of the user's own modes, at times of another's. */
static void add_user_modes(struct sim *sim, struct details *details)
{
    uint64_t session = details->parts.session;
    bool is_own = session < MODEL_SESSIONS && chance(sim, 90);
    details->parts.target = is_own ? sim->model.sessions[session].name : PICK(sim, names);
    for (unsigned count = below(sim, 4); count > 0; count--) {
        record_put(&details->text, (char[]){"+-"[below(sim, 2)], "iowBx"[below(sim, 5)]}, 2);
        record_puts(&details->text, "");
        record_end(&details->text);
    }
}

static void add_details(struct sim *sim, struct details *details)
{
    struct command_parts *parts = &details->parts;
    switch (parts->type) {
    case COMMAND_USER_MODE:
        add_user_modes(sim, details);
        break;
    case COMMAND_MONITOR:
        parts->value = (uint64_t) "++++-CLS"[below(sim, 8)];
        add_names(sim, &details->extra);
        break;
    case COMMAND_USERHOST:
    case COMMAND_ISON:
        add_names(sim, &details->extra);
        break;
    case COMMAND_AWAY:
        parts->text = chance(sim, 40) ? "" : PICK(sim, texts);
        break;
    case COMMAND_WHOX:
        parts->flags = chance(sim, 10) ? COMMAND_FLAG_OPERS : 0;
        break;
    case COMMAND_JOIN:
        parts->flags = chance(sim, 30) ? COMMAND_FLAG_MOVE : 0;
        parts->flags |= chance(sim, 20) ? COMMAND_FLAG_NAMES : 0;
        parts->extra = PICK(sim, keys);
        break;
    case COMMAND_SAY:
        parts->kind = chance(sim, 70) ? MESSAGE_TEXT : (uint8_t)below(sim, 4);
        parts->tags = PICK(sim, tags);
        parts->flags = chance(sim, 50) ? COMMAND_FLAG_KEEP : 0;
        parts->value = chance(sim, 90) ? 0 : (uint64_t)PICK(sim, "@+");
        break;
    case COMMAND_MODE:
        if (chance(sim, 90)) {
            add_changes(sim, &details->text);
        }
        break;
    case COMMAND_INVITE:
    case COMMAND_REMOVE:
        parts->extra = PICK(sim, names);
        break;
    case COMMAND_RENAME_ROOM:
        parts->extra = PICK(sim, rooms);
        break;
    case COMMAND_REDACT:
        add_said(sim, details);
        break;
    default:
        break;
    }
}

static void fill_in(struct details *details)
{
    struct command_parts *parts = &details->parts;
    bool has_records =
        details->text.len > 0 || parts->type == COMMAND_MODE || parts->type == COMMAND_USER_MODE;
    parts->text = has_records ? details->text.bytes : parts->text;
    parts->text_len = has_records ? details->text.len : strlen(parts->text);
    parts->target_len = strlen(parts->target);
    parts->extra_len = parts->extra != NULL ? strlen(parts->extra) : 0;
    parts->tags_len = parts->tags != NULL ? strlen(parts->tags) : 0;
    if (details->extra.len > 0) {
        parts->extra = details->extra.bytes;
        parts->extra_len = details->extra.len;
    }
}

static struct command *make_command(struct sim *sim)
{
    enum command_type type = pick_type(sim);
    bool begins = type == COMMAND_ENTER || type == COMMAND_REGISTER;
    struct details details = {.parts = {.type = type}};
    details.parts.target = pick_target(sim, type);
    details.parts.text = begins ? "host" : PICK(sim, texts);
    details.parts.session = pick_session(sim);
    add_details(sim, &details);
    fill_in(&details);
    struct command *command = command_make(&details.parts);
    record_out_finish(&details.text);
    record_out_finish(&details.extra);
    bool is_operators = (type >= COMMAND_CLIENTS && type <= COMMAND_KICK) || type == COMMAND_KILL ||
                        type == COMMAND_WALLOPS;
    if (chance(sim, is_operators ? 70 : 2)) {
        command->authority = AUTHORITY_OPERATOR;
    }
    if (below(sim, 1000) == 0) {
        command->type = (uint8_t)(COMMAND_TYPE_COUNT + below(sim, 100));
    }
    return command;
}

static struct hub *make_hub(const struct sim *sim, uint64_t hash_seed)
{
    struct hub_settings settings = {
        .hash_seed = hash_seed,
        .identity_seed = 7,
        .limits = {.text_bytes = 200,
                   .topic_bytes = 20,
                   .reason_bytes = 10,
                   .rooms = 12,
                   .rooms_per_member = 4,
                   .away_bytes = 10,
                   .monitor = MODEL_WATCHED,
                   .whowas = 20,
                   .recent = MODEL_RECENT},
    };
    struct hub *hub = hub_create(&settings);
    hub_restore_time(hub, sim->model.last_time_ms);
    for (uint32_t i = 0; i < sim->model.rooms_used; i++) {
        const struct model_room *room = &sim->model.rooms[i];
        if (room->is_known) {
            assert_int_equal(hub_restore_room(hub, room->id, room->name, room->topic,
                                              room->topic_actor, room->topic_time_ms,
                                              room->last_seq),
                             0);
            hub_restore_sealed(hub, room->id, room->log_sealed);
        }
    }
    return hub;
}

/* Ends both hubs and starts new ones, from what was stored or from nothing. */
static void restart(struct sim *sim)
{
    hub_destroy(sim->hub);
    hub_destroy(sim->replay);
    if (chance(sim, 50)) {
        model_restart(&sim->model);
    } else {
        uint64_t hash = sim->model.event_hash;
        uint64_t counts[sizeof(sim->model.counts) / sizeof(uint64_t)];
        uint64_t error_counts[sizeof(sim->model.error_counts) / sizeof(uint64_t)];
        memcpy(counts, sim->model.counts, sizeof(counts));
        memcpy(error_counts, sim->model.error_counts, sizeof(error_counts));
        model_finish(&sim->model);
        model_init(&sim->model);
        sim->model.event_hash = hash;
        memcpy(sim->model.counts, counts, sizeof(counts));
        memcpy(sim->model.error_counts, error_counts, sizeof(error_counts));
    }
    sim->hub = make_hub(sim, 0);
    sim->replay = make_hub(sim, REPLAY_HASH_SEED);
    CHECK(sim, hub_check(sim->hub));
    CHECK(sim, model_compare(&sim->model, sim->hub));
}

static void restore_recent(struct sim *sim, struct hub *hub)
{
    for (unsigned i = 0; i < sim->batch_count; i++) {
        uint32_t room_id = hub_wants_recent(hub, sim->batch[i]);
        for (uint32_t at = 0; room_id != 0 && at < sim->model.rooms_used; at++) {
            const struct model_room *room = &sim->model.rooms[at];
            if (room->is_known && room->id == room_id) {
                hub_restore_recent(hub, room_id, room->recent, room->recent_count);
            }
        }
        assert_int_equal(hub_wants_recent(hub, sim->batch[i]), 0);
    }
}

static void make_batch(struct sim *sim)
{
    sim->batch_count = 1 + below(sim, BATCH_MAX);
    for (unsigned i = 0; i < sim->batch_count; i++) {
        sim->batch[i] = make_command(sim);
        /* The clock of the machine may be set back; the hub's time must not. */
        sim->now_ms += chance(sim, 2) ? -(int64_t)below(sim, 5000) : (int64_t)below(sim, 100);
        sim->times_ms[i] = sim->now_ms;
    }
    restore_recent(sim, sim->hub);
    restore_recent(sim, sim->replay);
}

/* Applies the batch to the first hub, within hub_begin and its end. */
static void apply_batch(struct sim *sim)
{
    uint64_t number = sim->model.next_number;
    event_list_clear(&sim->events);
    for (unsigned i = 0; i < sim->batch_count; i++) {
        number += hub_apply(sim->hub, sim->batch[i], sim->times_ms[i], number, &sim->events);
        sim->ends[i] = sim->events.count;
        CHECK(sim, hub_check(sim->hub));
    }
}

static void roll_back(struct sim *sim, uint64_t digest)
{
    hub_rollback(sim->hub);
    sim->rollbacks++;
    CHECK(sim, hub_check(sim->hub));
    CHECK(sim, hub_digest(sim->hub) == digest ? NULL : "a batch that was undone leaves a trace");
}

/* Applies what was kept to the second hub and the model. */
static void follow_batch(struct sim *sim)
{
    struct event_list events = {0};
    size_t from = 0;
    for (unsigned i = 0; i < sim->batch_count; i++) {
        hub_begin(sim->replay);
        hub_apply(sim->replay, sim->batch[i], sim->times_ms[i], sim->model.next_number, &events);
        hub_commit(sim->replay);
        for (size_t at = 0; at < events.count; at++) {
            sim->replay_hash = model_hash_event(sim->replay_hash, events.items[at]);
        }
        event_list_clear(&events);
        CHECK(sim, model_follow(&sim->model, sim->batch[i], sim->events.items + from,
                                sim->ends[i] - from));
        from = sim->ends[i];
    }
    event_list_finish(&events);
    CHECK(sim, sim->replay_hash == sim->model.event_hash ? NULL : "the replay yields other events");
    CHECK(sim,
          hub_digest(sim->replay) == hub_digest(sim->hub) ? NULL : "the replay has another state");
    CHECK(sim, model_compare(&sim->model, sim->hub));
}

static void set_fault(struct sim *sim, const char *why)
{
    hub_set_log_fault(sim->hub, why);
    hub_set_log_fault(sim->replay, why);
}

static void run_batch(struct sim *sim)
{
    unsigned luck = below(sim, 100);
    make_batch(sim);
    uint64_t digest = hub_digest(sim->hub);
    if (luck < 10) {
        set_fault(sim, "the disk is full");
    }
    hub_begin(sim->hub);
    apply_batch(sim);
    if (luck >= 80) {
        roll_back(sim, digest);
    }
    if (luck >= 90) {
        set_fault(sim, "the disk failed");
        hub_begin(sim->hub);
        apply_batch(sim);
    }
    if (luck < 80 || luck >= 90) {
        hub_commit(sim->hub);
        follow_batch(sim);
    }
    set_fault(sim, NULL);
    sim->done += sim->batch_count;
    for (unsigned i = 0; i < sim->batch_count; i++) {
        command_destroy(sim->batch[i]);
    }
}

static uint64_t from_environment(const char *name, uint64_t fallback)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? strtoull(value, NULL, 10) : fallback;
}

/* Those that come up, as far as the commands of the simulation go. */
static bool is_covered_event(size_t type)
{
    return type < EVENT_TYPE_COUNT;
}

static bool is_covered_error(size_t code)
{
    return (code >= ERROR_NAME_TAKEN && code <= ERROR_MODE_BAD) || code == ERROR_NOT_SELF ||
           code == ERROR_MONITOR_FULL || (code >= ERROR_ROOM_TAKEN && code <= ERROR_REDACT_UNKNOWN);
}

/* Every event and every error must have come up, or the run has not tried what it should. */
static void check_coverage(const struct sim *sim)
{
    for (size_t i = 0; i < EVENT_TYPE_COUNT; i++) {
        if (is_covered_event(i) && sim->model.counts[i] == 0) {
            fail_msg("event %zu never came up", i);
        }
    }
    for (size_t i = 0; i < ERROR_CODE_COUNT; i++) {
        if (is_covered_error(i) && sim->model.error_counts[i] == 0) {
            fail_msg("error %zu never came up", i);
        }
    }
    assert_true(sim->rollbacks > 0);
}

static void test_a_hub_keeps_its_promises_through_random_years_of_chat(void **state)
{
    (void)state;
    static struct sim sim;
    sim.seed = from_environment("PARTYLINE_SIM_SEED", DEFAULT_SEED);
    sim.total = from_environment("PARTYLINE_SIM_COMMANDS", DEFAULT_COMMANDS);
    sim.random = sim.seed;
    model_init(&sim.model);
    uint64_t next_restart = 0;
    while (sim.done < sim.total) {
        if (sim.done >= next_restart) {
            restart(&sim);
            next_restart += COMMANDS_PER_RUN;
        }
        run_batch(&sim);
    }
    check_coverage(&sim);
    event_list_finish(&sim.events);
    model_finish(&sim.model);
    hub_destroy(sim.hub);
    hub_destroy(sim.replay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_hub_keeps_its_promises_through_random_years_of_chat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
