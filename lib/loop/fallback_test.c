/* SPDX-License-Identifier: MIT */
/* What a loop does that is to use io_uring where there is none. */
#include <partyline/loop.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What creating a loop came to in a process that may not do all. */
struct outcome {
    int result;
    int log_lines;
    enum party_log_level level;
    char backend[16];
    char message[160];
};

static void keep_message(enum party_log_level level, const char *message, void *user)
{
    struct outcome *outcome = user;
    outcome->log_lines++;
    outcome->level = level;
    (void)snprintf(outcome->message, sizeof outcome->message, "%s", message);
}

/* From here on the system call fails with the error, in this process. Returns: whether it will. */
static bool refuse(long number, int error)
{
    struct sock_filter lines[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof lines / sizeof lines[0], .filter = lines};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void try_loop(struct outcome *outcome)
{
    struct party_loop_settings settings = {
        .backend = "io_uring", .log = keep_message, .log_user = outcome};
    struct party_loop *loop = NULL;
    outcome->result = party_loop_create(&settings, &loop);
    if (outcome->result == 0) {
        (void)snprintf(outcome->backend, sizeof outcome->backend, "%s", party_loop_backend(loop));
        outcome->result = party_loop_run_once(loop, 0);
    }
    party_loop_destroy(loop);
}

/* In a process of its own, as a filter cannot be taken off again. */
static struct outcome create_while_refused(long number, int error)
{
    struct outcome outcome = {0};
    int fds[2], status;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        if (refuse(number, error)) {
            try_loop(&outcome);
        } else {
            outcome.result = 1;
        }
        _exit(write(fds[1], &outcome, sizeof outcome) == (ssize_t)sizeof outcome ? 0 : 1);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &outcome, sizeof outcome), sizeof outcome);
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return outcome;
}

static void assert_falls_back(long number, int error, const char *why)
{
    char wanted[160];
#ifndef PARTY_HAVE_IO_URING
    why = "this library was built without it";
#endif
    (void)snprintf(wanted, sizeof wanted, "no io_uring (%s), the loop uses epoll instead", why);
    struct outcome outcome = create_while_refused(number, error);
    assert_int_equal(outcome.result, 0);
    assert_string_equal(outcome.backend, "epoll");
    assert_int_equal(outcome.log_lines, 1);
    assert_int_equal(outcome.level, PARTY_LOG_WARNING);
    assert_string_equal(outcome.message, wanted);
}

static void test_kernel_without_io_uring_gives_a_loop_on_epoll(void **state)
{
    (void)state;
    assert_falls_back(SYS_io_uring_setup, ENOSYS, "the kernel has no io_uring");
}

static void test_forbidden_io_uring_gives_a_loop_on_epoll(void **state)
{
    (void)state;
    const char *why = "not permitted: sysctl kernel.io_uring_disabled or a seccomp filter";
    assert_falls_back(SYS_io_uring_setup, EPERM, why);
    assert_falls_back(SYS_io_uring_setup, EACCES, why);
}

static void test_old_kernel_gives_a_loop_on_epoll(void **state)
{
    (void)state;
    assert_falls_back(SYS_io_uring_setup, EINVAL, "the kernel is older than 5.17");
}

static void test_lack_of_locked_memory_gives_a_loop_on_epoll(void **state)
{
    (void)state;
    assert_falls_back(SYS_io_uring_setup, ENOMEM,
                      "no memory for rings; before Linux 5.12 they count as locked (ulimit -l)");
}

#ifdef PARTY_HAVE_IO_URING

static void test_ring_that_cannot_be_restricted_gives_a_loop_on_epoll(void **state)
{
    (void)state;
    assert_falls_back(SYS_io_uring_register, EINVAL, "the kernel does not restrict rings");
}

static void test_lack_of_descriptors_is_an_error_and_no_reason_for_epoll(void **state)
{
    (void)state;
    struct outcome outcome = create_while_refused(SYS_io_uring_setup, EMFILE);
    assert_int_equal(outcome.result, -EMFILE);
    assert_int_equal(outcome.log_lines, 0);
}

#endif

static void test_loop_without_a_log_falls_back_in_silence(void **state)
{
    (void)state;
    struct party_loop_settings settings = {.backend = "io_uring"};
    struct party_loop *loop = NULL;
    assert_int_equal(party_loop_create(&settings, &loop), 0);
    assert_int_equal(party_loop_run_once(loop, 0), 0);
    party_loop_destroy(loop);
}

#ifdef PARTY_HAVE_IO_URING
static bool has_io_uring(void)
{
    struct outcome outcome = {0};
    try_loop(&outcome);
    return strcmp(outcome.backend, "io_uring") == 0;
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernel_without_io_uring_gives_a_loop_on_epoll),
        cmocka_unit_test(test_forbidden_io_uring_gives_a_loop_on_epoll),
        cmocka_unit_test(test_old_kernel_gives_a_loop_on_epoll),
        cmocka_unit_test(test_lack_of_locked_memory_gives_a_loop_on_epoll),
        cmocka_unit_test(test_loop_without_a_log_falls_back_in_silence),
#ifdef PARTY_HAVE_IO_URING
        cmocka_unit_test(test_lack_of_descriptors_is_an_error_and_no_reason_for_epoll),
        /* Needs rings to begin with. */
        cmocka_unit_test(test_ring_that_cannot_be_restricted_gives_a_loop_on_epoll),
#endif
    };
    size_t count = sizeof tests / sizeof tests[0];
#ifdef PARTY_HAVE_IO_URING
    count -= has_io_uring() ? 0 : 1;
#endif
    return _cmocka_run_group_tests("fallback", tests, count, NULL, NULL);
}
