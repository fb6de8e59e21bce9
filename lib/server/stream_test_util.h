/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_STREAM_TEST_UTIL_H
#define PARTYLINE_STREAM_TEST_UTIL_H

/*
 * What the tests of streams share: a loop whose clock the test moves, a stream with its peer's
 * descriptor, and a record of every callback. Included after cmocka.h by tests only.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <partyline/error.h>
#include <partyline/stream.h>

#include "fail_malloc.h"
#include "loop/loop_test_util.h"

#define MS 1000000ll

enum pair_kind { PAIR_UNIX, PAIR_TCP };

/* What a callback does beyond keeping a record. */
enum probe_deed {
    DEED_NONE,
    DEED_CLOSE,
    DEED_FINISH,
    DEED_PAUSE,
    DEED_UNREAD, /* puts "again:" back, once */
    DEED_WRITE,  /* two pieces of last words */
};

struct probe {
    struct party_loop *loop;
    struct party_stream *stream; /* NULL after on_close */
    int peer;                    /* -1 once closed */
    char input[1 << 17];         /* what on_data took */
    size_t len;
    size_t take;    /* at most so much per call */
    size_t largest; /* most bytes of one call */
    unsigned data_calls, ends, cuts, closes;
    int reason, cut_reason;
    int drop; /* on_cut: delimiter for drop_queued; -2: none is dropped */
    enum probe_deed on_data, on_end, on_cut, on_close;
    struct party_stream *other; /* DEED_CLOSE closes this one instead when set */
};

static const char last_words_1[] = "*** cut off, ";
static const char last_words_2[] = "come back\n";

static inline void probe_do(struct probe *p, enum probe_deed *deed, struct party_stream *stream)
{
    switch (*deed) {
    case DEED_CLOSE:
        party_stream_close(p->other ? p->other : stream);
        break;
    case DEED_FINISH:
        party_stream_finish(stream);
        break;
    case DEED_PAUSE:
        party_stream_pause(stream);
        break;
    case DEED_UNREAD:
        *deed = DEED_NONE;
        assert_int_equal(party_stream_unread(stream, "again:", 6), 0);
        break;
    case DEED_WRITE:
        party_stream_write(stream, last_words_1, sizeof(last_words_1) - 1);
        party_stream_write(stream, last_words_2, sizeof(last_words_2) - 1);
        break;
    default:
        break;
    }
}

static inline size_t probe_on_data(struct party_stream *stream, const uint8_t *data, size_t len,
                                   void *user)
{
    struct probe *p = user;
    assert_int_equal(p->closes, 0);
    assert_false(party_stream_is_closing(stream));
    assert_true(len > 0);
    p->data_calls++;
    p->largest = len > p->largest ? len : p->largest;
    size_t taken = len < p->take ? len : p->take;
    assert_true(p->len + taken <= sizeof(p->input));
    memcpy(p->input + p->len, data, taken);
    p->len += taken;
    probe_do(p, &p->on_data, stream);
    return taken;
}

static inline void probe_on_end(struct party_stream *stream, void *user)
{
    struct probe *p = user;
    assert_int_equal(p->closes, 0);
    assert_false(party_stream_is_closing(stream));
    p->ends++;
    probe_do(p, &p->on_end, stream);
}

static inline void probe_on_cut(struct party_stream *stream, int reason, void *user)
{
    struct probe *p = user;
    assert_int_equal(p->closes, 0);
    p->cuts++;
    p->cut_reason = reason;
    if (p->drop > -2) {
        party_stream_drop_queued(stream, p->drop);
    }
    probe_do(p, &p->on_cut, stream);
}

static inline void probe_on_close(struct party_stream *stream, int reason, void *user)
{
    struct probe *p = user;
    assert_int_equal(p->closes, 0);
    assert_int_equal(party_stream_fileno(stream), -1);
    p->closes++;
    p->reason = reason;
    p->stream = NULL;
    probe_do(p, &p->on_close, stream);
}

static const struct party_stream_ops probe_ops = {
    .on_data = probe_on_data,
    .on_end = probe_on_end,
    .on_close = probe_on_close,
    .on_cut = probe_on_cut,
};

/* ---- pairs ---- */

static inline void make_tcp_pair(int fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fds[1], (struct sockaddr *)&address, len), 0);
    fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_int_not_equal(fds[0], -1);
    int on = 1;
    assert_int_equal(setsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    close(listener);
}

/* fds[0] for the stream, fds[1] for the peer, which does not block. */
static inline void make_pair(enum pair_kind kind, int fds[2])
{
    if (kind == PAIR_UNIX) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    } else {
        make_tcp_pair(fds);
    }
    int flags = fcntl(fds[1], F_GETFL);
    assert_int_equal(fcntl(fds[1], F_SETFL, flags | O_NONBLOCK), 0);
}

/* TCP with less than this stops and goes by its own timers, which a test cannot move. */
static inline void small_buffers(enum pair_kind kind, int fd)
{
    int size = kind == PAIR_UNIX ? 4096 : 65536;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
}

