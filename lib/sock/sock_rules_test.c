/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <fcntl.h>
#include <linux/if_alg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sock/sock_script_test_util.h"

/* The rules for waiting, which are the same for every call that may wait: each test plays its
   script to all of them. */

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *sa,
                        socklen_t *sa_len);
ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *sa,
                      socklen_t sa_len);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags);
int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *sa_len, int flags);

static int last_flags;
static short receiving_events = POLLIN;
static char last_control[256]; /* of sendmsg */
static size_t last_control_len;

static ssize_t take_call(short events, int flags)
{
    expected_events = events;
    last_flags = flags;
    return take_step(STEP_CALL);
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
    (void)fd;
    (void)buf;
    (void)len;
    return take_call(receiving_events, flags);
}

ssize_t __wrap_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *sa,
                        socklen_t *sa_len)
{
    (void)fd;
    (void)buf;
    (void)len;
    (void)sa;
    assert_int_equal(*sa_len, sizeof(struct sockaddr_storage));
    *sa_len = 0;
    return take_call(receiving_events, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags)
{
    (void)fd;
    /* Whatever an earlier try has left in it, each begins with all the room. */
    assert_int_equal(header->msg_namelen, sizeof(struct sockaddr_storage));
    assert_true(header->msg_controllen == 0 || header->msg_controllen > 64);
    header->msg_namelen = 0;
    header->msg_controllen = 0;
    header->msg_flags = flags & MSG_CMSG_CLOEXEC;
    return take_call(receiving_events, flags);
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
    (void)fd;
    (void)buf;
    (void)len;
    return take_call(POLLOUT, flags);
}

ssize_t __wrap_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *sa,
                      socklen_t sa_len)
{
    (void)fd;
    (void)buf;
    (void)len;
    assert_int_equal(sa->sa_family, AF_INET);
    assert_int_equal(sa_len, sizeof(struct sockaddr_in));
    return take_call(POLLOUT, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags)
{
    (void)fd;
    assert_true(header->msg_controllen <= sizeof(last_control));
    last_control_len = header->msg_controllen;
    if (last_control_len > 0) {
        memcpy(last_control, header->msg_control, last_control_len);
    }
    return take_call(POLLOUT, flags);
}

static bool asked_for_peer;

int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *sa_len, int flags)
{
    (void)fd;
    assert_int_equal(sa == NULL, sa_len == NULL);
    asked_for_peer = sa != NULL;
    if (sa_len != NULL) {
        assert_int_equal(*sa_len, sizeof(struct sockaddr_storage));
        *sa_len = 0;
    }
    assert_int_equal(flags, SOCK_CLOEXEC);
    return (int)take_call(POLLIN, flags);
}

static char buffer[64];

static ssize_t call_recv(struct party_sock *sock)
{
    return party_sock_recv(sock, buffer, sizeof(buffer), MSG_PEEK);
}

static ssize_t call_recv_into(struct party_sock *sock)
{
    return party_sock_recv_into(sock, buffer, sizeof(buffer), MSG_PEEK);
}

static ssize_t call_recvfrom(struct party_sock *sock)
{
    struct party_address peer;
    return party_sock_recvfrom(sock, buffer, sizeof(buffer), MSG_PEEK, &peer);
}

static ssize_t call_recvfrom_into(struct party_sock *sock)
{
    return party_sock_recvfrom_into(sock, buffer, sizeof(buffer), MSG_PEEK, NULL);
}

static ssize_t call_recvmsg(struct party_sock *sock)
{
    struct party_sock_message message = {0};
    return party_sock_recvmsg(sock, &message, MSG_PEEK);
}

static ssize_t call_recvmsg_into(struct party_sock *sock)
{
    struct party_sock_message message = {0};
    return party_sock_recvmsg_into(sock, &message, MSG_PEEK);
}

static ssize_t call_recv_fds(struct party_sock *sock)
{
    struct party_sock_fds fds = {0};
    return party_sock_recv_fds(sock, buffer, sizeof(buffer), MSG_PEEK, &fds);
}

static ssize_t call_send(struct party_sock *sock)
{
    return party_sock_send(sock, buffer, sizeof(buffer), MSG_PEEK);
}

