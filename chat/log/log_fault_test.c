/* SPDX-License-Identifier: MIT */
#include "log/log_testing.h"

#include <sqlite3.h>
#include <string.h>

#include "log/fault_vfs.h"

/*
 * Disks that are full or break. Each scenario is run again and again, with the first call failing,
 * the second, the third and so on, once and for good. After each failure nothing of the refused
 * batch is to be seen, all that was acknowledged is there, and the log works again when the disk
 * does; unless it was a sync, after which it must not.
 */

#define FAIL_AT_MAX 60
#define BATCHES     70

static struct log *open_on_faults(const char *dir)
{
    static const struct log_options options = {.vfs = FAULT_VFS_NAME};
    struct log *log = NULL;
    char message[512] = "";
    enum log_fault fault = log_open_with(&options, dir, &log, message, sizeof(message));
    if (fault != LOG_OK) {
        fail_msg("log_open_with: %d: %s", fault, message);
    }
    return log;
}

/* What a reader finds: as many events in the rooms as were acknowledged, not one more. */
static void check_visible(struct reader *reader, const struct test_writer *writer)
{
    for (uint32_t room = 1; room <= TEST_ROOMS; room++) {
        struct event_list list = {0};
        struct history_query query = {.kind = HISTORY_LAST, .room_id = room, .count = 1};
        assert_int_equal(reader_history(reader, &query, &list, NULL), LOG_OK);
        assert_int_equal(list.count ? list.items[0]->seq : 0, writer->seqs[room]);
        event_list_finish(&list);
    }
}

static void check_fault(struct log *log, enum log_fault fault, const struct fault_plan *plan,
                        bool *stopped)
{
    assert_string_not_equal(log_message(log), "");
    if (plan->ops == FAULT_SYNC) {
        assert_int_equal(fault, LOG_STOPPED);
        *stopped = true;
    } else if (plan->code == SQLITE_FULL) {
        assert_int_equal(fault, LOG_NO_SPACE);
    } else {
        assert_int_equal(fault, LOG_IO);
    }
}

/* Writes batches while the plan is in force. Checkpoints come often, so that they meet faults too.
 */
static bool write_under(struct log *log, struct reader *reader, struct test_writer *writer,
                        const struct fault_plan *plan)
{
    bool stopped = false;
    for (uint64_t i = 0; i < BATCHES; i++) {
        enum log_fault fault = test_write_batch(log, writer, i * 7);
        if (fault != LOG_OK) {
            check_fault(log, fault, plan, &stopped);
            check_visible(reader, writer);
        } else {
            assert_false(stopped);
        }
        if (i % 3 == 2) {
            log_checkpoint(log);
        }
        assert_int_equal(log_last_number(log), writer->number);
    }
    return stopped;
}

/* Returns: whether the plan made anything fail at all. */
static bool run_plan(const struct fault_plan *plan)
{
    char message[512], *dir = test_dir_create();
    struct test_writer writer = {0};
    struct reader *reader = NULL;
    struct log *log = open_on_faults(dir);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(test_write_batch(log, &writer, i), LOG_OK);
    }
    assert_int_equal(reader_open(dir, &reader, message, sizeof(message)), LOG_OK);

    fault_vfs_arm(plan);
    bool stopped = write_under(log, reader, &writer, plan);
    unsigned failures = fault_vfs_disarm();
    check_visible(reader, &writer);
    uint64_t unknown = 0;
    if (plan->ops == FAULT_SYNC && failures) {
        /* Also when only a checkpoint met it and every commit was acknowledged. */
        assert_int_equal(test_write_batch(log, &writer, 4), LOG_STOPPED);
        unknown = stopped ? 5 : 0;
    } else {
        assert_int_equal(test_write_batch(log, &writer, 4), LOG_OK);
        check_visible(reader, &writer);
    }
    reader_close(reader);
    log_close(log);
    (void)test_check_log(dir, writer.number, writer.number + unknown);

    /* The next process works, whatever happened to this one. */
    log = open_on_faults(dir);
    assert_in_range(log_last_number(log), writer.number, writer.number + unknown);
    log_close(log);
    test_dir_remove(dir);
    return failures != 0;
}

static void run_all(struct fault_plan plan, unsigned least_hits)
{
    unsigned hits = 0;
    for (unsigned sticky = 0; sticky < 2; sticky++) {
        for (unsigned k = 1; k <= FAIL_AT_MAX; k++) {
            plan.fail_at = k;
            plan.sticky = sticky;
            hits += run_plan(&plan);
        }
    }
    /* The test would prove nothing if the faults were never met. */
    assert_true(hits >= least_hits);
}

static void test_full_disk_loses_nothing_and_heals(void **state)
{
    (void)state;
    run_all((struct fault_plan){.ops = FAULT_WRITE, .code = SQLITE_FULL}, 2 * FAIL_AT_MAX);
}

