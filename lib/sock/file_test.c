/* SPDX-License-Identifier: MIT */
#include <partyline/file.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fail_malloc.h"
#include "sock/file_test_util.h"

static bool fopencookie_fails;

FILE *__real_fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions);
FILE *__wrap_fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions);

FILE *__wrap_fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions)
{
    if (fopencookie_fails) {
        errno = ENOMEM;
        return NULL;
    }
    return __real_fopencookie(cookie, mode, functions);
}

/* ---- modes ---- */

static void test_makefile_takes_pythons_modes(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        bool reads;
        bool writes;
    } rows[] = {
        {"r", true, false}, {"", true, false},   {"rb", true, false}, {"b", true, false},
        {"w", false, true}, {"wb", false, true}, {"bw", false, true}, {"rw", true, true},
        {"wr", true, true}, {"rwb", true, true}, {"brw", true, true}, {"rrw", true, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct test_connection c = test_file(rows[i].mode);
        test_peer_says(&c, "x");
        errno = 0;
        assert_int_equal(fgetc(c.file), rows[i].reads ? 'x' : EOF);
        assert_result(party_file_error(c.file), rows[i].reads ? 0 : -EBADF);
        bool written = fputc('y', c.file) == 'y' && fflush(c.file) == 0;
        assert_int_equal(written, rows[i].writes);
        assert_result(written ? 0 : party_file_error(c.file), written ? 0 : -EBADF);
        test_file_end(&c);
    }
}

static void test_makefile_refuses_other_modes(void **state)
{
    (void)state;
    static const char *const modes[] = {"a", "r+", "rw+", "rt", "x", "R", "r ", "rU"};
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_STREAM, &a, &b);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        FILE *file = stdin;
        assert_result(party_file_makefile(a, modes[i], &file), -EINVAL);
        assert_ptr_equal(file, stdin);
    }
    test_assert_connected(a, b);
    party_sock_close(a);
    party_sock_close(b);
}

static int make_and_close(void *user)
{
    FILE *file;
    int r = party_file_makefile(user, "rw", &file);
    if (r < 0) {
        return r;
    }
    return fclose(file) == 0 ? 0 : -errno;
}

static void test_makefile_survives_no_memory(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_STREAM, &a, &b);
    assert_survives_malloc_failure(make_and_close, a);
    size_t before = fail_malloc_outstanding();
    FILE *file = stdin;
    fopencookie_fails = true;
    int r = party_file_makefile(a, "r", &file);
    fopencookie_fails = false;
    assert_result(r, -ENOMEM);
    assert_ptr_equal(file, stdin);
    assert_int_equal(fail_malloc_outstanding(), before);
    /* The failures took no reference: this ends the connection. */
    party_sock_close(a);
    char byte;
    assert_result(party_sock_recv_into(b, &byte, 1, 0), 0);
    party_sock_close(b);
}

/* ---- reading ---- */

static void test_lines_are_read_until_the_end(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    test_peer_says(&c, "one\ntwo\nthree");
    assert_result(party_sock_shutdown(c.peer, SHUT_WR), 0);
    char line[64];
    assert_string_equal(fgets(line, sizeof(line), c.file), "one\n");
    assert_string_equal(fgets(line, sizeof(line), c.file), "two\n");
    assert_string_equal(fgets(line, sizeof(line), c.file), "three");
    assert_null(fgets(line, sizeof(line), c.file));
    assert_true(feof(c.file));
    assert_result(party_file_error(c.file), 0);
    test_file_end(&c);
}

static void test_fgets_keeps_text_before_a_timeout_and_text_after_it(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    char line[64];
    test_peer_says(&c, "whole\nhal");
    assert_string_equal(fgets(line, sizeof(line), c.file), "whole\n");
    test_set_timeout(&c, TEST_SHORT_MS);
    assert_string_equal(fgets(line, sizeof(line), c.file), "hal");
    assert_result(party_file_error(c.file), PARTY_ETIMEOUT);
    assert_null(fgets(line, sizeof(line), c.file));
    assert_result(party_file_error(c.file), PARTY_ETIMEOUT);
    test_peer_says(&c, "f\nnext\n");
    assert_string_equal(fgets(line, sizeof(line), c.file), "f\n");
    assert_result(party_file_error(c.file), 0);
    assert_string_equal(fgets(line, sizeof(line), c.file), "next\n");
    test_file_end(&c);
}

