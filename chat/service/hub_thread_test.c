/* SPDX-License-Identifier: MIT */
#include "service/hub_thread.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "log/fault.h"
#include "log/fault_vfs.h"
#include "log/log_testing.h"

/*
 * The hub's thread between a real log and two shards that only write down what they are given, each
 * in a loop's thread of its own.
 */

#define SHARDS      2
#define SUBMITTERS  4
#define SESSIONS    3 /* of each submitter */
#define SAYINGS     400
#define NOTES_MAX   200000
#define TEXT_MAX_IN 24

struct note {
    uint64_t session, number, seq;
    uint8_t type, code;
    uint32_t recent_count;
    char text[TEXT_MAX_IN];
};

struct fake_shard {
    unsigned index;
    struct party_loop *loop;
    pthread_t thread;
    struct note *notes; /* the loop's thread writes, others read after settle */
    size_t count;
    struct party_task fence;
    sem_t passed;
};

struct bench {
    char *dir;
    struct fake_shard shards[SHARDS];
    struct shard *pointers[SHARDS];
    struct logger *logger;
    struct hub_thread *hub;
    int64_t quick_commit_ns;
};

/* Releases by the thread that looks. The others' are not counted. */
static _Thread_local unsigned releases_here;

/* ---- fake shards ---- */

static void write_down(struct party_task *task, void *user)
{
    struct fake_shard *shard = user;
    struct batch *batch = ((struct batch_delivery *)task)->batch;
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *event = batch->items[i];
        struct note *note = &shard->notes[shard->count++];
        assert_true(shard->count < NOTES_MAX);
        *note = (struct note){.session = event->session,
                              .number = event->number,
                              .seq = event->seq,
                              .type = event->type,
                              .code = event->code,
                              .recent_count = event->recent_count};
        (void)snprintf(note->text, sizeof(note->text), "%s", event->text);
    }
    batch_unref(batch);
}

void __wrap_shard_deliver_later(struct shard *shard, struct batch *batch);

void __wrap_shard_deliver_later(struct shard *shard, struct batch *batch)
{
    struct fake_shard *fake = (struct fake_shard *)shard;
    releases_here += fake->index == 0;
    struct batch_delivery *delivery = &batch->deliveries[fake->index];
    party_task_init(&delivery->task, write_down, fake);
    party_loop_post(fake->loop, &delivery->task);
}

static void *run_loop(void *user)
{
    struct fake_shard *shard = user;
    return party_loop_run(shard->loop) == 0 ? NULL : shard;
}

static void pass(struct party_task *task, void *user)
{
    (void)task;
    struct fake_shard *shard = user;
    (void)sem_post(&shard->passed);
}

/* ---- a bench ---- */

static void hub_open(struct bench *b)
{
    static const struct log_options options = {.vfs = FAULT_VFS_NAME};
    const struct hub_settings hub = {.lobby = "lobby"};
    char message[512];
    struct hub_thread_settings settings = {.hub = hub_create(&hub),
                                           .shards = b->pointers,
                                           .shard_count = SHARDS,
                                           .recent = 5,
                                           .quick_commit_ns = b->quick_commit_ns,
                                           .logger = b->logger};
    assert_int_equal(log_open_with(&options, b->dir, &settings.log, message, sizeof(message)),
                     LOG_OK);
    b->hub = hub_thread_create(&settings);
}

static int bench_setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));
    b->quick_commit_ns = *(const int64_t *)*state;
    b->dir = test_dir_create();
    b->logger = logger_create(LOGGER_STDERR, PARTY_LOG_ERROR);
    for (unsigned i = 0; i < SHARDS; i++) {
        struct fake_shard *shard = &b->shards[i];
        shard->index = i;
        shard->notes = xcalloc(NOTES_MAX, sizeof(struct note));
        b->pointers[i] = (struct shard *)shard;
        assert_int_equal(sem_init(&shard->passed, 0, 0), 0);
        assert_int_equal(party_loop_create(NULL, &shard->loop), 0);
        assert_int_equal(pthread_create(&shard->thread, NULL, run_loop, shard), 0);
    }
    hub_open(b);
    *state = b;
    return 0;
}

static int bench_teardown(void **state)
{
    struct bench *b = *state;
    hub_thread_destroy(b->hub);
    for (unsigned i = 0; i < SHARDS; i++) {
        struct fake_shard *shard = &b->shards[i];
        party_loop_stop(shard->loop);
        assert_int_equal(pthread_join(shard->thread, NULL), 0);
        party_loop_destroy(shard->loop);
        (void)sem_destroy(&shard->passed);
        free(shard->notes);
    }
    logger_destroy(b->logger);
    test_dir_remove(b->dir);
    free(b);
    return 0;
}

