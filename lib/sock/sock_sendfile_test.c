/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "sock/sock_script_test_util.h"
#include "sock/sock_test_util.h"

/* sendfile (which is sendfile64 where off_t has 64 bits), read and send are wrapped: they are the
   real ones unless a script is played. */

ssize_t __real_sendfile64(int out, int in, off_t *offset, size_t count);
ssize_t __wrap_sendfile64(int out, int in, off_t *offset, size_t count);
ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);

static bool refuses_sendfile; /* as the kernel does for pipes */
static int sendfile_calls;
static int failing_reads; /* so many of the next ones fail with read_error */
static int read_error;

ssize_t __wrap_sendfile64(int out, int in, off_t *offset, size_t count)
{
    sendfile_calls++;
    if (refuses_sendfile) {
        errno = EINVAL;
        return -1;
    }
    expected_events = POLLOUT;
    return has_script ? take_step(STEP_CALL) : __real_sendfile64(out, in, offset, count);
}

ssize_t __wrap_read(int fd, void *buf, size_t len)
{
    if (failing_reads > 0) {
        failing_reads--;
        errno = read_error;
        return -1;
    }
    return __real_read(fd, buf, len);
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
    assert_int_equal(flags & MSG_NOSIGNAL, MSG_NOSIGNAL);
    expected_events = POLLOUT;
    return has_script ? take_step(STEP_CALL) : __real_send(fd, buf, len, flags);
}

#define FILE_BYTES 300000

/* Byte at of the file; its period is no power of two, so that no shift goes unnoticed. */
static char file_byte(size_t at)
{
    return (char)(at % 251);
}

static int make_file(size_t len)
{
    int fd = memfd_create("sendfile", MFD_CLOEXEC);
    assert_int_not_equal(fd, -1);
    char *bytes = malloc(len + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = file_byte(i);
    }
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    free(bytes);
    return fd;
}

/* Reads to the end of the stream in a thread and says how much was right. */
struct reader {
    struct party_sock *sock;
    pthread_t thread;
    size_t start; /* of what is to come, in the file */
    size_t count;
    bool is_right;
};

static void *read_all(void *arg)
{
    struct reader *reader = arg;
    char buf[8192];
    ssize_t n;
    reader->is_right = true;
    while ((n = party_sock_recv(reader->sock, buf, sizeof(buf), 0)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            reader->is_right =
                reader->is_right && buf[i] == file_byte(reader->start + reader->count + (size_t)i);
        }
        reader->count += (size_t)n;
    }
    return NULL;
}

/* Sends a part of a file and looks at what comes, and where the file is afterwards. */
static void check_part(int64_t timeout_ms, int64_t offset, int64_t count, size_t start, size_t len)
{
    struct party_sock *a;
    int fd = make_file(FILE_BYTES);
    int64_t sent = -1;
    struct reader reader = {.start = start};
    test_pair(SOCK_STREAM, &a, &reader.sock);
    assert_result(party_sock_settimeout(a, timeout_ms), 0);
    assert_int_equal(lseek(fd, 1000, SEEK_SET), 1000);
    assert_int_equal(pthread_create(&reader.thread, NULL, read_all, &reader), 0);
    assert_result(party_sock_sendfile(a, fd, offset, count, &sent), 0);
    party_sock_close(a);
    assert_int_equal(pthread_join(reader.thread, NULL), 0);
    assert_int_equal(sent, len);
    assert_int_equal(reader.count, len);
    assert_true(reader.is_right);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), start + len);
    party_sock_close(reader.sock);
    close(fd);
}

static void check_parts(int64_t timeout_ms)
{
    check_part(timeout_ms, 0, -1, 0, FILE_BYTES);
    check_part(timeout_ms, 0, FILE_BYTES, 0, FILE_BYTES);
    check_part(timeout_ms, 0, FILE_BYTES - 1, 0, FILE_BYTES - 1);
    check_part(timeout_ms, 7, 100000, 7, 100000);
    check_part(timeout_ms, 7, 0, 7, 0);
    check_part(timeout_ms, -1, -1, 1000, FILE_BYTES - 1000);
    check_part(timeout_ms, -1, 5, 1000, 5);
    /* Beyond the end there is nothing, and that is no error. */
    check_part(timeout_ms, FILE_BYTES - 1, INT64_MAX, FILE_BYTES - 1, 1);
    check_part(timeout_ms, FILE_BYTES, 5, FILE_BYTES, 0);
    check_part(timeout_ms, FILE_BYTES + 5, -1, FILE_BYTES + 5, 0);
}

