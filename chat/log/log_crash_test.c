/* SPDX-License-Identifier: MIT */
#include "log/log_testing.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log/crash_vfs.h"
#include "log/data_dir.h"

/*
 * Power cuts. Every event that was acknowledged before the cut is there after it, in its place, and
 * none that was never written; the log opens without a false alarm. With synchronous=NORMAL, which
 * loses, the same test must find losses.
 */

#define SEEDS      300
#define CALLS_SPAN 700 /* the cut comes within so many writes and syncs */

static enum log_fault open_on_crash(const char *dir, const struct log_options *options,
                                    struct log **ret_log)
{
    char message[512] = "";
    return log_open_with(options, dir, ret_log, message, sizeof(message));
}

/* Writes until the power is gone. */
static void write_until_cut(struct log *log, struct test_writer *writer, uint64_t seed)
{
    for (uint64_t i = 0; !crash_vfs_is_cut(); i++) {
        enum log_fault fault = test_write_batch(log, writer, seed + i * 3);
        assert_true(fault == LOG_OK || crash_vfs_is_cut());
        if (i % 16 == 15) {
            log_checkpoint(log);
        }
    }
}

/* The side file is not synced: after the cut it is as it was written last, or was never there. */
static void salvage(const char *from, const char *to, uint64_t seed)
{
    crash_vfs_salvage(to);
    if (seed % 4 == 0) {
        return;
    }
    char line[128];
    int fd = open(test_path(from, DATA_FILE_SIDE), O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, line, sizeof(line));
    (void)close(fd);
    assert_true(len >= 0);
    fd = open(test_path(to, DATA_FILE_SIDE), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, line, (size_t)len), len);
    (void)close(fd);
}

/* Runs one life of a log up to a power cut. Returns: the last number that was acknowledged. */
static uint64_t live_and_cut(const char *dir, const struct log_options *options, uint64_t seed)
{
    struct log *log = NULL;
    struct test_writer writer = {0};
    crash_vfs_start(seed, (unsigned)(seed * 7919 % CALLS_SPAN) + 1);
    if (open_on_crash(dir, options, &log) == LOG_OK) {
        if (seed % 3) {
            /* Short, so that some runs outgrow it; the cut may fall into it too. */
            log_reserve_frames(log, 20);
        }
        write_until_cut(log, &writer, seed);
        log_close(log);
    }
    return writer.number;
}

/* Opens after a cut, and has the power cut again at some point of it, a few times. */
static void survive_cuts_while_opening(char **dir, const struct log_options *options, uint64_t seed)
{
    for (unsigned round = 0; round < 3; round++) {
        struct log *log = NULL;
        char *next = test_dir_create();
        crash_vfs_start(seed * 31 + round, (unsigned)(seed + round * 5) % 9 + 1);
        if (open_on_crash(*dir, options, &log) == LOG_OK) {
            crash_vfs_cut();
            log_close(log);
        }
        crash_vfs_cut();
        salvage(*dir, next, seed + round);
        test_dir_remove(*dir);
        *dir = next;
    }
}

static void test_power_cuts_lose_nothing_that_was_acknowledged(void **state)
{
    static const struct log_options options = {.vfs = CRASH_VFS_NAME};
    uint64_t acknowledged = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        char *dir = test_dir_create(), *after = test_dir_create();
        uint64_t number = live_and_cut(dir, &options, seed);
        salvage(dir, after, seed);
        if (seed % 2) {
            survive_cuts_while_opening(&after, &options, seed);
        }
        crash_vfs_start(seed, 0);
        struct log *log = NULL;
        assert_int_equal(open_on_crash(after, &options, &log), LOG_OK);
        /* The batch that met the cut may be there whole: nobody was told that it failed. */
        assert_in_range(log_last_number(log), number, number + 5);
        log_close(log);
        (void)test_check_log(after, number, number + 5);
        acknowledged += number;
        test_dir_remove(after);
        test_dir_remove(dir);
    }
    assert_true(acknowledged > SEEDS * 50);
    crash_vfs_finish();
}

