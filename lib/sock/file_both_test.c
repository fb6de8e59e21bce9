/* SPDX-License-Identifier: MIT */
#include <partyline/file.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sock/file_test_util.h"

/* Both directions on one stream. */

static char in_byte(size_t i)
{
    return i % 11 == 10 ? '\n' : (char)('a' + (int)(i % 26));
}

static void test_one_stream_asks_and_hears_without_a_flush(void **state)
{
    (void)state;
    struct test_connection c = test_file("rw");
    char line[64];
    for (int i = 0; i < 3; i++) {
        assert_true(fprintf(c.file, "question %d\n", i) > 0);
        /* The answer is there before the question is asked; reading it sends the question. */
        test_peer_says(&c, "answer\n");
        assert_string_equal(fgets(line, sizeof(line), c.file), "answer\n");
        char wanted[64];
        (void)snprintf(wanted, sizeof(wanted), "question %d\n", i);
        assert_peer_hears(&c, wanted);
    }
    test_file_end(&c);
}

static void test_unread_input_is_kept_while_the_stream_writes(void **state)
{
    (void)state;
    struct test_connection c = test_file("rw");
    char line[64];
    test_peer_says(&c, "one\ntwo\nthree\n");
    assert_string_equal(fgets(line, sizeof(line), c.file), "one\n");
    assert_true(fputs("un\n", c.file) >= 0);
    assert_int_equal(fflush(c.file), 0);
    assert_peer_hears(&c, "un\n");
    assert_string_equal(fgets(line, sizeof(line), c.file), "two\n");
    assert_true(fputs("deux\n", c.file) >= 0);
    assert_string_equal(fgets(line, sizeof(line), c.file), "three\n");
    assert_peer_hears(&c, "deux\n");
    test_file_end(&c);
}

static void test_a_large_fread_sends_what_was_written_and_gives_what_was_unread(void **state)
{
    (void)state;
    struct test_connection c = test_file("rw");
    enum { LEN = 50000 };
    static char text[LEN];
    static char got[LEN];
    for (size_t i = 0; i < LEN; i++) {
        text[i] = in_byte(i);
    }
    assert_result(party_sock_sendall(c.peer, text, LEN, 0), 0);
    got[0] = (char)fgetc(c.file);
    assert_true(fputs("hello", c.file) >= 0);
    assert_int_equal(fread(got + 1, 1, 3 * BUFSIZ, c.file), 3 * BUFSIZ);
    assert_peer_hears(&c, "hello");
    assert_int_equal(fflush(c.file), 0);
    size_t rest = LEN - 1 - 3 * BUFSIZ;
    assert_int_equal(fread(got + LEN - rest, 1, rest, c.file), rest);
    assert_memory_equal(got, text, LEN);
    test_file_end(&c);
}

static void test_standard_way_to_change_direction_works_too(void **state)
{
    (void)state;
    struct test_connection c = test_file("rw");
    test_peer_says(&c, "abc");
    assert_int_equal(fgetc(c.file), 'a');
    assert_int_equal(fseek(c.file, 0, SEEK_CUR), 0);
    assert_int_equal(fputc('x', c.file), 'x');
    assert_int_equal(fseek(c.file, 0, SEEK_CUR), 0);
    assert_peer_hears(&c, "x");
    assert_int_equal(fgetc(c.file), 'b');
    assert_int_equal(fseek(c.file, 0, SEEK_END), -1);
    assert_int_equal(fseek(c.file, LONG_MIN, SEEK_CUR), -1);
    assert_int_equal(fgetc(c.file), 'c');
    test_file_end(&c);
}

static void assert_cannot_seek(FILE *file)
{
    for (long offset = 0; offset < 10; offset++) {
        errno = 0;
        assert_int_equal(fseek(file, offset, SEEK_SET), -1);
        assert_int_equal(errno, ESPIPE);
        errno = 0;
        assert_int_equal(fseek(file, -offset, SEEK_END), -1);
        assert_int_equal(errno, ESPIPE);
    }
    rewind(file);
}

static void test_no_stream_can_be_sent_to_a_place(void **state)
{
    (void)state;
    static const char *const modes[] = {"r", "rw"};
    for (size_t i = 0; i < 2; i++) {
        struct test_connection c = test_file(modes[i]);
        char line[64];
        assert_cannot_seek(c.file);
        test_peer_says(&c, "one\ntwo\nthree\nfour\n");
        assert_string_equal(fgets(line, sizeof(line), c.file), "one\n");
        assert_cannot_seek(c.file);
        assert_string_equal(fgets(line, sizeof(line), c.file), "two\n");
        (void)ftell(c.file); /* from now on stdio knows where it is */
        assert_cannot_seek(c.file);
        assert_string_equal(fgets(line, sizeof(line), c.file), "three\n");
        if (i == 1) {
            assert_true(fputs("un\n", c.file) >= 0);
            assert_cannot_seek(c.file);
            assert_peer_hears(&c, "un\n");
        }
        assert_string_equal(fgets(line, sizeof(line), c.file), "four\n");
        assert_cannot_seek(c.file);
        test_file_end(&c);
    }
}