static void test_getline_keeps_text_before_a_timeout_and_text_after_it(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    char *line = NULL;
    size_t cap = 0;
    test_peer_says(&c, "hal");
    test_set_timeout(&c, TEST_SHORT_MS);
    assert_int_equal(getline(&line, &cap, c.file), 3);
    assert_string_equal(line, "hal");
    assert_result(party_file_error(c.file), PARTY_ETIMEOUT);
    assert_int_equal(getline(&line, &cap, c.file), -1);
    assert_result(party_file_error(c.file), PARTY_ETIMEOUT);
    test_peer_says(&c, "f\n");
    assert_int_equal(getline(&line, &cap, c.file), 2);
    assert_string_equal(line, "f\n");
    free(line);
    test_file_end(&c);
}

static void test_fread_tells_how_much_came_before_a_timeout(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    char buf[16] = "";
    test_peer_says(&c, "abc");
    test_set_timeout(&c, TEST_SHORT_MS);
    assert_int_equal(fread(buf, 1, 6, c.file), 3);
    assert_result(party_file_error(c.file), PARTY_ETIMEOUT);
    test_peer_says(&c, "defg");
    assert_int_equal(fread(buf + 3, 1, 3, c.file), 3);
    assert_string_equal(buf, "abcdef");
    assert_int_equal(fgetc(c.file), 'g');
    assert_int_equal(fgetc(c.file), EOF);
    assert_false(feof(c.file));
    assert_result(party_file_error(c.file), PARTY_ETIMEOUT);
    test_file_end(&c);
}

static void test_timeout_zero_never_waits(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    test_set_timeout(&c, 0);
    errno = 0;
    assert_int_equal(fgetc(c.file), EOF);
    assert_int_equal(errno, EAGAIN);
    assert_result(party_file_error(c.file), PARTY_ETIMEOUT);
    test_peer_says(&c, "x");
    assert_int_equal(fgetc(c.file), 'x');
    test_file_end(&c);
}

static int read_byte(struct test_call *call)
{
    FILE *file;
    int r = party_file_makefile(call->sock, "r", &file);
    if (r < 0) {
        return r;
    }
    r = fgetc(file);
    return fclose(file) == 0 ? r : -errno;
}

static void test_interrupted_read_goes_on(void **state)
{
    (void)state;
    struct test_call call = {.fn = read_byte};
    struct party_sock *peer;
    test_pair(SOCK_STREAM, &call.sock, &peer);
    test_call_start(&call);
    test_call_interrupt(&call, 3);
    assert_result(party_sock_sendall(peer, "x", 1, 0), 0);
    assert_int_equal(test_call_join(&call), 'x');
    party_sock_close(call.sock);
    party_sock_close(peer);
}

