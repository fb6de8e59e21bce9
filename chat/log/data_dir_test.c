/* SPDX-License-Identifier: MIT */
#include "log/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/log_testing.h"

static int setup(void **state)
{
    *state = test_dir_create();
    return 0;
}

static int teardown(void **state)
{
    test_dir_remove(*state);
    return 0;
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void assert_refused(const char *dir, const char *in_message)
{
    struct log *log = NULL;
    char message[512] = "";
    assert_int_equal(log_open(dir, &log, message, sizeof(message)), LOG_PERMISSION);
    assert_null(log);
    assert_non_null(strstr(message, in_message));
}

static const char *const all_names[] = {DATA_FILE_DB, DATA_FILE_WAL, DATA_FILE_SHM, DATA_FILE_SIDE,
                                        DATA_FILE_LOCK};
#define NAMES (sizeof(all_names) / sizeof(all_names[0]))

/* An earlier round may have made the file before it was refused for another one. */
static const char *free_name(const char *dir, const char *name)
{
    const char *path = test_path(dir, name);
    (void)unlink(path);
    return path;
}

/* The umask is of the whole process; the tests of this file run one after the other. */
static void test_directory_and_files_are_for_us_alone_whatever_the_umask(void **state)
{
    static const mode_t masks[] = {0, 0022, 0277};
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "data%zu", i);
        char *dir = strdup(test_path(*state, name));
        mode_t old = umask(masks[i] & 0077);
        struct log *log = test_open(dir);
        (void)umask(masks[i]);
        test_fill(log, 1);
        (void)umask(old);
        assert_int_equal(mode_of(dir), 0700);
        for (size_t j = 0; j < NAMES; j++) {
            assert_int_equal(mode_of(test_path(dir, all_names[j])), 0600);
        }
        log_close(log);
        test_dir_remove(dir);
    }
}

static void test_restored_files_with_open_modes_are_closed_again(void **state)
{
    log_close(test_open(*state));
    assert_int_equal(chmod(test_path(*state, DATA_FILE_DB), 0644), 0);
    assert_int_equal(chmod(test_path(*state, DATA_FILE_SIDE), 0666), 0);
    log_close(test_open(*state));
    assert_int_equal(mode_of(test_path(*state, DATA_FILE_DB)), 0600);
    assert_int_equal(mode_of(test_path(*state, DATA_FILE_SIDE)), 0600);
}

static void test_symbolic_links_are_not_followed(void **state)
{
    char *target = strdup(test_path(*state, "target"));
    for (size_t i = 0; i < NAMES; i++) {
        const char *path = free_name(*state, all_names[i]);
        assert_int_equal(symlink(target, path), 0);
        assert_refused(*state, all_names[i]);
        assert_int_equal(access(target, F_OK), -1); /* It was not made through the link. */
        assert_int_equal(unlink(path), 0);
    }
    free(target);
}

static void test_links_to_a_file_that_is_there_leave_it_alone(void **state)
{
    char *target = strdup(test_path(*state, "target"));
    int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "mine", 4), 4);
    (void)close(fd);
    for (size_t i = 0; i < NAMES; i++) {
        const char *path = free_name(*state, all_names[i]);
        assert_int_equal(symlink(target, path), 0);
        assert_refused(*state, all_names[i]);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(link(target, path), 0);
        assert_refused(*state, all_names[i]);
        assert_int_equal(unlink(path), 0);
    }
    struct stat st;
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(st.st_mode & 07777, 0644);
    free(target);
}

static void test_fifos_and_directories_in_place_of_files_are_refused(void **state)
{
    for (size_t i = 0; i < NAMES; i++) {
        const char *path = free_name(*state, all_names[i]);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_refused(*state, all_names[i]);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_refused(*state, all_names[i]);
        assert_int_equal(rmdir(path), 0);
    }
    log_close(test_open(*state));
}

static void test_files_of_another_user_are_refused(void **state)
{
    log_close(test_open(*state));
    assert_int_equal(chown(test_path(*state, DATA_FILE_DB), 12345, 12345), 0);
    assert_refused(*state, "another user");
    assert_int_equal(chown(test_path(*state, DATA_FILE_DB), 0, 0), 0);
    assert_int_equal(chown(*state, 12345, 12345), 0);
    assert_refused(*state, "12345");
    assert_int_equal(chown(*state, 0, 0), 0);
}