static ssize_t call_sendto(struct party_sock *sock)
{
    struct party_address address;
    assert_int_equal(party_address_parse("127.0.0.1:7", &address), 0);
    return party_sock_sendto(sock, buffer, sizeof(buffer), MSG_PEEK, &address);
}

static ssize_t call_sendmsg(struct party_sock *sock)
{
    struct party_sock_message message = {0};
    return party_sock_sendmsg(sock, &message, MSG_PEEK);
}

static ssize_t call_send_fds(struct party_sock *sock)
{
    struct party_sock_fds fds = {0};
    return party_sock_send_fds(sock, buffer, sizeof(buffer), MSG_PEEK, &fds);
}

static ssize_t call_sendmsg_afalg(struct party_sock *sock)
{
    struct party_sock_afalg afalg = {.op = ALG_OP_ENCRYPT, .assoclen = -1};
    return party_sock_sendmsg_afalg(sock, NULL, 0, &afalg, MSG_PEEK);
}

/* The descriptor accepted is one of the script's: an open one is not needed. */
static ssize_t accepted(int r, struct party_sock *conn)
{
    return r == 0 ? party_sock_detach(conn) : r;
}

static ssize_t call_accept(struct party_sock *sock)
{
    struct party_sock *conn = NULL;
    struct party_address peer;
    int r = party_sock_accept(sock, &conn, &peer);
    return accepted(r, conn);
}

static const struct {
    const char *name;
    ssize_t (*call)(struct party_sock *sock);
    int flags; /* what MSG_PEEK must have become */
} calls[] = {
    {"recv", call_recv, MSG_PEEK},
    {"recv_into", call_recv_into, MSG_PEEK},
    {"recvfrom", call_recvfrom, MSG_PEEK},
    {"recvfrom_into", call_recvfrom_into, MSG_PEEK},
    {"recvmsg", call_recvmsg, MSG_PEEK | MSG_CMSG_CLOEXEC},
    {"recvmsg_into", call_recvmsg_into, MSG_PEEK | MSG_CMSG_CLOEXEC},
    {"recv_fds", call_recv_fds, MSG_PEEK | MSG_CMSG_CLOEXEC},
    {"send", call_send, MSG_PEEK | MSG_NOSIGNAL},
    {"sendto", call_sendto, MSG_PEEK | MSG_NOSIGNAL},
    {"sendmsg", call_sendmsg, MSG_PEEK | MSG_NOSIGNAL},
    {"send_fds", call_send_fds, MSG_PEEK | MSG_NOSIGNAL},
    {"sendmsg_afalg", call_sendmsg_afalg, MSG_PEEK | MSG_NOSIGNAL},
    {"accept", call_accept, SOCK_CLOEXEC},
};

#define CALL_COUNT (sizeof(calls) / sizeof(calls[0]))

/* Plays the script to each call on a socket with that timeout; the hook takes part if it is asked.
 */
static void play_to_all(const struct step *script, int64_t timeout_ms, ssize_t wanted,
                        bool has_interrupt)
{
    for (size_t i = 0; i < CALL_COUNT; i++) {
        /* No descriptor: nothing here reaches the kernel. */
        struct party_sock sock = {.fd = -1, .timeout_ms = timeout_ms};
        if (has_interrupt) {
            party_sock_set_interrupt(&sock, take_interrupt, &sock);
        }
        play(script);
        ssize_t n = calls[i].call(&sock);
        if (n != wanted || last_flags != calls[i].flags) {
            print_error("%s: %zd, flags %x\n", calls[i].name, n, (unsigned)last_flags);
        }
        assert_int_equal(n, wanted);
        assert_int_equal(last_flags, calls[i].flags);
        assert_played_out();
    }
}

static void test_what_is_ready_is_one_system_call(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, 33, 0, 0}, {0}};
    static const int64_t timeouts_ms[] = {-1, 0, 5000};
    for (size_t i = 0; i < 3; i++) {
        play_to_all(script, timeouts_ms[i], 33, false);
    }
}

static void test_what_is_not_ready_is_one_poll_more(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 1, 5000, 100}, {STEP_CALL, 4, 0, 0}, {0}};
    play_to_all(script, 5000, 4, false);
}

static void test_timeout_zero_never_polls(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, -EAGAIN, 0, 0}, {0}};
    play_to_all(script, 0, -EAGAIN, false);
}