static void test_reset_is_told_after_what_came(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    struct party_sock *sock = test_client(&address);
    struct party_sock *peer;
    assert_result(party_sock_accept(server, &peer, NULL), 0);
    FILE *file;
    assert_result(party_file_makefile(sock, "r", &file), 0);
    assert_result(party_sock_sendall(peer, "last", 4, 0), 0);
    test_wait_readable(sock);
    assert_int_equal(fgetc(file), 'l');
    struct linger linger = {.l_onoff = 1};
    assert_int_equal(
        setsockopt(party_sock_fileno(peer), SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    party_sock_close(peer);
    char line[16] = "";
    assert_int_equal(fread(line, 1, 3, file), 3);
    assert_string_equal(line, "ast");
    assert_int_equal(fgetc(file), EOF);
    assert_result(party_file_error(file), -ECONNRESET);
    assert_int_equal(fclose(file), 0);
    party_sock_close(sock);
    party_sock_close(server);
}

static void test_unbuffered_stream_leaves_the_rest_in_the_socket(void **state)
{
    (void)state;
    static const char *const modes[] = {"r", "rw"};
    for (size_t i = 0; i < 2; i++) {
        struct test_connection c = test_file(modes[i]);
        assert_int_equal(setvbuf(c.file, NULL, _IONBF, 0), 0);
        test_peer_says(&c, "line\nrest");
        char line[64] = "";
        assert_string_equal(fgets(line, sizeof(line), c.file), "line\n");
        char rest[8] = "";
        assert_result(party_sock_recv_into(c.sock, rest, sizeof(rest), 0), 4);
        assert_string_equal(rest, "rest");
        test_file_end(&c);
    }
}

/* ---- readline ---- */

static void test_readline_joins_what_a_timeout_parted(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    struct party_file_line line = {0};
    test_set_timeout(&c, TEST_SHORT_MS);
    assert_result(party_file_readline(c.file, &line), PARTY_ETIMEOUT);
    assert_string_equal(line.text, "");
    test_peer_says(&c, "one");
    assert_result(party_file_readline(c.file, &line), PARTY_ETIMEOUT);
    assert_string_equal(line.text, "one");
    test_peer_says(&c, " two");
    assert_result(party_file_readline(c.file, &line), PARTY_ETIMEOUT);
    test_peer_says(&c, " three\nfour");
    assert_result(party_file_readline(c.file, &line), 14);
    assert_string_equal(line.text, "one two three\n");
    assert_result(party_file_readline(c.file, &line), PARTY_ETIMEOUT);
    assert_result(party_sock_shutdown(c.peer, SHUT_WR), 0);
    assert_result(party_file_readline(c.file, &line), 4);
    assert_string_equal(line.text, "four");
    assert_result(party_file_readline(c.file, &line), 0);
    assert_result(party_file_readline(c.file, &line), 0);
    party_file_line_finish(&line);
    assert_null(line.text);
    test_file_end(&c);
}

static void test_readline_gives_a_line_that_is_too_long_in_pieces(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    struct party_file_line line = {.max_bytes = 4};
    test_peer_says(&c, "abcdefgh\nabc\n\n");
    assert_result(party_file_readline(c.file, &line), -EMSGSIZE);
    assert_string_equal(line.text, "abcd");
    assert_result(party_file_readline(c.file, &line), -EMSGSIZE);
    assert_string_equal(line.text, "efgh");
    assert_result(party_file_readline(c.file, &line), 1);
    assert_result(party_file_readline(c.file, &line), 4);
    assert_string_equal(line.text, "abc\n");
    assert_result(party_file_readline(c.file, &line), 1);
    party_file_line_finish(&line);
    assert_int_equal(line.max_bytes, 4);
    test_file_end(&c);
}

static void test_readline_keeps_nul_bytes_and_long_lines(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    enum { LEN = 20000 };
    static char text[LEN];
    for (size_t i = 0; i < LEN; i++) {
        text[i] = (char)(i % 7 == 0 ? 0 : 'a' + (int)(i % 26));
    }
    text[LEN - 1] = '\n';
    assert_result(party_sock_sendall(c.peer, text, LEN, 0), 0);
    struct party_file_line line = {0};
    assert_result(party_file_readline(c.file, &line), LEN);
    assert_memory_equal(line.text, text, LEN);
    party_file_line_finish(&line);
    test_file_end(&c);
}

static void test_readline_loses_nothing_without_memory(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    struct party_file_line line = {0};
    char text[301];
    memset(text, 'x', 299);
    text[299] = '\n';
    text[300] = '\0';
    test_peer_says(&c, text);
    fail_malloc_arm(1, FAIL_MALLOC_FROM_NTH);
    ssize_t first = party_file_readline(c.file, &line);
    (void)fail_malloc_disarm();
    fail_malloc_arm(2, FAIL_MALLOC_FROM_NTH);
    ssize_t second = party_file_readline(c.file, &line);
    (void)fail_malloc_disarm();
    assert_result(first, -ENOMEM);
    assert_result(second, -ENOMEM);
    assert_true(line.len > 0 && line.len < 300);
    assert_result(party_file_readline(c.file, &line), 300);
    assert_string_equal(line.text, text);
    party_file_line_finish(&line);
    test_file_end(&c);
}

static void test_readline_tells_the_error(void **state)
{
    (void)state;
    struct test_connection c = test_file("w");
    struct party_file_line line = {0};
    assert_result(party_file_readline(c.file, &line), -EBADF);
    party_file_line_finish(&line);
    test_file_end(&c);
}

/* ---- writing ---- */

static void test_writes_are_gathered_until_a_flush(void **state)
{
    (void)state;
    struct test_connection c = test_file("w");
    assert_true(fprintf(c.file, "%s %d\n", "number", 7) > 0);
    char byte;
    assert_result(party_sock_settimeout(c.peer, 0), 0);
    assert_result(party_sock_recv_into(c.peer, &byte, 1, 0), -EAGAIN);
    assert_result(party_sock_settimeout(c.peer, TEST_LONG_MS), 0);
    assert_int_equal(fflush(c.file), 0);
    assert_peer_hears(&c, "number 7\n");
    test_file_end(&c);
}

static void test_line_buffered_stream_sends_each_line(void **state)
{
    (void)state;
    struct test_connection c = test_file("w");
    assert_int_equal(setvbuf(c.file, NULL, _IOLBF, BUFSIZ), 0);
    assert_true(fprintf(c.file, "line\nrest") > 0);
    assert_peer_hears(&c, "line\n");
    assert_int_equal(fflush(c.file), 0);
    assert_peer_hears(&c, "rest");
    test_file_end(&c);
}

static void test_fclose_sends_what_is_buffered(void **state)
{
    (void)state;
    struct test_connection c = test_file("w");
    assert_int_equal(fputs("bye", c.file), 1);
    assert_int_equal(fclose(c.file), 0);
    assert_peer_hears(&c, "bye");
    party_sock_close(c.sock);
    party_sock_close(c.peer);
}

/* Fills the connection until no byte fits any more, and returns how many did. */
static size_t fill(struct party_sock *sock)
{
    static const char block[4096];
    size_t len = 0;
    int64_t timeout_ms = party_sock_gettimeout(sock);
    assert_result(party_sock_settimeout(sock, 0), 0);
    for (size_t want = sizeof(block); want > 0;) {
        ssize_t n = party_sock_send(sock, block, want, 0);
        len += n > 0 ? (size_t)n : 0;
        want = n > 0 ? want : want / 2;
    }
    assert_result(party_sock_settimeout(sock, timeout_ms), 0);
    return len;
}

static void test_a_flush_that_times_out_says_so_and_the_stream_works_on(void **state)
{
    (void)state;
    struct test_connection c = test_file("w");
    size_t full_len = fill(c.sock);
    test_set_timeout(&c, TEST_SHORT_MS);
    assert_int_equal(fputs("lost", c.file), 1);
    assert_int_equal(fflush(c.file), EOF);
    assert_result(party_file_error(c.file), PARTY_ETIMEOUT);
    assert_result(party_file_error(c.file), 0);
    char *drain = malloc(full_len);
    assert_non_null(drain);
    test_recv_exactly(c.peer, drain, full_len);
    free(drain);
    assert_int_equal(fputs("kept", c.file), 1);
    assert_int_equal(fflush(c.file), 0);
    assert_peer_hears(&c, "kept");
    test_file_end(&c);
}

static void test_unbuffered_fwrite_tells_how_much_was_taken(void **state)
{
    (void)state;
    struct test_connection c = test_file("w");
    assert_int_equal(setvbuf(c.file, NULL, _IONBF, 0), 0);
    test_set_timeout(&c, TEST_SHORT_MS);
    enum { LEN = 4 << 20 };
    char *all = malloc(LEN);
    char *got = malloc(LEN);
    assert_non_null(all);
    assert_non_null(got);
    for (size_t i = 0; i < LEN; i++) {
        all[i] = (char)(i * 7 + i / 251);
    }
    size_t taken = fwrite(all, 1, LEN, c.file);
    assert_result(party_file_error(c.file), PARTY_ETIMEOUT);
    assert_in_range(taken, 1, LEN - 1);
    party_sock_close(c.sock);
    assert_int_equal(fclose(c.file), 0);
    test_recv_exactly(c.peer, got, taken);
    assert_memory_equal(got, all, taken);
    assert_result(party_sock_recv_into(c.peer, got, 1, 0), 0);
    party_sock_close(c.peer);
    free(got);
    free(all);
}

static void test_writing_to_a_closed_peer_is_epipe_and_no_signal(void **state)
{
    (void)state;
    struct test_connection c = test_file("w");
    test_count_signals(SIGPIPE);
    party_sock_close(c.peer);
    assert_int_equal(fputs("x", c.file), 1);
    assert_int_equal(fflush(c.file), EOF);
    assert_result(party_file_error(c.file), -EPIPE);
    /* fclose has something to send again, and says that it failed. */
    assert_int_equal(fputs("x", c.file), 1);
    assert_int_equal(fclose(c.file), EOF);
    assert_int_equal(atomic_load(&test_signal_count), 0);
    party_sock_close(c.sock);
}

/* ---- life ---- */

static void test_socket_outlives_its_stream(void **state)
{
    (void)state;
    struct test_connection c = test_file("rw");
    assert_int_equal(fclose(c.file), 0);
    test_assert_connected(c.sock, c.peer);
    test_assert_connected(c.peer, c.sock);
    party_sock_close(c.sock);
    party_sock_close(c.peer);
}

static void test_streams_outlive_their_socket(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    FILE *writer;
    assert_result(party_file_makefile(c.sock, "w", &writer), 0);
    size_t fds = fail_malloc_open_fds();
    party_sock_close(c.sock);
    test_peer_says(&c, "x");
    assert_int_equal(fgetc(c.file), 'x');
    assert_int_equal(fclose(c.file), 0);
    assert_int_equal(fputs("still here", writer), 1);
    assert_int_equal(fflush(writer), 0);
    assert_peer_hears(&c, "still here");
    assert_int_equal(fail_malloc_open_fds(), fds);
    assert_int_equal(fclose(writer), 0);
    assert_int_equal(fail_malloc_open_fds(), fds - 1);
    char byte;
    assert_result(party_sock_recv_into(c.peer, &byte, 1, 0), 0);
    party_sock_close(c.peer);
}

static void test_detach_leaves_the_streams_without_a_descriptor(void **state)
{
    (void)state;
    struct test_connection c = test_file("rw");
    int fd = party_sock_detach(c.sock);
    assert_int_equal(fgetc(c.file), EOF);
    assert_result(party_file_error(c.file), -EBADF);
    assert_int_equal(fclose(c.file), 0);
    assert_int_equal(write(fd, "mine", 4), 4);
    assert_peer_hears(&c, "mine");
    close(fd);
    party_sock_close(c.peer);
}

static void test_error_is_no_error_on_a_stream_that_has_none(void **state)
{
    (void)state;
    struct test_connection c = test_file("r");
    errno = ECONNRESET;
    assert_result(party_file_error(c.file), 0);
    test_set_timeout(&c, 0);
    assert_int_equal(fgetc(c.file), EOF);
    errno = 0;
    /* Somebody has used errno in between: it failed, and why is not known any more. */
    assert_result(party_file_error(c.file), -EIO);
    test_file_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_makefile_takes_pythons_modes),
        cmocka_unit_test(test_makefile_refuses_other_modes),
        cmocka_unit_test(test_makefile_survives_no_memory),
        cmocka_unit_test(test_lines_are_read_until_the_end),
        cmocka_unit_test(test_fgets_keeps_text_before_a_timeout_and_text_after_it),
        cmocka_unit_test(test_getline_keeps_text_before_a_timeout_and_text_after_it),
        cmocka_unit_test(test_fread_tells_how_much_came_before_a_timeout),
        cmocka_unit_test(test_timeout_zero_never_waits),
        cmocka_unit_test(test_interrupted_read_goes_on),
        cmocka_unit_test(test_reset_is_told_after_what_came),
        cmocka_unit_test(test_unbuffered_stream_leaves_the_rest_in_the_socket),
        cmocka_unit_test(test_readline_joins_what_a_timeout_parted),
        cmocka_unit_test(test_readline_gives_a_line_that_is_too_long_in_pieces),
        cmocka_unit_test(test_readline_keeps_nul_bytes_and_long_lines),
        cmocka_unit_test(test_readline_loses_nothing_without_memory),
        cmocka_unit_test(test_readline_tells_the_error),
        cmocka_unit_test(test_writes_are_gathered_until_a_flush),
        cmocka_unit_test(test_line_buffered_stream_sends_each_line),
        cmocka_unit_test(test_fclose_sends_what_is_buffered),
        cmocka_unit_test(test_a_flush_that_times_out_says_so_and_the_stream_works_on),
        cmocka_unit_test(test_unbuffered_fwrite_tells_how_much_was_taken),
        cmocka_unit_test(test_writing_to_a_closed_peer_is_epipe_and_no_signal),
        cmocka_unit_test(test_socket_outlives_its_stream),
        cmocka_unit_test(test_streams_outlive_their_socket),
        cmocka_unit_test(test_detach_leaves_the_streams_without_a_descriptor),
        cmocka_unit_test(test_error_is_no_error_on_a_stream_that_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