static void test_parts_of_a_file_arrive(void **state)
{
    (void)state;
    refuses_sendfile = false;
    check_parts(-1);
    check_parts(TEST_LONG_MS);
}

static void test_parts_arrive_where_the_kernel_refuses(void **state)
{
    (void)state;
    refuses_sendfile = true;
    sendfile_calls = 0;
    check_parts(-1);
    check_parts(TEST_LONG_MS);
    refuses_sendfile = false;
    /* It is asked once for each file that has something to send, not for each chunk. */
    assert_int_equal(sendfile_calls, 18);
}

struct writer {
    int fd;
    pthread_t thread;
};

static void *write_all(void *arg)
{
    struct writer *writer = arg;
    for (size_t at = 0; at < FILE_BYTES; at++) {
        char c = file_byte(at);
        if (write(writer->fd, &c, 1) != 1) {
            break;
        }
    }
    close(writer->fd);
    return NULL;
}

static void check_pipe(int64_t timeout_ms, int64_t offset, int64_t count, size_t len)
{
    int ends[2];
    int64_t sent = -1;
    struct party_sock *a;
    struct reader reader = {.start = 0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct writer writer = {.fd = ends[1]};
    test_pair(SOCK_STREAM, &a, &reader.sock);
    assert_result(party_sock_settimeout(a, timeout_ms), 0);
    assert_int_equal(pthread_create(&writer.thread, NULL, write_all, &writer), 0);
    assert_int_equal(pthread_create(&reader.thread, NULL, read_all, &reader), 0);
    assert_result(party_sock_sendfile(a, ends[0], offset, count, &sent), 0);
    party_sock_close(a);
    /* What it was not to take is still there. */
    char c;
    size_t left = 0;
    while (read(ends[0], &c, 1) == 1) {
        assert_int_equal(c, file_byte(len + left));
        left++;
    }
    assert_int_equal(pthread_join(writer.thread, NULL), 0);
    assert_int_equal(pthread_join(reader.thread, NULL), 0);
    assert_int_equal(sent, len);
    assert_int_equal(reader.count, len);
    assert_int_equal(len + left, FILE_BYTES);
    assert_true(reader.is_right);
    party_sock_close(reader.sock);
    close(ends[0]);
}

static void test_pipe_is_copied(void **state)
{
    (void)state;
    check_pipe(-1, 0, -1, FILE_BYTES);
    check_pipe(-1, -1, 12345, 12345);
    check_pipe(TEST_LONG_MS, 0, -1, FILE_BYTES);
}

static void test_file_of_the_kernels_is_sent_though_it_has_no_size(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    char wanted[256];
    char got[256];
    int64_t sent = -1;
    int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    assert_int_not_equal(fd, -1);
    ssize_t n = read(fd, wanted, sizeof(wanted));
    assert_true(n > 0);
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_sendfile(a, fd, 0, -1, &sent), 0);
    assert_int_equal(sent, n);
    test_recv_exactly(b, got, (size_t)n);
    assert_memory_equal(got, wanted, (size_t)n);
    close(fd);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_without_waiting_it_says_how_far_it_came(void **state)
{
    (void)state;
    for (int refuses = 0; refuses < 2; refuses++) {
        struct party_sock *a;
        int fd = make_file(FILE_BYTES * 10);
        int64_t sent = -1;
        struct reader reader = {.start = 0};
        refuses_sendfile = refuses == 1;
        test_pair(SOCK_STREAM, &a, &reader.sock);
        assert_result(party_sock_settimeout(a, 0), 0);
        assert_int_equal(party_sock_sendfile(a, fd, 0, -1, &sent), -EAGAIN);
        assert_true(sent > 0 && sent < FILE_BYTES * 10);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), sent);
        /* The rest follows from there. */
        int64_t rest = -1;
        assert_result(party_sock_settimeout(a, -1), 0);
        assert_int_equal(pthread_create(&reader.thread, NULL, read_all, &reader), 0);
        assert_result(party_sock_sendfile(a, fd, -1, -1, &rest), 0);
        party_sock_close(a);
        assert_int_equal(pthread_join(reader.thread, NULL), 0);
        assert_int_equal(sent + rest, FILE_BYTES * 10);
        assert_int_equal(reader.count, FILE_BYTES * 10);
        assert_true(reader.is_right);
        party_sock_close(reader.sock);
        close(fd);
    }
    refuses_sendfile = false;
}