static void test_directory_that_others_may_write_is_refused(void **state)
{
    assert_int_equal(chmod(*state, 0777), 0);
    assert_refused(*state, "0777");
    assert_int_equal(chmod(*state, 0755), 0);
    log_close(test_open(*state));
    assert_int_equal(mode_of(*state), 0755); /* It was there before us: its mode is not ours. */
}

static void test_directory_may_be_reached_by_a_symbolic_link(void **state)
{
    char *real = strdup(test_path(*state, "real")), *link = strdup(test_path(*state, "link"));
    struct reader *reader = NULL;
    char message[512];
    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(symlink(real, link), 0);
    struct log *log = test_open(link);
    test_fill(log, 1);
    assert_int_equal(reader_open(link, &reader, message, sizeof(message)), LOG_OK);
    reader_close(reader);
    log_close(log);
    assert_int_equal(access(test_path(real, DATA_FILE_DB), F_OK), 0);
    assert_int_equal(unlink(link), 0);
    test_dir_remove(real);
    free(link);
}

static void test_directory_without_a_parent_is_refused_by_name(void **state)
{
    assert_refused(test_path(*state, "no/such"), "no/such");
}

static void test_parents_are_made_for_us_alone_and_those_there_are_left(void **state)
{
    char *dir = strdup(test_path(*state, "state/of/partyline"));
    mode_t before = mode_of(*state);
    assert_int_equal(data_dir_make_parents(dir), 0);
    assert_int_equal(data_dir_make_parents(dir), 0);
    assert_int_equal(access(dir, F_OK), -1); /* That one is for data_dir_init. */
    assert_int_equal(mode_of(test_path(*state, "state/of")), 0700);
    assert_int_equal(mode_of(*state), before);
    log_close(test_open(dir));
    test_dir_remove(dir);
    assert_int_equal(rmdir(test_path(*state, "state/of")), 0);
    assert_int_equal(rmdir(test_path(*state, "state")), 0);
}

static void test_parents_below_a_file_are_refused(void **state)
{
    int fd = open(test_path(*state, "file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_not_equal(fd, -1);
    (void)close(fd);
    assert_int_equal(data_dir_make_parents(test_path(*state, "file/below/partyline")), -ENOTDIR);
}

static void test_no_descriptor_is_left_behind(void **state)
{
    int before = dup(0);
    (void)close(before);
    struct log *log = test_open(*state), *second = NULL;
    char message[512];
    assert_int_equal(log_open(*state, &second, message, sizeof(message)), LOG_BUSY_DIR);
    test_fill(log, 3);
    log_close(log);
    int after = dup(0);
    (void)close(after);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define DIR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        DIR_TEST(test_directory_and_files_are_for_us_alone_whatever_the_umask),
        DIR_TEST(test_restored_files_with_open_modes_are_closed_again),
        DIR_TEST(test_symbolic_links_are_not_followed),
        DIR_TEST(test_links_to_a_file_that_is_there_leave_it_alone),
        DIR_TEST(test_fifos_and_directories_in_place_of_files_are_refused),
        DIR_TEST(test_directory_that_others_may_write_is_refused),
        DIR_TEST(test_directory_may_be_reached_by_a_symbolic_link),
        DIR_TEST(test_directory_without_a_parent_is_refused_by_name),
        DIR_TEST(test_parents_are_made_for_us_alone_and_those_there_are_left),
        DIR_TEST(test_parents_below_a_file_are_refused),
        DIR_TEST(test_no_descriptor_is_left_behind),
        /* The last one needs root; cmocka 1.1.5 reports a skip in a way that reads as a failure. */
        DIR_TEST(test_files_of_another_user_are_refused),
    };
    size_t count = sizeof(tests) / sizeof(tests[0]) - (geteuid() == 0 ? 0 : 1);
    return _cmocka_run_group_tests("data_dir", tests, count, NULL, NULL);
}