static void test_timeout_runs_out(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 0, 100, 100000}, {0}};
    play_to_all(script, 100, PARTY_ETIMEOUT, false);
}

static void test_deadline_stands_through_interruptions_and_false_promises(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EINTR, 0, 0},       {STEP_CALL, -EAGAIN, 0, 0},
        {STEP_POLL, -EINTR, 100, 30000}, {STEP_POLL, 1, 70, 30000},
        {STEP_CALL, -EINTR, 0, 5000},    {STEP_CALL, -EAGAIN, 0, 0},
        {STEP_POLL, 1, 35, 34500},       {STEP_CALL, -EAGAIN, 0, 0},
        {STEP_POLL, 0, 1, 1000},         {0}};
    play_to_all(script, 100, PARTY_ETIMEOUT, false);
}

static void test_promises_that_are_always_false_do_not_make_it_spin(void **state)
{
    (void)state;
    enum { PROMISES = 9 };
    struct step script[2 * PROMISES + 8] = {{0}};
    size_t at = 0;
    for (int i = 0; i < PROMISES; i++) {
        script[at++] = (struct step){STEP_CALL, -EAGAIN, 0, 0};
        script[at++] = (struct step){STEP_POLL, 1, 100, 0};
    }
    /* Now it pauses before it asks again, each time longer, but never beyond the deadline. */
    script[at++] = (struct step){STEP_CALL, -EAGAIN, 0, 0};
    script[at++] = (struct step){STEP_POLL, 0, 1, 1000};
    script[at++] = (struct step){STEP_POLL, 1, 99, 0};
    script[at++] = (struct step){STEP_CALL, -EAGAIN, 0, 0};
    script[at++] = (struct step){STEP_POLL, 0, 2, 2000};
    script[at++] = (struct step){STEP_POLL, 0, 97, 97000};
    play_to_all(script, 100, PARTY_ETIMEOUT, false);
    script[at - 1] = (struct step){STEP_POLL, 1, 97, 0};
    script[at] = (struct step){STEP_CALL, 5, 0, 0};
    play_to_all(script, 100, 5, false);
    /* What had to be waited for was a promise worth waiting for. */
    for (size_t i = 1; i < 2 * PROMISES; i += 2) {
        script[i].timeout_ms = 1000 - (int)(i / 2) * 10;
        script[i].elapsed_us = 10000;
    }
    script[2 * PROMISES + 1] = (struct step){STEP_POLL, 1, 1000 - PROMISES * 10, 0};
    script[2 * PROMISES + 2] = (struct step){STEP_CALL, 5, 0, 0};
    script[2 * PROMISES + 3] = (struct step){0};
    play_to_all(script, 1000, 5, false);
}

static void test_interrupted_blocking_call_is_made_again(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EINTR, 0, 0}, {STEP_CALL, -EINTR, 0, 0}, {STEP_CALL, 5, 0, 0}, {0}};
    play_to_all(script, -1, 5, false);
}

static void test_interrupt_function_lets_the_call_go_on(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EINTR, 0, 0},  {STEP_INTERRUPT, 0, 0, 0},
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, -EINTR, 100, 30000},
        {STEP_INTERRUPT, 9, 0, 0},  {STEP_POLL, 1, 70, 0},
        {STEP_CALL, 5, 0, 0},       {0}};
    play_to_all(script, 100, 5, true);
}

static void test_interrupt_function_ends_a_blocking_call(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EINTR, 0, 0}, {STEP_INTERRUPT, -7777, 0, 0}, {0}};
    play_to_all(script, -1, -7777, true);
}

static void test_interrupt_function_ends_a_wait(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, -EAGAIN, 0, 0},
                                         {STEP_POLL, -EINTR, 100, 0},
                                         {STEP_INTERRUPT, -EINTR, 0, 0},
                                         {0}};
    play_to_all(script, 100, -EINTR, true);
}

static void test_failure_of_poll_is_the_result(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, -ENOMEM, 100, 0}, {0}};
    play_to_all(script, 100, -ENOMEM, false);
}