static void test_empty_pipe_is_waited_for_as_the_timeout_says(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    int ends[2];
    int64_t sent = -1;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_settimeout(a, 0), 0);
    assert_int_equal(party_sock_sendfile(a, ends[0], 0, -1, &sent), -EAGAIN);
    assert_int_equal(sent, 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_result(party_sock_settimeout(a, 1), 0);
    assert_int_equal(party_sock_sendfile(a, ends[0], 0, -1, &sent), PARTY_ETIMEOUT);
    assert_int_equal(sent, 3);
    char buf[3];
    test_recv_exactly(b, buf, 3);
    assert_memory_equal(buf, "abc", 3);
    close(ends[0]);
    close(ends[1]);
    party_sock_close(a);
    party_sock_close(b);
}

/* Sends "abc" through a pipe whose first reads fail. */
static void check_failing_read(int error, int times, int64_t timeout_ms, int wanted, int64_t len)
{
    struct party_sock *a;
    struct party_sock *b;
    int ends[2];
    int64_t sent = -1;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    close(ends[1]);
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_settimeout(a, timeout_ms), 0);
    read_error = error;
    failing_reads = times;
    assert_result(party_sock_sendfile(a, ends[0], 0, -1, &sent), wanted);
    failing_reads = 0;
    assert_int_equal(sent, len);
    close(ends[0]);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_failing_reads_are_made_again_or_told(void **state)
{
    (void)state;
    check_failing_read(EINTR, 2, -1, 0, 3);
    check_failing_read(EINTR, 2, 0, 0, 3);
    /* Another reader of the pipe was faster: there will be more. */
    check_failing_read(EAGAIN, 2, -1, 0, 3);
    check_failing_read(EAGAIN, 2, TEST_LONG_MS, 0, 3);
    check_failing_read(EAGAIN, 1, 0, -EAGAIN, 0);
    check_failing_read(EIO, 1, -1, -EIO, 0);
}

static _Atomic int sigpipe_count;

static void count_sigpipe(int signal_number)
{
    (void)signal_number;
    atomic_fetch_add(&sigpipe_count, 1);
}

static bool is_sigpipe_blocked(void)
{
    sigset_t mask;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    return sigismember(&mask, SIGPIPE) == 1;
}

static void test_gone_peer_is_an_error_not_a_signal(void **state)
{
    (void)state;
    struct sigaction counting = {.sa_handler = count_sigpipe};
    struct sigaction before;
    assert_int_equal(sigaction(SIGPIPE, &counting, &before), 0);
    struct party_address at;
    int fd = make_file(FILE_BYTES);
    int64_t sent = -1;
    struct party_sock *a;
    struct party_sock *b;
    for (int refuses = 0; refuses < 2; refuses++) {
        refuses_sendfile = refuses == 1;
        test_pair(SOCK_STREAM, &a, &b);
        party_sock_close(b);
        assert_int_equal(party_sock_sendfile(a, fd, 0, -1, &sent), -EPIPE);
        assert_int_equal(sent, 0);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
        party_sock_close(a);
    }
    refuses_sendfile = false;
    /* TCP: what is shut down for writing raises it, too. */
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &at);
    a = test_client(&at);
    assert_result(party_sock_shutdown(a, SHUT_WR), 0);
    assert_int_equal(party_sock_sendfile(a, fd, 0, -1, &sent), -EPIPE);
    assert_int_equal(atomic_load(&sigpipe_count), 0);
    assert_false(is_sigpipe_blocked());
    /* One that was waiting before stays. */
    sigset_t sigpipe;
    sigset_t mask;
    (void)sigemptyset(&sigpipe);
    (void)sigaddset(&sigpipe, SIGPIPE);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &sigpipe, &mask), 0);
    assert_int_equal(raise(SIGPIPE), 0);
    assert_int_equal(party_sock_sendfile(a, fd, 0, -1, &sent), -EPIPE);
    assert_true(is_sigpipe_blocked());
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
    assert_int_equal(atomic_load(&sigpipe_count), 1);
    assert_int_equal(sigaction(SIGPIPE, &before, NULL), 0);
    close(fd);
    party_sock_close(a);
    party_sock_close(server);
}

