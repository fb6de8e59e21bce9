/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/partyline.h>

/*
 * null_test HEADER: each public function of the header with NULL where its contract has none, in a
 * process of its own. With assertions that process ends and says which argument of which function
 * it was; without them the function returns what partyline.h promises. What may be NULL is
 * accepted. The calls are made from the headers (make_calls.py).
 */

struct null_call {
    const char *header;
    const char *function;
    const char *argument;
    bool is_accepted;
    bool (*call)(void); /* whether it returned what it should */
};

#ifdef NDEBUG
#define HAS_ASSERTIONS false
#else
#define HAS_ASSERTIONS true
#endif

#define EXIT_RIGHT 0
#define EXIT_WRONG 1

/* For the other arguments. Nothing looks at it, as NULL is looked for first. */
static _Alignas(16) char bytes[1 << 16];
static void *const something = bytes;

static void nothing(void)
{
}

#include "null_calls.h"

static const char *header;

/* Makes the call in a child. Returns: how that ended; what it said is in said. */
static int make(const struct null_call *call, char *said, size_t said_cap)
{
    int fds[2];
    int status;
    size_t len = 0;
    ssize_t n;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        static const struct rlimit none = {0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)dup2(fds[1], STDERR_FILENO);
        (void)alarm(20);
        _exit(call->call() ? EXIT_RIGHT : EXIT_WRONG);
    }
    (void)close(fds[1]);
    while ((n = read(fds[0], said + len, said_cap - 1 - len)) > 0) {
        len += (size_t)n;
    }
    said[len] = '\0';
    (void)close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool is_right(const struct null_call *call, int status, const char *said)
{
    if (call->is_accepted || !HAS_ASSERTIONS) {
        return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_RIGHT;
    }
    char wanted[256];
    (void)snprintf(wanted, sizeof(wanted), " %s: Assertion `%s != NULL' failed", call->function,
                   call->argument);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(said, wanted) != NULL;
}

static void test_null_is_refused_where_no_contract_allows_it(void **state)
{
    (void)state;
    size_t made = 0;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof(null_calls) / sizeof(null_calls[0]); i++) {
        const struct null_call *call = &null_calls[i];
        char said[4096];
        if (strcmp(call->header, header) != 0) {
            continue;
        }
        made++;
        int status = make(call, said, sizeof(said));
        if (!is_right(call, status, said)) {
            wrong++;
            print_error("%s with NULL for %s: status %#x: %s\n", call->function, call->argument,
                        (unsigned)status, said);
        }
    }
    assert_int_equal(wrong, 0);
    assert_true(made > 0);
}

int main(int argc, char **argv)
{
    header = argc > 1 ? argv[1] : "";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_is_refused_where_no_contract_allows_it),
    };
    return cmocka_run_group_tests_name(header, tests, NULL, NULL);
}