static void start(struct bench *b)
{
    assert_int_equal(hub_thread_start(b->hub), 0);
}

/* All that was submitted is done, and the shards have written it down. */
static void settle(struct bench *b)
{
    assert_true(hub_thread_drain(b->hub, 30000));
    for (unsigned i = 0; i < SHARDS; i++) {
        struct fake_shard *shard = &b->shards[i];
        party_task_init(&shard->fence, pass, shard);
        party_loop_post(shard->loop, &shard->fence);
        while (sem_wait(&shard->passed) == -1) {
        }
    }
}

static void submit(struct bench *b, enum command_type type, uint64_t session, const char *target,
                   const char *text)
{
    struct command *command =
        command_create(type, session, target, strlen(target), text, strlen(text));
    hub_thread_submit(b->hub, command, command, 1);
}

static size_t count_notes(const struct bench *b, enum event_type type, uint64_t session)
{
    size_t count = 0;
    for (size_t i = 0; i < b->shards[0].count; i++) {
        const struct note *note = &b->shards[0].notes[i];
        count += note->type == type && (session == 0 || note->session == session);
    }
    return count;
}

static const struct note *last_note(const struct bench *b, enum event_type type, uint64_t session)
{
    for (size_t i = b->shards[0].count; i > 0; i--) {
        const struct note *note = &b->shards[0].notes[i - 1];
        if (note->type == type && note->session == session) {
            return note;
        }
    }
    fail_msg("no event of type %d for session %d", type, (int)session);
    return NULL;
}

/* Durable events are numbered from `first` without gaps; both shards got the same. */
static void assert_one_order(const struct bench *b, uint64_t first)
{
    const struct fake_shard *one = &b->shards[0], *two = &b->shards[1];
    assert_int_equal(one->count, two->count);
    assert_memory_equal(one->notes, two->notes, one->count * sizeof(struct note));
    for (size_t i = 0; i < one->count; i++) {
        if (one->notes[i].number != 0) {
            assert_int_equal(one->notes[i].number, first);
            first++;
        }
    }
}

/* What the log has of the lobby. */
static void assert_stored(const struct bench *b, uint64_t count)
{
    struct reader *reader;
    struct event_list found = {0};
    const struct history_query query = {.kind = HISTORY_LAST, .room_id = 1, .count = HISTORY_MAX};
    char message[512];
    assert_int_equal(reader_open(b->dir, &reader, message, sizeof(message)), LOG_OK);
    assert_int_equal(reader_history(reader, &query, &found, NULL), LOG_OK);
    assert_int_equal(found.count, count < HISTORY_MAX ? count : HISTORY_MAX);
    if (count > 0) {
        assert_int_equal(found.items[found.count - 1]->seq, count);
    }
    event_list_finish(&found);
    reader_close(reader);
}

/* ---- order ---- */

struct submitter {
    struct bench *bench;
    unsigned index;
    pthread_t thread;
};

static uint64_t session_of(unsigned submitter, unsigned session)
{
    return (uint64_t)(submitter + 1) << 32 | (session + 1);
}

/* Chains of 1 to 7 commands, over the submitter's sessions by turns. */
static void *submit_all(void *user)
{
    struct submitter *s = user;
    struct command *first = NULL, *last = NULL;
    unsigned chain = 0, wanted = 1;
    for (unsigned i = 0; i < SESSIONS * (SAYINGS + 1); i++) {
        char text[TEXT_MAX_IN];
        unsigned session = i % SESSIONS, k = i / SESSIONS;
        (void)snprintf(text, sizeof(text), "%u", k);
        struct command *command =
            command_create(k == 0 ? COMMAND_ENTER : COMMAND_SAY, session_of(s->index, session),
                           NULL, 0, text, strlen(text));
        if (last) {
            last->next = command;
        } else {
            first = command;
        }
        last = command;
        if (++chain == wanted || i == SESSIONS * (SAYINGS + 1) - 1) {
            hub_thread_submit(s->bench->hub, first, last, chain);
            first = NULL;
            last = NULL;
            chain = 0;
            wanted = wanted % 7 + 1;
        }
    }
    return NULL;
}