static void test_a_stream_that_writes_goes_on_where_it_was(void **state)
{
    (void)state;
    struct test_connection c = test_file("w");
    assert_cannot_seek(c.file);
    assert_true(fputs("un, ", c.file) >= 0);
    assert_cannot_seek(c.file);
    assert_true(fputs("deux", c.file) >= 0);
    assert_int_equal(fflush(c.file), 0);
    assert_peer_hears(&c, "un, deux");
    test_file_end(&c);
}

/* What a random walk over one stream reads and writes: the bytes of both directions are numbered.
 */
struct walk {
    struct test_connection c;
    uint64_t state;
    size_t said;    /* by the peer */
    size_t read;    /* by the stream */
    size_t written; /* by the stream */
    size_t heard;   /* by the peer */
};

static uint32_t draw(struct walk *walk, uint32_t below)
{
    walk->state = walk->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(walk->state >> 33) % below;
}

static char out_byte(size_t i)
{
    return i % 13 == 12 ? '\n' : (char)('A' + (int)(i % 26));
}

static void walk_say(struct walk *walk, size_t len)
{
    char buf[9000];
    for (size_t i = 0; i < len; i++) {
        buf[i] = in_byte(walk->said + i);
    }
    assert_result(party_sock_sendall(walk->c.peer, buf, len, 0), 0);
    walk->said += len;
}

static void walk_read(struct walk *walk, size_t len)
{
    char buf[9000];
    size_t n = 0;
    switch (draw(walk, 3)) {
    case 0:
        n = fread(buf, 1, len, walk->c.file);
        assert_int_equal(n, len < walk->said - walk->read ? len : walk->said - walk->read);
        break;
    case 1:
        n = fgets(buf, (int)len + 1, walk->c.file) != NULL ? strlen(buf) : 0;
        break;
    default: {
        int c = fgetc(walk->c.file);
        if (c != EOF && draw(walk, 2) == 0) {
            assert_int_equal(ungetc(c, walk->c.file), c);
            c = fgetc(walk->c.file);
        }
        buf[0] = (char)c;
        n = c != EOF;
    }
    }
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(buf[i], in_byte(walk->read + i));
    }
    walk->read += n;
    clearerr(walk->c.file);
}

static void walk_write(struct walk *walk, size_t len)
{
    char buf[9000];
    for (size_t i = 0; i < len; i++) {
        buf[i] = out_byte(walk->written + i);
    }
    assert_int_equal(fwrite(buf, 1, len, walk->c.file), len);
    walk->written += len;
    if (draw(walk, 4) == 0) {
        assert_int_equal(fflush(walk->c.file), 0);
    }
}

/* The peer takes what has come, so that nothing blocks. */
static void walk_hear(struct walk *walk)
{
    char buf[16384];
    ssize_t n;
    while ((n = party_sock_recv_into(walk->c.peer, buf, sizeof(buf), 0)) > 0) {
        for (size_t i = 0; i < (size_t)n; i++) {
            assert_int_equal(buf[i], out_byte(walk->heard + i));
        }
        walk->heard += (size_t)n;
    }
    assert_result(n, -EAGAIN);
}

static void walk_at_random(uint64_t seed, int buffering)
{
    struct walk walk = {.c = test_file("rw"), .state = seed};
    assert_int_equal(setvbuf(walk.c.file, NULL, buffering, buffering == _IONBF ? 0 : BUFSIZ), 0);
    assert_result(party_sock_settimeout(walk.c.peer, 0), 0);
    test_set_timeout(&walk.c, 0);
    for (int step = 0; step < 600; step++) {
        size_t len = 1 + (draw(&walk, 8) == 0 ? draw(&walk, 8999) : draw(&walk, 40));
        switch (draw(&walk, 4)) {
        case 0:
            if (walk.said - walk.read < 30000) {
                walk_say(&walk, len);
            }
            break;
        case 1:
            /* Each line is a send of its own then, and the kernel counts small ones as large. */
            walk_write(&walk, buffering == _IOLBF ? 1 + len % 1000 : len);
            break;
        case 2:
            walk_read(&walk, len);
            break;
        default:
            (void)(draw(&walk, 2) == 0 ? fflush(walk.c.file) : fseek(walk.c.file, 0, SEEK_CUR));
        }
        walk_hear(&walk);
    }
    while (walk.read < walk.said) {
        walk_read(&walk, 5000);
    }
    assert_int_equal(fflush(walk.c.file), 0);
    walk_hear(&walk);
    assert_int_equal(walk.heard, walk.written);
    test_file_end(&walk.c);
}

static void test_random_reads_and_writes_on_one_stream_lose_nothing(void **state)
{
    (void)state;
    static const int bufferings[] = {_IOFBF, _IOLBF, _IONBF};
    for (uint64_t seed = 0; seed < 60; seed++) {
        walk_at_random(seed, bufferings[seed % 3]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_stream_asks_and_hears_without_a_flush),
        cmocka_unit_test(test_unread_input_is_kept_while_the_stream_writes),
        cmocka_unit_test(test_a_large_fread_sends_what_was_written_and_gives_what_was_unread),
        cmocka_unit_test(test_standard_way_to_change_direction_works_too),
        cmocka_unit_test(test_no_stream_can_be_sent_to_a_place),
        cmocka_unit_test(test_a_stream_that_writes_goes_on_where_it_was),
        cmocka_unit_test(test_random_reads_and_writes_on_one_stream_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