static void test_failed_write_loses_nothing_and_heals(void **state)
{
    (void)state;
    run_all((struct fault_plan){.ops = FAULT_WRITE, .code = SQLITE_IOERR_WRITE}, 2 * FAIL_AT_MAX);
}

static void test_failed_write_to_the_database_file_never_fails_a_commit(void **state)
{
    (void)state;
    char *dir = test_dir_create();
    struct test_writer writer = {0};
    struct log *log = open_on_faults(dir);
    struct fault_plan plan = {.ops = FAULT_WRITE | FAULT_TRUNCATE,
                              .fail_at = 1,
                              .sticky = true,
                              .code = SQLITE_FULL,
                              .only = ".db"};
    fault_vfs_arm(&plan);
    for (uint64_t i = 0; i < 600; i++) {
        assert_int_equal(test_write_batch(log, &writer, i), LOG_OK);
        log_checkpoint(log);
    }
    assert_true(fault_vfs_disarm() > 0);
    log_close(log);
    assert_int_equal(test_check_log(dir, writer.number, writer.number), writer.number);
    test_dir_remove(dir);
}

static void test_failed_sync_stops_the_log_for_good(void **state)
{
    (void)state;
    run_all((struct fault_plan){.ops = FAULT_SYNC, .code = SQLITE_IOERR_FSYNC}, 2 * FAIL_AT_MAX);
}

static void test_failed_sync_within_a_checkpoint_stops_the_log_too(void **state)
{
    (void)state;
    run_all((struct fault_plan){.ops = FAULT_SYNC, .code = SQLITE_IOERR_FSYNC, .only = ".db"}, 2);
}

static void test_failed_truncate_loses_nothing(void **state)
{
    (void)state;
    struct fault_plan plan = {.ops = FAULT_TRUNCATE, .fail_at = 1, .code = SQLITE_IOERR_TRUNCATE};
    (void)run_plan(&plan);
    plan.sticky = true;
    (void)run_plan(&plan);
}

static void test_shared_memory_that_cannot_grow_loses_nothing(void **state)
{
    (void)state;
    char *dir = test_dir_create();
    struct test_writer writer = {0};
    struct log *log = open_on_faults(dir);
    static const struct fault_plan plan = {
        .ops = FAULT_SHM, .fail_at = 1, .sticky = true, .code = SQLITE_IOERR_SHMSIZE};
    /* Its first 32 KiB hold 4,062 frames: a batch of more must make it grow. */
    char text[4096];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct event_list list = {0};
    for (uint64_t number = 1; number <= 5000; number++) {
        event_list_take(&list, test_event(EVENT_MESSAGE, 1, number, number, "alice", text));
    }
    fault_vfs_arm(&plan);
    assert_int_equal(log_commit(log, list.items, list.count), LOG_IO);
    assert_true(fault_vfs_disarm() > 0);
    event_list_finish(&list);
    assert_int_equal(test_write_batch(log, &writer, 3), LOG_OK);
    log_close(log);
    assert_int_equal(test_check_log(dir, writer.number, writer.number), writer.number);
    test_dir_remove(dir);
}

/* A log that opens on a full disk: history can be read, and storing begins when there is room. */
static void test_full_disk_at_start_only_delays_storing(void **state)
{
    (void)state;
    char *dir = test_dir_create(), *copy = test_dir_create();
    struct test_writer writer = {0};
    struct event_list list = {0};
    struct log *log = open_on_faults(dir);
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(test_write_batch(log, &writer, i), LOG_OK);
    }
    test_copy_log(dir, copy);
    log_close(log);

    static const struct fault_plan plan = {
        .ops = FAULT_WRITE, .fail_at = 1, .sticky = true, .code = SQLITE_FULL};
    fault_vfs_arm(&plan);
    log = open_on_faults(copy);
    assert_int_equal(log_recent(log, 1, 5, &list), LOG_OK);
    assert_int_equal(list.count, 5);
    assert_int_equal(test_write_batch(log, &writer, 1), LOG_NO_SPACE);
    (void)fault_vfs_disarm();
    assert_int_equal(test_write_batch(log, &writer, 1), LOG_OK);
    log_close(log);
    assert_int_equal(test_check_log(copy, writer.number, writer.number), writer.number);
    event_list_finish(&list);
    test_dir_remove(copy);
    test_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_disk_loses_nothing_and_heals),
        cmocka_unit_test(test_failed_write_loses_nothing_and_heals),
        cmocka_unit_test(test_failed_write_to_the_database_file_never_fails_a_commit),
        cmocka_unit_test(test_failed_sync_stops_the_log_for_good),
        cmocka_unit_test(test_failed_sync_within_a_checkpoint_stops_the_log_too),
        cmocka_unit_test(test_failed_truncate_loses_nothing),
        cmocka_unit_test(test_shared_memory_that_cannot_grow_loses_nothing),
        cmocka_unit_test(test_full_disk_at_start_only_delays_storing),
    };
    fault_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