static void test_commands_of_many_threads_keep_the_order_of_each_session(void **state)
{
    struct bench *b = *state;
    struct submitter submitters[SUBMITTERS];
    start(b);
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct submitter){.bench = b, .index = i};
        assert_int_equal(pthread_create(&submitters[i].thread, NULL, submit_all, &submitters[i]),
                         0);
    }
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        assert_int_equal(pthread_join(submitters[i].thread, NULL), 0);
    }
    settle(b);
    assert_one_order(b, 1);
    unsigned next[SUBMITTERS][SESSIONS] = {0};
    for (size_t i = 0; i < b->shards[0].count; i++) {
        const struct note *note = &b->shards[0].notes[i];
        if (note->type == EVENT_MESSAGE) {
            unsigned *expected = &next[(note->session >> 32) - 1][(uint32_t)note->session - 1];
            assert_int_equal(strtoul(note->text, NULL, 10), ++*expected);
        }
    }
    for (unsigned i = 0; i < SUBMITTERS * SESSIONS; i++) {
        assert_int_equal(next[i / SESSIONS][i % SESSIONS], SAYINGS);
    }
    assert_stored(b, SUBMITTERS * SESSIONS * SAYINGS);
    assert_false(hub_thread_is_backlogged(b->hub));
}

/* ---- start, drain, end ---- */

static void test_commands_before_the_start_wait_for_it(void **state)
{
    struct bench *b = *state;
    submit(b, COMMAND_ENTER, 1, "alice", "");
    submit(b, COMMAND_SAY, 1, "", "early");
    assert_true(hub_thread_drain(b->hub, 0)); /* a thread that was not started is not waited for */
    start(b);
    settle(b);
    assert_int_equal(count_notes(b, EVENT_WELCOME, 1), 1);
    assert_string_equal(last_note(b, EVENT_MESSAGE, 1)->text, "early");
}

static void test_thread_that_was_never_started_ends(void **state)
{
    struct bench *b = *state;
    submit(b, COMMAND_ENTER, 1, "alice", "");
}

static void test_destroy_stores_and_hands_over_what_waits(void **state)
{
    struct bench *b = *state;
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    for (int i = 0; i < 1000; i++) {
        submit(b, COMMAND_SAY, 1, "", "words");
    }
    hub_thread_destroy(b->hub);
    assert_stored(b, 1000);
    hub_open(b);
    settle(b);
    assert_int_equal(count_notes(b, EVENT_MESSAGE, 1), 1000);
    assert_one_order(b, 1);
}

static void test_drain_means_stored_and_handed_over(void **state)
{
    struct bench *b = *state;
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    for (unsigned i = 1; i <= 50; i++) {
        submit(b, COMMAND_SAY, 1, "", "words");
        settle(b);
        assert_int_equal(count_notes(b, EVENT_MESSAGE, 1), i);
        assert_stored(b, i);
    }
}

static void test_backlog_is_told_until_it_is_worked_off(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 0; i < HUB_BACKLOG_MAX; i++) {
        assert_false(hub_thread_is_backlogged(b->hub));
        submit(b, COMMAND_SAY, 1, "", "of nobody");
    }
    assert_true(hub_thread_is_backlogged(b->hub));
    submit(b, COMMAND_ENTER, 1, "alice", "");
    start(b);
    settle(b);
    assert_false(hub_thread_is_backlogged(b->hub));
    assert_int_equal(count_notes(b, EVENT_WELCOME, 1), 1);
    assert_int_equal(count_notes(b, EVENT_MESSAGE, 0), 0);
}

static void test_what_was_said_before_is_shown_after_a_restart(void **state)
{
    struct bench *b = *state;
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    for (int i = 0; i < 8; i++) {
        submit(b, COMMAND_SAY, 1, "", "words");
    }
    submit(b, COMMAND_TOPIC, 1, "", "fish");
    hub_thread_destroy(b->hub);
    hub_open(b);
    submit(b, COMMAND_ENTER, 2, "bob", "");
    start(b);
    submit(b, COMMAND_SAY, 2, "", "after");
    settle(b);
    assert_int_equal(last_note(b, EVENT_ENTERED, 2)->recent_count, 5);
    assert_string_equal(last_note(b, EVENT_ENTERED, 2)->text, "fish");
    assert_int_equal(last_note(b, EVENT_MESSAGE, 2)->number, 10);
    assert_int_equal(last_note(b, EVENT_MESSAGE, 2)->seq, 10);
    assert_one_order(b, 1);
}