static void test_every_other_error_ends_the_call_at_once(void **state)
{
    (void)state;
    static const int errors[] = {
        EACCES,       EADDRNOTAVAIL, EAFNOSUPPORT, EALREADY,     EBADF,      ECONNABORTED,
        ECONNREFUSED, ECONNRESET,    EDESTADDRREQ, EFAULT,       EHOSTDOWN,  EHOSTUNREACH,
        EINPROGRESS,  EINVAL,        EIO,          EISCONN,      EMFILE,     EMSGSIZE,
        ENETDOWN,     ENETUNREACH,   ENFILE,       ENOBUFS,      ENOKEY,     ENOMEM,
        ENOPROTOOPT,  ENOSPC,        ENOTCONN,     ENOTSOCK,     EOPNOTSUPP, EPERM,
        EPIPE,        EPROTO,        ETIMEDOUT,    ETOOMANYREFS,
    };
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        const struct step script[] = {{STEP_CALL, -errors[i], 0, 0}, {0}};
        play_to_all(script, -1, -errors[i], false);
        play_to_all(script, 0, -errors[i], false);
        play_to_all(script, 5000, -errors[i], false);
    }
}

static void test_sendall_has_one_deadline_and_asks_the_interrupt_function(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, 10, 0, 10000},
                                         {STEP_INTERRUPT, 0, 0, 0},
                                         {STEP_CALL, -EAGAIN, 0, 0},
                                         {STEP_POLL, -EINTR, 90, 50000},
                                         {STEP_INTERRUPT, 0, 0, 0},
                                         {STEP_POLL, 1, 40, 0},
                                         {STEP_CALL, 10, 0, 0},
                                         {STEP_INTERRUPT, 0, 0, 0},
                                         {STEP_CALL, -EINTR, 0, 0},
                                         {STEP_INTERRUPT, -7, 0, 0},
                                         {0}};
    struct party_sock sock = {.fd = -1, .timeout_ms = 100};
    party_sock_set_interrupt(&sock, take_interrupt, &sock);
    play(script);
    assert_int_equal(party_sock_sendall(&sock, buffer, sizeof(buffer), 0), -7);
    assert_played_out();
}

static void test_interrupt_function_ends_a_sendall_between_its_parts(void **state)
{
    (void)state;
    /* send(2) reports no EINTR when it has taken bytes before the signal came. */
    static const struct step script[] = {{STEP_CALL, 10, 0, 0}, {STEP_INTERRUPT, -7, 0, 0}, {0}};
    struct party_sock sock = {.fd = -1, .timeout_ms = -1};
    party_sock_set_interrupt(&sock, take_interrupt, &sock);
    play(script);
    assert_int_equal(party_sock_sendall(&sock, buffer, sizeof(buffer), 0), -7);
    assert_played_out();
}

static void play_receiving(int flags, short events)
{
    static const struct step script[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 1, 100, 0}, {STEP_CALL, 5, 0, 0}, {0}};
    struct party_sock sock = {.fd = -1, .timeout_ms = 100};
    struct party_sock_message message = {0};
    struct party_sock_fds fds = {0};
    receiving_events = events;
    play(script);
    assert_int_equal(party_sock_recv(&sock, buffer, sizeof(buffer), flags), 5);
    play(script);
    assert_int_equal(party_sock_recvfrom(&sock, buffer, sizeof(buffer), flags, NULL), 5);
    play(script);
    assert_int_equal(party_sock_recvmsg(&sock, &message, flags), 5);
    play(script);
    assert_int_equal(party_sock_recv_fds(&sock, buffer, sizeof(buffer), flags, &fds), 5);
    assert_played_out();
    receiving_events = POLLIN;
}

/* Else the bytes that nobody asked for would end each wait, and the call would spin. */
static void test_what_is_received_beside_the_data_is_waited_for_by_its_own_event(void **state)
{
    (void)state;
    play_receiving(MSG_ERRQUEUE, 0);
    play_receiving(MSG_OOB, POLLPRI);
    play_receiving(MSG_PEEK, POLLIN);
}

static void play_accept_within(const struct step *script, int64_t sock_timeout_ms,
                               int64_t timeout_ms, int wanted)
{
    struct party_sock sock = {.fd = -1, .timeout_ms = sock_timeout_ms};
    struct party_sock *conn = NULL;
    party_sock_set_interrupt(&sock, take_interrupt, &sock);
    play(script);
    expected_events = POLLIN;
    int r = party_sock_accept_within(&sock, timeout_ms, &conn, NULL);
    assert_int_equal(accepted(r, conn), wanted);
    assert_played_out();
}