/* An old database is of the old or of the new schema after a cut, never of something between. */
static void test_power_cuts_while_an_old_log_is_brought_up_to_date_lose_nothing(void **state)
{
    static const struct log_options options = {.vfs = CRASH_VFS_NAME};
    unsigned old = 0, cuts = 0;
    (void)state;
    for (unsigned at = 1; at <= 30; at++) {
        char *dir = test_dir_create(), *after = test_dir_create();
        struct log *log = NULL;
        test_make_old_log(dir);
        crash_vfs_start(at, at);
        (void)open_on_crash(dir, &options, &log);
        cuts += crash_vfs_is_cut();
        crash_vfs_cut();
        log_close(log);
        crash_vfs_salvage(after);
        int64_t version = test_ask_sql(after, "PRAGMA user_version");
        assert_true(version == 1 || version == 2);
        old += version == 1;

        crash_vfs_start(at, 0);
        assert_int_equal(open_on_crash(after, &options, &log), LOG_OK);
        assert_int_equal(log_last_number(log), 6);
        log_close(log);
        assert_int_equal(test_ask_sql(after, "SELECT count(*) FROM messages WHERE source = ''"), 5);
        test_dir_remove(after);
        test_dir_remove(dir);
    }
    assert_true(old > 0 && cuts > old);
    crash_vfs_finish();
}

static void test_the_same_cuts_do_lose_when_commits_are_not_synced(void **state)
{
    static const struct log_options options = {.vfs = CRASH_VFS_NAME, .sync_normal = true};
    unsigned losses = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS / 3; seed++) {
        char *dir = test_dir_create(), *after = test_dir_create();
        struct log *log = NULL;
        uint64_t number = live_and_cut(dir, &options, seed);
        salvage(dir, after, 0);
        crash_vfs_start(seed, 0);
        assert_int_equal(open_on_crash(after, &options, &log), LOG_OK);
        losses += log_last_number(log) < number;
        log_close(log);
        test_dir_remove(after);
        test_dir_remove(dir);
    }
    assert_true(losses > SEEDS / 6);
    crash_vfs_finish();
}

/*
 * A sync fails and the kernel marks the pages clean: they can be read, but are never written. The
 * next process must not build on them as if they were on the disk. Returns: how many runs lost what
 * the second process acknowledged.
 */
static unsigned lose_a_sync(const struct log_options *options)
{
    unsigned losses = 0;
    for (unsigned at = 1; at <= 40; at++) {
        char *dir = test_dir_create(), *after = test_dir_create();
        struct log *log = NULL;
        struct test_writer writer = {0}, next;
        crash_vfs_start(at, 0);
        assert_int_equal(open_on_crash(dir, options, &log), LOG_OK);
        crash_vfs_lose_sync(at);
        for (uint64_t i = 0; test_write_batch(log, &writer, 2) == LOG_OK; i++) {
            assert_true(i < 200);
            log_checkpoint(log);
        }
        log_close(log);

        assert_int_equal(open_on_crash(dir, options, &log), LOG_OK);
        /* The refused batch of three is there or is not; the writer goes on from what is. */
        next = writer;
        test_writer_go_on(&next, log_last_number(log));
        for (uint64_t i = 0; i < 5; i++) {
            assert_int_equal(test_write_batch(log, &next, i), LOG_OK);
        }
        crash_vfs_cut();
        log_close(log);
        crash_vfs_salvage(after);
        crash_vfs_start(at, 0);
        assert_int_equal(open_on_crash(after, options, &log), LOG_OK);
        losses += log_last_number(log) < next.number;
        log_close(log);
        test_dir_remove(after);
        test_dir_remove(dir);
    }
    crash_vfs_finish();
    return losses;
}

static void test_what_follows_a_lost_sync_and_a_restart_is_safe(void **state)
{
    static const struct log_options options = {.vfs = CRASH_VFS_NAME};
    (void)state;
    assert_int_equal(lose_a_sync(&options), 0);
}

static void test_without_emptying_the_wal_at_start_a_lost_sync_would_lose(void **state)
{
    static const struct log_options options = {.vfs = CRASH_VFS_NAME, .trust_wal = true};
    (void)state;
    assert_true(lose_a_sync(&options) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_cuts_lose_nothing_that_was_acknowledged),
        cmocka_unit_test(test_power_cuts_while_an_old_log_is_brought_up_to_date_lose_nothing),
        cmocka_unit_test(test_the_same_cuts_do_lose_when_commits_are_not_synced),
        cmocka_unit_test(test_what_follows_a_lost_sync_and_a_restart_is_safe),
        cmocka_unit_test(test_without_emptying_the_wal_at_start_a_lost_sync_would_lose),
    };
    crash_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