static void test_new_limits_hold_for_the_next_commands(void **state)
{
    struct bench *b = *state;
    const struct hub_limits limits = {.text_bytes = 4};
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    submit(b, COMMAND_SAY, 1, "", "12345");
    settle(b);
    assert_int_equal(count_notes(b, EVENT_ERROR, 1), 0);
    hub_thread_set_limits(b->hub, &limits, 5);
    settle(b);
    submit(b, COMMAND_SAY, 1, "", "12345");
    submit(b, COMMAND_SAY, 1, "", "1234");
    settle(b);
    assert_int_equal(count_notes(b, EVENT_ERROR, 1), 1);
    assert_int_equal(last_note(b, EVENT_ERROR, 1)->code, ERROR_TEXT_LONG);
    assert_int_equal(count_notes(b, EVENT_MESSAGE, 1), 2);
}

/* ---- where commands are run ---- */

static void test_single_command_is_run_where_it_comes_from_once_the_disk_was_quick(void **state)
{
    struct bench *b = *state;
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    settle(b);
    submit(b, COMMAND_SAY, 1, "", "by the hub's thread");
    settle(b);
    unsigned before = releases_here;
    submit(b, COMMAND_SAY, 1, "", "here");
    assert_int_equal(releases_here, before + 1);
    settle(b);
    assert_int_equal(count_notes(b, EVENT_MESSAGE, 1), 2);
    assert_stored(b, 2);
}

static void test_slow_disk_keeps_commands_off_the_thread_they_come_from(void **state)
{
    struct bench *b = *state;
    unsigned before = releases_here;
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    for (int i = 0; i < 20; i++) {
        submit(b, COMMAND_SAY, 1, "", "words");
        settle(b);
    }
    assert_int_equal(releases_here, before);
    assert_stored(b, 20);
}

/* ---- a log that fails ---- */

static void arm(enum fault_op op, int code, bool sticky)
{
    const struct fault_plan plan = {.ops = op, .fail_at = 1, .sticky = sticky, .code = code};
    fault_vfs_arm(&plan);
}

static void test_full_disk_refuses_messages_and_nothing_else_and_recovers(void **state)
{
    struct bench *b = *state;
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    submit(b, COMMAND_SAY, 1, "", "stored");
    settle(b);
    arm(FAULT_WRITE, SQLITE_FULL, true);
    for (int i = 0; i < 20; i++) {
        submit(b, COMMAND_SAY, 1, "", "refused");
    }
    submit(b, COMMAND_NICK, 1, "eve", "");
    submit(b, COMMAND_ENTER, 2, "bob", "");
    submit(b, COMMAND_TOPIC, 1, "", "refused");
    submit(b, COMMAND_PRIVATE, 1, "bob", "refused");
    settle(b);
    assert_int_equal(count_notes(b, EVENT_ERROR, 1), 22);
    assert_int_equal(last_note(b, EVENT_ERROR, 1)->code, ERROR_NOT_STORED);
    assert_int_equal(count_notes(b, EVENT_RENAMED, 1), 1);
    assert_int_equal(count_notes(b, EVENT_ENTERED, 2), 1);
    assert_int_equal(count_notes(b, EVENT_MESSAGE, 0), 1);
    assert_int_equal(count_notes(b, EVENT_TOPIC, 0) + count_notes(b, EVENT_PRIVATE_TO, 0), 0);
    assert_true(fault_vfs_disarm() > 0);
    submit(b, COMMAND_SAY, 2, "", "stored again");
    settle(b);
    assert_int_equal(count_notes(b, EVENT_MESSAGE, 0), 2);
    assert_one_order(b, 1);
    assert_stored(b, 2);
}

static void test_who_comes_after_a_failed_read_is_shown_what_was_said(void **state)
{
    struct bench *b = *state;
    static char words[901]; /* five are more than a page of the log */
    memset(words, 'w', sizeof(words) - 1);
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    for (int i = 0; i < 40; i++) {
        submit(b, COMMAND_SAY, 1, "", words);
    }
    hub_thread_destroy(b->hub);
    hub_open(b);
    arm(FAULT_READ, SQLITE_IOERR_READ, true);
    start(b);
    submit(b, COMMAND_ENTER, 2, "bob", "");
    settle(b);
    assert_true(fault_vfs_disarm() > 0);
    assert_int_equal(last_note(b, EVENT_ENTERED, 2)->recent_count, 0);
    submit(b, COMMAND_SAY, 2, "", "after");
    submit(b, COMMAND_ENTER, 3, "carol", "");
    settle(b);
    assert_true(last_note(b, EVENT_ENTERED, 3)->recent_count > 1);
}