static void test_accept_of_a_cipher_asks_for_no_peer(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, 9, 0, 0}, {0}};
    static const int families[] = {AF_INET, AF_ALG};
    for (size_t i = 0; i < 2; i++) {
        struct party_sock sock = {.fd = -1, .family = families[i], .timeout_ms = -1};
        struct party_sock *conn = NULL;
        struct party_address peer;
        play(script);
        expected_events = POLLIN;
        int r = party_sock_accept(&sock, &conn, &peer);
        assert_int_equal(accepted(r, conn), 9);
        assert_int_equal(asked_for_peer, families[i] == AF_INET);
        assert_int_equal(peer.len, 0);
        assert_played_out();
    }
}

static void test_accept_within_tries_first_where_it_cannot_block(void **state)
{
    (void)state;
    static const struct step ready[] = {{STEP_CALL, 9, 0, 0}, {0}};
    static const struct step later[] = {{STEP_CALL, -EAGAIN, 0, 0},
                                        {STEP_POLL, -EINTR, 50, 20000},
                                        {STEP_INTERRUPT, 0, 0, 0},
                                        {STEP_POLL, 1, 30, 10000},
                                        {STEP_CALL, -EAGAIN, 0, 0},
                                        {STEP_POLL, 0, 20, 20000},
                                        {0}};
    static const struct step never[] = {{STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 0, 0, 0}, {0}};
    static const struct step for_ever[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 1, -1, 0}, {STEP_CALL, 9, 0, 0}, {0}};
    play_accept_within(ready, 0, 50, 9);
    play_accept_within(ready, 5, 50, 9);
    play_accept_within(later, 0, 50, PARTY_ETIMEOUT);
    play_accept_within(later, 5, 50, PARTY_ETIMEOUT);
    play_accept_within(never, 5, 0, -EAGAIN);
    play_accept_within(for_ever, 0, -1, 9);
}

static void test_accept_within_waits_first_where_it_could_block(void **state)
{
    (void)state;
    static const struct step ready[] = {{STEP_POLL, 1, 50, 0}, {STEP_CALL, 9, 0, 0}, {0}};
    static const struct step late[] = {{STEP_POLL, 0, 50, 50000}, {0}};
    static const struct step not_now[] = {{STEP_POLL, -EINTR, 0, 0}, {STEP_POLL, 0, 0, 0}, {0}};
    static const struct step now[] = {{STEP_POLL, 1, 0, 0}, {STEP_CALL, 9, 0, 0}, {0}};
    static const struct step broken[] = {{STEP_POLL, -ENOMEM, 0, 0}, {0}};
    static const struct step interrupted[] = {
        {STEP_POLL, 1, 50, 10000},  {STEP_CALL, -EINTR, 0, 0},  {STEP_INTERRUPT, 0, 0, 0},
        {STEP_POLL, -EINTR, 40, 0}, {STEP_INTERRUPT, -8, 0, 0}, {0}};
    static const struct step for_ever[] = {
        {STEP_CALL, -EINTR, 0, 0}, {STEP_INTERRUPT, 0, 0, 0}, {STEP_CALL, 9, 0, 0}, {0}};
    /* An SO_RCVTIMEO of the caller's has ended it. */
    static const struct step ended[] = {{STEP_CALL, -EAGAIN, 0, 0}, {0}};
    play_accept_within(ready, -1, 50, 9);
    play_accept_within(late, -1, 50, PARTY_ETIMEOUT);
    play_accept_within(not_now, -1, 0, -EAGAIN);
    play_accept_within(now, -1, 0, 9);
    play_accept_within(broken, -1, 0, -ENOMEM);
    play_accept_within(interrupted, -1, 50, -8);
    play_accept_within(for_ever, -1, -1, 9);
    play_accept_within(ended, -1, -1, -EAGAIN);
}

static void assert_control(size_t *cursor, int type, const void *data, size_t len)
{
    struct party_sock_message message = {.control = last_control, .control_len = last_control_len};
    struct party_sock_cmsg cmsg;
    assert_int_equal(party_sock_cmsg_next(&message, cursor, &cmsg), 1);
    assert_int_equal(cmsg.level, SOL_ALG);
    assert_int_equal(cmsg.type, type);
    assert_int_equal(cmsg.len, len);
    assert_memory_equal(cmsg.data, data, len);
}