static void test_wrong_arguments_are_refused(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    int ends[2];
    int64_t sent = -1;
    int fd = make_file(10);
    test_pair(SOCK_STREAM, &a, &b);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(party_sock_sendfile(a, fd, -2, -1, &sent), -EINVAL);
    assert_int_equal(sent, 0);
    assert_int_equal(party_sock_sendfile(a, fd, 0, -2, &sent), -EINVAL);
    assert_int_equal(party_sock_sendfile(a, -1, 0, -1, &sent), -EBADF);
    assert_int_equal(party_sock_sendfile(a, ends[0], 1, -1, &sent), -ESPIPE);
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(party_sock_sendfile(a, directory, 0, -1, &sent), -EISDIR);
    int write_only = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_int_equal(party_sock_sendfile(a, write_only, 0, -1, &sent), -EBADF);
    close(write_only);
    close(directory);
    party_sock_close(a);
    party_sock_close(b);
    test_pair(SOCK_DGRAM, &a, &b);
    assert_int_equal(party_sock_sendfile(a, fd, 0, -1, &sent), -EINVAL);
    party_sock_close(a);
    party_sock_close(b);
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

static void play_sendfile(const struct step *script, int64_t timeout_ms, int wanted,
                          int64_t wanted_sent)
{
    int fd = make_file(100);
    int64_t sent = -1;
    struct party_sock sock = {.fd = -1, .type = SOCK_STREAM, .timeout_ms = timeout_ms};
    party_sock_set_interrupt(&sock, take_interrupt, &sock);
    play(script);
    assert_result(party_sock_sendfile(&sock, fd, 0, 100, &sent), wanted);
    assert_played_out();
    assert_int_equal(sent, wanted_sent);
    close(fd);
}

static void test_one_deadline_for_all_of_it(void **state)
{
    (void)state;
    static const struct step late[] = {{STEP_CALL, 10, 0, 10000},
                                       {STEP_INTERRUPT, 0, 0, 0},
                                       {STEP_CALL, -EAGAIN, 0, 0},
                                       {STEP_POLL, 1, 90, 50000},
                                       {STEP_CALL, 20, 0, 0},
                                       {STEP_INTERRUPT, 0, 0, 0},
                                       {STEP_CALL, -EINTR, 0, 0},
                                       {STEP_INTERRUPT, 0, 0, 0},
                                       {STEP_CALL, -EAGAIN, 0, 0},
                                       {STEP_POLL, -EINTR, 40, 30000},
                                       {STEP_INTERRUPT, 0, 0, 0},
                                       {STEP_POLL, 0, 10, 10000},
                                       {0}};
    static const struct step done[] = {{STEP_CALL, 60, 0, 0},     {STEP_INTERRUPT, 0, 0, 0},
                                       {STEP_CALL, -EINTR, 0, 0}, {STEP_INTERRUPT, 0, 0, 0},
                                       {STEP_CALL, 40, 0, 0},     {0}};
    static const struct step ended[] = {
        {STEP_CALL, 60, 0, 0}, {STEP_INTERRUPT, 0, 0, 0}, {STEP_CALL, 0, 0, 0}, {0}};
    static const struct step stopped[] = {{STEP_CALL, 60, 0, 0},
                                          {STEP_INTERRUPT, 0, 0, 0},
                                          {STEP_CALL, -EINTR, 0, 0},
                                          {STEP_INTERRUPT, -9, 0, 0},
                                          {0}};
    play_sendfile(late, 100, PARTY_ETIMEOUT, 30);
    play_sendfile(done, -1, 0, 100);
    play_sendfile(ended, -1, 0, 60);
    play_sendfile(stopped, -1, -9, 60);
}

static void test_interrupt_function_ends_it_between_its_parts(void **state)
{
    (void)state;
    /* Neither sendfile(2) nor send(2) reports EINTR when bytes went before the signal came. */
    static const struct step by_kernel[] = {{STEP_CALL, 60, 0, 0}, {STEP_INTERRUPT, -9, 0, 0}, {0}};
    static const struct step by_copying[] = {
        {STEP_CALL, -EINVAL, 0, 0}, {STEP_CALL, 60, 0, 0}, {STEP_INTERRUPT, -9, 0, 0}, {0}};
    play_sendfile(by_kernel, -1, -9, 60);
    play_sendfile(by_copying, -1, -9, 60);
    /* Its code is never taken for the kernel's refusal. */
    static const struct step same_code[] = {
        {STEP_CALL, -EINTR, 0, 0}, {STEP_INTERRUPT, -EINVAL, 0, 0}, {0}};
    play_sendfile(same_code, -1, -EINVAL, 0);
}

static void test_refusals_lead_to_copying_and_other_errors_end_it(void **state)
{
    (void)state;
    static const int refusals[] = {EINVAL, ENOSYS, EOPNOTSUPP, ESPIPE};
    static const int errors[] = {EIO,      ENOMEM,       EOVERFLOW, ECONNRESET,
                                 ENOTCONN, EHOSTUNREACH, ETIMEDOUT, ENOBUFS};
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct step copied[] = {{STEP_CALL, -refusals[i], 0, 0},
                                      {STEP_CALL, 30, 0, 0}, /* send from here on */
                                      {STEP_INTERRUPT, 0, 0, 0},
                                      {STEP_CALL, -EINTR, 0, 0},
                                      {STEP_INTERRUPT, 0, 0, 0},
                                      {STEP_CALL, 70, 0, 0},
                                      {0}};
        const struct step failed[] = {{STEP_CALL, -refusals[i], 0, 0},
                                      {STEP_CALL, 30, 0, 0},
                                      {STEP_INTERRUPT, 0, 0, 0},
                                      {STEP_CALL, -ECONNRESET, 0, 0},
                                      {0}};
        /* Once it has sent, it is no refusal any more. */
        const struct step late[] = {
            {STEP_CALL, 50, 0, 0}, {STEP_INTERRUPT, 0, 0, 0}, {STEP_CALL, -refusals[i], 0, 0}, {0}};
        play_sendfile(copied, -1, 0, 100);
        play_sendfile(failed, -1, -ECONNRESET, 30);
        play_sendfile(late, -1, -refusals[i], 50);
    }
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        const struct step script[] = {
            {STEP_CALL, 50, 0, 0}, {STEP_INTERRUPT, 0, 0, 0}, {STEP_CALL, -errors[i], 0, 0}, {0}};
        play_sendfile(script, -1, -errors[i], 50);
        play_sendfile(script + 2, 100, -errors[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_of_a_file_arrive),
        cmocka_unit_test(test_parts_arrive_where_the_kernel_refuses),
        cmocka_unit_test(test_pipe_is_copied),
        cmocka_unit_test(test_file_of_the_kernels_is_sent_though_it_has_no_size),
        cmocka_unit_test(test_without_waiting_it_says_how_far_it_came),
        cmocka_unit_test(test_empty_pipe_is_waited_for_as_the_timeout_says),
        cmocka_unit_test(test_failing_reads_are_made_again_or_told),
        cmocka_unit_test(test_gone_peer_is_an_error_not_a_signal),
        cmocka_unit_test(test_wrong_arguments_are_refused),
        cmocka_unit_test(test_one_deadline_for_all_of_it),
        cmocka_unit_test(test_interrupt_function_ends_it_between_its_parts),
        cmocka_unit_test(test_refusals_lead_to_copying_and_other_errors_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