static void test_failing_disk_keeps_commands_off_the_thread_they_come_from(void **state)
{
    struct bench *b = *state;
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    submit(b, COMMAND_SAY, 1, "", "stored");
    settle(b);
    arm(FAULT_WRITE, SQLITE_FULL, true);
    submit(b, COMMAND_SAY, 1, "", "refused");
    settle(b);
    unsigned before = releases_here;
    submit(b, COMMAND_SAY, 1, "", "refused");
    settle(b);
    assert_int_equal(releases_here, before);
    assert_int_equal(count_notes(b, EVENT_ERROR, 1), 2);
    assert_true(fault_vfs_disarm() > 0);
}

static void test_nothing_is_stored_any_more_after_a_failed_sync(void **state)
{
    struct bench *b = *state;
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    submit(b, COMMAND_SAY, 1, "", "stored");
    settle(b);
    arm(FAULT_SYNC, SQLITE_IOERR_FSYNC, false);
    submit(b, COMMAND_SAY, 1, "", "refused");
    settle(b);
    assert_int_equal(fault_vfs_disarm(), 1);
    for (int i = 0; i < 5; i++) {
        submit(b, COMMAND_SAY, 1, "", "refused");
        submit(b, COMMAND_ENTER, 10 + (uint64_t)i, "", "");
        settle(b);
    }
    assert_int_equal(count_notes(b, EVENT_ERROR, 1), 6);
    assert_int_equal(count_notes(b, EVENT_MESSAGE, 0), 1);
    assert_int_equal(count_notes(b, EVENT_ENTERED, 0), 6);
    assert_one_order(b, 1);
}

/* Each of the first writes fails once; whoever saw a message finds it in the log, and only them. */
static void test_whatever_write_fails_what_was_seen_is_what_is_stored(void **state)
{
    struct bench *b = *state;
    start(b);
    submit(b, COMMAND_ENTER, 1, "alice", "");
    settle(b);
    unsigned refused = 0, seen = 0;
    for (unsigned nth = 1; nth <= 60; nth++) {
        const struct fault_plan plan = {
            .ops = FAULT_WRITE, .fail_at = nth % 12 + 1, .code = SQLITE_IOERR_WRITE};
        fault_vfs_arm(&plan);
        for (unsigned i = 0; i < 3; i++) {
            submit(b, COMMAND_SAY, 1, "", "words");
            if (nth % 2) {
                settle(b);
            }
        }
        settle(b);
        (void)fault_vfs_disarm();
    }
    refused = (unsigned)count_notes(b, EVENT_ERROR, 1);
    seen = (unsigned)count_notes(b, EVENT_MESSAGE, 1);
    assert_int_equal(refused + seen, 180);
    assert_true(refused > 0 && seen > 0);
    assert_one_order(b, 1);
    assert_stored(b, seen);
}

int main(void)
{
    /* Every commit counts as quick, or none does. */
    static const int64_t quick = INT64_MAX, slow = 1;
    const struct CMUnitTest tests[] = {
#define ONE(test, name, quick_ns) {name, test, bench_setup, bench_teardown, (void *)(quick_ns)}
#define BOTH(test)                ONE(test, #test, &slow), ONE(test, #test "_run_where_they_come_from", &quick)
        BOTH(test_commands_of_many_threads_keep_the_order_of_each_session),
        BOTH(test_commands_before_the_start_wait_for_it),
        BOTH(test_thread_that_was_never_started_ends),
        BOTH(test_destroy_stores_and_hands_over_what_waits),
        BOTH(test_drain_means_stored_and_handed_over),
        BOTH(test_backlog_is_told_until_it_is_worked_off),
        BOTH(test_what_was_said_before_is_shown_after_a_restart),
        BOTH(test_new_limits_hold_for_the_next_commands),
        BOTH(test_full_disk_refuses_messages_and_nothing_else_and_recovers),
        BOTH(test_nothing_is_stored_any_more_after_a_failed_sync),
        BOTH(test_whatever_write_fails_what_was_seen_is_what_is_stored),
        ONE(test_single_command_is_run_where_it_comes_from_once_the_disk_was_quick,
            "test_single_command_is_run_where_it_comes_from_once_the_disk_was_quick", &quick),
        ONE(test_slow_disk_keeps_commands_off_the_thread_they_come_from,
            "test_slow_disk_keeps_commands_off_the_thread_they_come_from", &slow),
        ONE(test_who_comes_after_a_failed_read_is_shown_what_was_said,
            "test_who_comes_after_a_failed_read_is_shown_what_was_said", &quick),
        ONE(test_failing_disk_keeps_commands_off_the_thread_they_come_from,
            "test_failing_disk_keeps_commands_off_the_thread_they_come_from", &quick),
#undef BOTH
#undef ONE
    };
    fault_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