static void test_afalg_tells_operation_vector_and_length(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, 0, 0, 0}, {0}};
    struct party_sock sock = {.fd = -1, .timeout_ms = -1};
    struct party_sock_afalg afalg = {
        .op = ALG_OP_ENCRYPT, .iv = "0123456789ab", .iv_len = 12, .assoclen = 20};
    const uint32_t op = ALG_OP_ENCRYPT;
    const uint32_t assoclen = 20;
    struct {
        uint32_t len;
        char bytes[12];
    } iv = {.len = 12};
    memcpy(iv.bytes, afalg.iv, sizeof(iv.bytes));

    play(script);
    assert_int_equal(party_sock_sendmsg_afalg(&sock, NULL, 0, &afalg, 0), 0);
    assert_played_out();
    size_t cursor = 0;
    assert_control(&cursor, ALG_SET_OP, &op, sizeof(op));
    assert_control(&cursor, ALG_SET_IV, &iv, sizeof(iv));
    assert_control(&cursor, ALG_SET_AEAD_ASSOCLEN, &assoclen, sizeof(assoclen));
    assert_int_equal(cursor, last_control_len);

    afalg.iv = NULL;
    afalg.assoclen = -1;
    play(script);
    assert_int_equal(party_sock_sendmsg_afalg(&sock, NULL, 0, &afalg, 0), 0);
    assert_played_out();
    cursor = 0;
    assert_control(&cursor, ALG_SET_OP, &op, sizeof(op));
    assert_int_equal(cursor, last_control_len);
}

static void test_calls_of_nothing_are_pythons(void **state)
{
    (void)state;
    static const struct step none[] = {{0}};
    static const struct step once[] = {{STEP_CALL, 0, 0, 0}, {0}};
    struct party_sock sock = {.fd = -1, .timeout_ms = -1};
    play(none);
    assert_int_equal(party_sock_recv(&sock, NULL, 0, 0), 0);
    assert_played_out();
    /* These take a datagram, or wait for one. */
    play(once);
    assert_int_equal(party_sock_recvfrom(&sock, NULL, 0, 0, NULL), 0);
    assert_played_out();
    play(once);
    struct party_sock_message message = {0};
    assert_int_equal(party_sock_recvmsg(&sock, &message, 0), 0);
    assert_played_out();
    /* And these send one. */
    play(once);
    assert_int_equal(party_sock_send(&sock, NULL, 0, 0), 0);
    assert_played_out();
    play(once);
    assert_int_equal(party_sock_sendall(&sock, NULL, 0, 0), 0);
    assert_played_out();
    play(once);
    assert_int_equal(party_sock_sendmsg(&sock, &message, 0), 0);
    assert_played_out();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_ready_is_one_system_call),
        cmocka_unit_test(test_what_is_not_ready_is_one_poll_more),
        cmocka_unit_test(test_timeout_zero_never_polls),
        cmocka_unit_test(test_timeout_runs_out),
        cmocka_unit_test(test_deadline_stands_through_interruptions_and_false_promises),
        cmocka_unit_test(test_promises_that_are_always_false_do_not_make_it_spin),
        cmocka_unit_test(test_interrupted_blocking_call_is_made_again),
        cmocka_unit_test(test_interrupt_function_lets_the_call_go_on),
        cmocka_unit_test(test_interrupt_function_ends_a_blocking_call),
        cmocka_unit_test(test_interrupt_function_ends_a_wait),
        cmocka_unit_test(test_failure_of_poll_is_the_result),
        cmocka_unit_test(test_every_other_error_ends_the_call_at_once),
        cmocka_unit_test(test_sendall_has_one_deadline_and_asks_the_interrupt_function),
        cmocka_unit_test(test_interrupt_function_ends_a_sendall_between_its_parts),
        cmocka_unit_test(test_accept_of_a_cipher_asks_for_no_peer),
        cmocka_unit_test(test_what_is_received_beside_the_data_is_waited_for_by_its_own_event),
        cmocka_unit_test(test_accept_within_tries_first_where_it_cannot_block),
        cmocka_unit_test(test_accept_within_waits_first_where_it_could_block),
        cmocka_unit_test(test_afalg_tells_operation_vector_and_length),
        cmocka_unit_test(test_calls_of_nothing_are_pythons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