static inline struct probe *probe_open(struct party_loop *loop, enum pair_kind kind,
                                       const struct party_stream_limits *limits)
{
    int fds[2];
    struct probe *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    make_pair(kind, fds);
    small_buffers(kind, fds[0]);
    small_buffers(kind, fds[1]);
    p->loop = loop;
    p->peer = fds[1];
    p->take = SIZE_MAX;
    p->drop = -2;
    assert_int_equal(party_stream_create(loop, fds[0], &probe_ops, limits, p, &p->stream), 0);
    return p;
}

static inline void peer_close(struct probe *p)
{
    if (p->peer != -1) {
        close(p->peer);
        p->peer = -1;
    }
}

/* The peer ends with a reset; on a Unix socket, whose nearest to it is a close with unread input.
 */
static inline void peer_reset(struct probe *p)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(p->peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    peer_close(p);
}

static inline void peer_send(struct probe *p, const char *text)
{
    ssize_t len = (ssize_t)strlen(text);
    assert_int_equal(write(p->peer, text, (size_t)len), len);
}

/* Nothing the loop watches is ready: it would sleep, not spin. */
static inline bool loop_is_idle(struct party_loop *loop)
{
    struct party__ready ready[4];
    int n;
    do {
        n = loop->backend->wait(loop->backend_state, 0, ready, 4);
    } while (n == -EINTR);
    return n == 0;
}

/* Turns until the condition holds; only a hang reaches the end of the patience. */
#define await(loop, condition)                                                                     \
    do {                                                                                           \
        for (int turns_ = 0; turns_ < 1000 && !(condition); turns_++) {                            \
            assert_int_equal(party_loop_run_once((loop), 10), 0);                                  \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

/* A few turns in which nothing more should happen. */
static inline void settle_loop(struct party_loop *loop)
{
    for (int i = 0; i < 4; i++) {
        run_turn(loop);
    }
}

/* Ends the stream when it is still there, and frees the probe. */
static inline void probe_free(struct probe *p)
{
    party_stream_close(p->stream);
    if (p->closes == 0) {
        settle_loop(p->loop);
    }
    assert_int_equal(p->closes, 1);
    peer_close(p);
    free(p);
}

#define assert_input(p, text)                                                                      \
    do {                                                                                           \
        assert_int_equal((p)->len, strlen(text));                                                  \
        assert_memory_equal((p)->input, (text), strlen(text));                                     \
    } while (0)

/* Reads all there is at the peer into buf. Returns: bytes; *ret_end tells whether the end came. */
static inline size_t peer_read(struct probe *p, char *buf, size_t cap, bool *ret_end)
{
    size_t len = 0;
    *ret_end = false;
    while (len < cap) {
        ssize_t n = read(p->peer, buf + len, cap - len);
        if (n <= 0) {
            *ret_end = n == 0 || (errno != EAGAIN && errno != EINTR);
            break;
        }
        len += (size_t)n;
    }
    return len;
}

/* Runs the loop and reads at the peer until the end of the stream. Returns: bytes. */
static inline size_t peer_read_to_end(struct probe *p, char *buf, size_t cap)
{
    size_t len = 0;
    bool end = false;
    for (int i = 0; i < 10000 && !end; i++) {
        len += peer_read(p, buf + len, cap - len, &end);
        if (!end) {
            struct pollfd pollfd = {.fd = p->peer, .events = POLLIN};
            run_turn(p->loop);
            (void)poll(&pollfd, 1, 1);
        }
    }
    assert_true(end);
    return len;
}

/* ---- a loop per test, and nothing left behind ---- */

struct bench {
    struct party_loop *loop;
    int64_t clock_ns;
    enum pair_kind kind;
    size_t allocations, fds;
};

/* The kind stands behind the test's name: see ON_BOTH. */
static inline int bench_setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->kind = (enum pair_kind)(uintptr_t)*state;
    bench->allocations = fail_malloc_outstanding();
    bench->fds = fail_malloc_open_fds();
    bench->clock_ns = 1000 * MS;
    bench->loop = create_loop();
    use_test_clock(bench->loop, &bench->clock_ns);
    *state = bench;
    return 0;
}

static inline int bench_teardown(void **state)
{
    struct bench *bench = *state;
    party_loop_destroy(bench->loop);
    bool clean =
        fail_malloc_outstanding() == bench->allocations && fail_malloc_open_fds() == bench->fds;
    if (!clean) {
        print_error("%zu allocations and %zu descriptors are left, not %zu and %zu\n",
                    fail_malloc_outstanding(), fail_malloc_open_fds(), bench->allocations,
                    bench->fds);
    }
    free(bench);
    return clean ? 0 : -1;
}

#define ON_UNIX(test)                                                                              \
    {                                                                                              \
#test "_unix", test, bench_setup, bench_teardown, (void *)PAIR_UNIX                        \
    }
#define ON_TCP(test)                                                                               \
    {                                                                                              \
#test "_tcp", test, bench_setup, bench_teardown, (void *)PAIR_TCP                          \
    }
#define ON_BOTH(test) ON_UNIX(test), ON_TCP(test)

#endif
