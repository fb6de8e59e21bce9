/* SPDX-License-Identifier: MIT */
#include <partyline/datagram.h>

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

/* A time-out that is meant to run out. */
#define TEST_SHORT_MS 1

#define ROOM_BYTES    2048
#define COUNT_MAX     100

/* What the kernel is made to do by the tests of segments. */
static bool kernel_lacks_gso;
static int gso_error;     /* sendmmsg refuses messages with UDP_SEGMENT so; 0: takes them */
static int messages_left; /* sendmmsg takes so many messages in all, then fails with EIO; -1: all */
static int gso_send_count; /* messages with UDP_SEGMENT that were sent */

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    if (kernel_lacks_gso && level == IPPROTO_UDP && name == UDP_SEGMENT) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return __real_getsockopt(fd, level, name, value, len);
}

static bool is_gso(struct msghdr *header)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_SEGMENT) {
            return true;
        }
    }
    return false;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    unsigned most =
        messages_left >= 0 && (unsigned)messages_left < count ? (unsigned)messages_left : count;
    for (unsigned i = 0; i < most; i++) {
        if (gso_error != 0 && is_gso(&messages[i].msg_hdr)) {
            most = i;
        }
    }
    if (most == 0) {
        errno = gso_error != 0 ? gso_error : EIO;
        return -1;
    }
    int n = __real_sendmmsg(fd, messages, most, flags);
    for (int i = 0; i < n; i++) {
        gso_send_count += is_gso(&messages[i].msg_hdr);
    }
    messages_left -= messages_left >= 0 && n > 0 ? n : 0;
    return n;
}

static int let_kernel_be(void **state)
{
    (void)state;
    kernel_lacks_gso = false;
    gso_error = 0;
    messages_left = -1;
    gso_send_count = 0;
    return 0;
}

/* A UDP socket at text; *ret_address is where. */
static struct party_sock *udp_at(const char *text, struct party_address *ret_address)
{
    struct party_address address = test_address(text);
    struct party_sock *sock;
    assert_result(party_sock_socket(party_address_family(&address), SOCK_DGRAM, 0, &sock), 0);
    assert_result(party_sock_settimeout(sock, TEST_LONG_MS), 0);
    /* As much as the kernel gives: nothing may be dropped while both ends are in one thread. */
    assert_result(party_sock_setsockopt(sock, SOL_SOCKET, SO_RCVBUF, 1 << 20), 0);
    assert_result(party_sock_bind(sock, &address), 0);
    assert_result(party_sock_getsockname(sock, ret_address), 0);
    return sock;
}

static struct party_sock *udp_to(const struct party_address *address)
{
    struct party_sock *sock;
    assert_result(party_sock_socket(party_address_family(address), SOCK_DGRAM, 0, &sock), 0);
    assert_result(party_sock_settimeout(sock, TEST_LONG_MS), 0);
    assert_result(party_sock_connect(sock, address), 0);
    return sock;
}

struct room {
    struct party_datagram datagrams[COUNT_MAX];
    uint8_t bytes[COUNT_MAX][ROOM_BYTES];
};

static struct room *make_room(void)
{
    struct room *room = calloc(1, sizeof(*room));
    assert_non_null(room);
    for (size_t i = 0; i < COUNT_MAX; i++) {
        room->datagrams[i].data = room->bytes[i];
        room->datagrams[i].cap = ROOM_BYTES;
    }
    return room;
}

/* count datagrams "number 0", "number 1" ... to send. */
static struct room *make_numbered(size_t count)
{
    struct room *room = make_room();
    for (size_t i = 0; i < count; i++) {
        int len = snprintf((char *)room->bytes[i], ROOM_BYTES, "number %zu", i);
        room->datagrams[i].len = (size_t)len;
    }
    return room;
}

static void assert_numbered(const struct party_datagram *datagram, size_t number)
{
    char wanted[32];
    int len = snprintf(wanted, sizeof(wanted), "number %zu", number);
    assert_int_equal(datagram->len, len);
    assert_memory_equal(datagram->data, wanted, (size_t)len);
    assert_int_equal(datagram->lost_len, 0);
    assert_int_equal(datagram->segment_len, 0);
}

/* Sending only reads what the pointer, which is not const, leads to. */
static struct party_datagram text_datagram(const char *text)
{
    return (struct party_datagram){.data = (void *)(uintptr_t)text, .len = strlen(text)};
}

/* ---- batches ---- */

static void test_a_long_batch_arrives_in_order_and_in_parts(void **state)
{
    (void)state;
    struct party_address address;
    struct party_address client_address;
    struct party_sock *server = udp_at("127.0.0.1:0", &address);
    struct party_sock *client = udp_to(&address);
    assert_result(party_sock_getsockname(client, &client_address), 0);
    struct room *out = make_numbered(COUNT_MAX);
    struct room *in = make_room();
    assert_result(party_datagram_send_batch(client, out->datagrams, COUNT_MAX), COUNT_MAX);
    assert_ptr_equal(out->datagrams[3].data, out->bytes[3]);
    assert_int_equal(out->datagrams[3].len, 8);
    assert_result(party_datagram_recv_batch(server, in->datagrams, COUNT_MAX),
                  PARTY_DATAGRAM_BATCH_MAX);
    size_t first = PARTY_DATAGRAM_BATCH_MAX;
    assert_result(party_datagram_recv_batch(server, &in->datagrams[first], COUNT_MAX - first),
                  (int)(COUNT_MAX - first));
    for (size_t i = 0; i < COUNT_MAX; i++) {
        assert_numbered(&in->datagrams[i], i);
        assert_true(party_address_equal(&in->datagrams[i].peer, &client_address));
        assert_int_equal(in->datagrams[i].local.len, 0);
    }
    free(in);
    free(out);
    party_sock_close(client);
    party_sock_close(server);
}

static void test_a_received_batch_can_be_sent_back_as_it_is(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = udp_at("127.0.0.1:0", &address);
    struct party_sock *clients[2] = {udp_to(&address), udp_to(&address)};
    assert_result(party_sock_sendall(clients[0], "zero", 4, 0), 0);
    assert_result(party_sock_sendall(clients[1], "one", 3, 0), 0);
    struct room *room = make_room();
    assert_result(party_datagram_recv_batch(server, room->datagrams, COUNT_MAX), 2);
    assert_result(party_datagram_send_batch(server, room->datagrams, 2), 2);
    char buf[8] = "";
    assert_result(party_sock_recv_into(clients[0], buf, sizeof(buf), 0), 4);
    assert_string_equal(buf, "zero");
    assert_result(party_sock_recv_into(clients[1], buf, sizeof(buf), 0), 3);
    assert_memory_equal(buf, "one", 3);
    free(room);
    party_sock_close(clients[0]);
    party_sock_close(clients[1]);
    party_sock_close(server);
}

static void test_receiving_waits_for_the_first_alone(void **state)
{
    (void)state;
    static const int64_t timeouts[] = {-1, TEST_LONG_MS, 0};
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_DGRAM, &a, &b);
    for (size_t i = 0; i < 3; i++) {
        struct room *room = make_room();
        assert_result(party_sock_settimeout(b, timeouts[i]), 0);
        assert_result(party_sock_sendall(a, "x", 1, 0), 0);
        assert_result(party_datagram_recv_batch(b, room->datagrams, COUNT_MAX), 1);
        assert_int_equal(room->datagrams[0].len, 1);
        assert_int_equal(room->datagrams[0].peer.len, 0);
        free(room);
    }
    party_sock_close(a);
    party_sock_close(b);
}

static void test_receiving_obeys_the_timeout(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_DGRAM, &a, &b);
    struct room *room = make_room();
    assert_result(party_sock_settimeout(b, 0), 0);
    assert_result(party_datagram_recv_batch(b, room->datagrams, COUNT_MAX), -EAGAIN);
    assert_result(party_sock_settimeout(b, TEST_SHORT_MS), 0);
    assert_result(party_datagram_recv_batch(b, room->datagrams, COUNT_MAX), PARTY_ETIMEOUT);
    assert_result(party_datagram_recv_batch(b, NULL, 0), 0);
    free(room);
    party_sock_close(a);
    party_sock_close(b);
}

static int recv_one(struct test_call *call)
{
    struct party_datagram datagram = {.data = call->buf, .cap = sizeof(call->buf)};
    return party_datagram_recv_batch(call->sock, &datagram, 1);
}

static void test_interrupted_receiving_goes_on(void **state)
{
    (void)state;
    static const int64_t timeouts[] = {-1, TEST_LONG_MS};
    for (size_t i = 0; i < 2; i++) {
        struct test_call call = {.fn = recv_one};
        struct party_sock *peer;
        test_pair(SOCK_DGRAM, &call.sock, &peer);
        assert_result(party_sock_settimeout(call.sock, timeouts[i]), 0);
        test_call_start(&call);
        test_call_interrupt(&call, 3);
        assert_result(party_sock_sendall(peer, "x", 1, 0), 0);
        assert_result(test_call_join(&call), 1);
        party_sock_close(call.sock);
        party_sock_close(peer);
    }
}

static void test_sending_obeys_the_timeout_and_tells_how_many_went(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_DGRAM, &a, &b);
    struct room *out = make_numbered(COUNT_MAX);
    struct room *in = make_room();
    assert_result(party_sock_settimeout(a, TEST_SHORT_MS), 0);
    size_t sent = 0;
    int n;
    do {
        n = party_datagram_send_batch(a, out->datagrams, COUNT_MAX);
        sent += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    assert_result(n, PARTY_ETIMEOUT);
    assert_result(party_sock_settimeout(a, 0), 0);
    assert_result(party_datagram_send_batch(a, out->datagrams, 1), -EAGAIN);
    assert_result(party_sock_settimeout(b, 0), 0);
    size_t came = 0;
    while ((n = party_datagram_recv_batch(b, in->datagrams, COUNT_MAX)) > 0) {
        came += (size_t)n;
    }
    assert_result(n, -EAGAIN);
    assert_int_equal(came, sent);
    free(in);
    free(out);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_a_datagram_without_room_is_told(void **state)
{
    (void)state;
    static const int types[] = {AF_INET, AF_UNIX};
    for (size_t i = 0; i < 2; i++) {
        struct party_address address;
        struct party_sock *a = udp_at(types[i] == AF_INET ? "127.0.0.1:0" : "unix:auto", &address);
        struct party_sock *b = udp_to(&address);
        struct room *out = make_numbered(3);
        struct room *in = make_room();
        out->datagrams[0].len = 300;
        out->datagrams[2].len = 0;
        in->datagrams[0].cap = 100;
        assert_result(party_datagram_send_batch(b, out->datagrams, 3), 3);
        assert_result(party_datagram_recv_batch(a, in->datagrams, COUNT_MAX), 3);
        assert_int_equal(in->datagrams[0].len, 100);
        assert_int_equal(in->datagrams[0].lost_len, 200);
        assert_numbered(&in->datagrams[1], 1);
        assert_int_equal(in->datagrams[2].len, 0);
        assert_int_equal(in->datagrams[2].lost_len, 0);
        free(in);
        free(out);
        party_sock_close(b);
        party_sock_close(a);
    }
}

static void test_errors_are_the_kernels(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = udp_at("127.0.0.1:0", &address);
    struct party_sock *client = udp_to(&address);
    static uint8_t big[70000];
    struct party_datagram datagrams[2] = {{.data = big, .len = 1}, {.data = big, .len = 70000}};
    assert_result(party_datagram_send_batch(client, datagrams, 2), 1);
    assert_result(party_datagram_send_batch(client, &datagrams[1], 1), -EMSGSIZE);
    party_sock_close(server);
    datagrams[0].cap = sizeof(big);
    assert_result(party_datagram_send_batch(client, datagrams, 1), 1);
    assert_result(party_datagram_recv_batch(client, datagrams, 1), -ECONNREFUSED);
    assert_int_equal(close(party_sock_detach(client)), 0);
}

static void test_a_lost_descriptor_is_ebadf(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *sock = udp_at("127.0.0.1:0", &address);
    uint8_t byte = 0;
    struct party_datagram datagram = {.data = &byte, .cap = 1, .len = 1, .peer = address};
    assert_int_equal(close(party_sock_fileno(sock)), 0);
    assert_result(party_datagram_enable(sock, PARTY_DATAGRAM_LOCAL), -EBADF);
    assert_result(party_datagram_enable(sock, PARTY_DATAGRAM_GRO), -EBADF);
    assert_result(party_datagram_send_batch(sock, &datagram, 1), -EBADF);
    assert_result(party_datagram_recv_batch(sock, &datagram, 1), -EBADF);
    assert_true(party_sock_detach(sock) >= 0);
}

/* ---- the address it was sent to ---- */

static void test_enable_says_what_the_socket_has(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *udp = udp_at("127.0.0.1:0", &address);
    struct party_sock *local = udp_at("unix:auto", &address);
    struct party_sock *tcp;
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &tcp), 0);
    unsigned all = PARTY_DATAGRAM_LOCAL | PARTY_DATAGRAM_GRO;
    assert_result(party_datagram_enable(udp, 0), 0);
    assert_result(party_datagram_enable(udp, PARTY_DATAGRAM_LOCAL), PARTY_DATAGRAM_LOCAL);
    assert_result(party_datagram_enable(local, all), 0);
    assert_result(party_datagram_enable(tcp, PARTY_DATAGRAM_GRO), 0);
    assert_result(party_datagram_enable(udp, 4), -EINVAL);
    party_sock_close(tcp);
    party_sock_close(local);
    party_sock_close(udp);
}

/* A server on a wildcard hears a client that asked at text, and answers: the client is connected to
   that address, and the kernel drops what comes to it from another. */
static void answer_from(const char *wildcard, const char *text)
{
    struct party_address address;
    struct party_sock *server = udp_at(wildcard, &address);
    assert_result(party_datagram_enable(server, PARTY_DATAGRAM_LOCAL), PARTY_DATAGRAM_LOCAL);
    struct party_address asked = test_address(text);
    party_address_set_port(&asked, party_address_port(&address));
    struct party_sock *client = udp_to(&asked);
    assert_result(party_sock_sendall(client, "ask", 3, 0), 0);
    struct room *room = make_room();
    assert_result(party_datagram_recv_batch(server, room->datagrams, COUNT_MAX), 1);
    party_address_set_port(&asked, 0);
    assert_true(party_address_equal(&room->datagrams[0].local, &asked));
    assert_result(party_datagram_send_batch(server, room->datagrams, 1), 1);
    char buf[8];
    assert_result(party_sock_recv_into(client, buf, sizeof(buf), 0), 3);
    free(room);
    party_sock_close(client);
    party_sock_close(server);
}

static void test_a_wildcard_server_answers_from_the_address_that_was_asked(void **state)
{
    (void)state;
    answer_from("0.0.0.0:0", "127.0.0.1:0");
    answer_from("0.0.0.0:0", "127.0.0.2:0");
    answer_from("0.0.0.0:0", "127.1.2.3:0");
    answer_from("[::]:0", "[::1]:0");
    answer_from("[::]:0", "127.0.0.2:0");
}

static void test_without_enabling_the_answer_comes_from_elsewhere(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = udp_at("0.0.0.0:0", &address);
    struct party_address asked = test_address("127.0.0.2:0");
    party_address_set_port(&asked, party_address_port(&address));
    struct party_address client_address;
    struct party_sock *client = udp_at("127.0.0.1:0", &client_address);
    struct party_datagram ask = text_datagram("ask");
    ask.peer = asked;
    assert_result(party_datagram_send_batch(client, &ask, 1), 1);
    struct room *room = make_room();
    assert_result(party_datagram_recv_batch(server, room->datagrams, 1), 1);
    assert_int_equal(room->datagrams[0].local.len, 0);
    assert_result(party_datagram_send_batch(server, room->datagrams, 1), 1);
    assert_result(party_datagram_recv_batch(client, room->datagrams, 1), 1);
    assert_false(party_address_equal(&room->datagrams[0].peer, &asked));
    free(room);
    party_sock_close(client);
    party_sock_close(server);
}

static void test_a_local_that_is_not_ours_is_refused(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = udp_at("127.0.0.1:0", &address);
    struct party_sock *client = udp_to(&address);
    struct party_datagram datagram = text_datagram("x");
    datagram.local = test_address("192.0.2.1:0");
    /* Which of them depends on the machine's routes. */
    int r = party_datagram_send_batch(client, &datagram, 1);
    assert_true(r == -EINVAL || r == -ENETUNREACH);
    party_sock_close(client);
    party_sock_close(server);
}

/* ---- segments ---- */

enum { SEGMENT = 500, SEGMENTS = 150, LONG_LEN = SEGMENTS * SEGMENT - 1 };

static uint8_t long_bytes[LONG_LEN];

static struct party_datagram long_datagram(void)
{
    for (size_t i = 0; i < LONG_LEN; i++) {
        long_bytes[i] = (uint8_t)(i / SEGMENT + i);
    }
    return (struct party_datagram){.data = long_bytes, .len = LONG_LEN, .segment_len = SEGMENT};
}

/* Reads what was sent until offset is len, each datagram as long as it has to be. */
static size_t take_segments(struct party_sock *server, size_t offset, size_t len)
{
    struct room *room = make_room();
    while (offset < len) {
        size_t left = (len - offset + SEGMENT - 1) / SEGMENT;
        int n =
            party_datagram_recv_batch(server, room->datagrams, left < COUNT_MAX ? left : COUNT_MAX);
        assert_true(n > 0);
        for (int i = 0; i < n; i++) {
            size_t wanted = len - offset < SEGMENT ? len - offset : SEGMENT;
            assert_int_equal(room->datagrams[i].len, wanted);
            assert_memory_equal(room->datagrams[i].data, &long_bytes[offset], wanted);
            offset += wanted;
        }
    }
    free(room);
    return offset;
}

static void send_segments(void)
{
    struct party_address address;
    struct party_sock *server = udp_at("127.0.0.1:0", &address);
    struct party_sock *client = udp_to(&address);
    struct party_datagram datagrams[2] = {long_datagram(), text_datagram("end")};
    assert_result(party_datagram_send_batch(client, datagrams, 2), 2);
    assert_ptr_equal(datagrams[0].data, long_bytes);
    assert_int_equal(datagrams[0].len, LONG_LEN);
    (void)take_segments(server, 0, LONG_LEN);
    char end[4] = "";
    assert_result(party_sock_recv_into(server, end, sizeof(end), 0), 3);
    assert_string_equal(end, "end");
    party_sock_close(client);
    party_sock_close(server);
}

static void test_segments_arrive_as_datagrams(void **state)
{
    (void)state;
    send_segments();
}

static void test_segments_are_sent_one_by_one_without_the_kernels_help(void **state)
{
    (void)state;
    kernel_lacks_gso = true;
    send_segments();
    assert_int_equal(gso_send_count, 0);
}

static void test_segments_are_sent_one_by_one_when_the_kernel_refuses(void **state)
{
    (void)state;
    static const int errors[] = {EINVAL, EIO, EMSGSIZE, EOPNOTSUPP, ENOPROTOOPT};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        gso_error = errors[i];
        send_segments();
        assert_int_equal(gso_send_count, 0);
    }
}

static void test_segments_on_a_unix_socket_are_datagrams(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_DGRAM, &a, &b);
    struct party_datagram datagram = text_datagram("abcde");
    datagram.segment_len = 2;
    assert_result(party_datagram_send_batch(a, &datagram, 1), 1);
    struct room *room = make_room();
    assert_result(party_datagram_recv_batch(b, room->datagrams, COUNT_MAX), 3);
    assert_memory_equal(room->bytes[1], "cd", 2);
    assert_int_equal(room->datagrams[2].len, 1);
    free(room);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_an_error_amid_segments_leaves_what_is_to_be_sent(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = udp_at("127.0.0.1:0", &address);
    struct party_sock *client = udp_to(&address);
    struct party_datagram datagrams[2] = {text_datagram("first"), long_datagram()};
    kernel_lacks_gso = true;
    messages_left = 1 + 70;
    assert_result(party_datagram_send_batch(client, datagrams, 2), 1);
    assert_int_equal(datagrams[0].len, 5);
    assert_ptr_equal(datagrams[1].data, &long_bytes[70 * SEGMENT]);
    assert_int_equal(datagrams[1].len, LONG_LEN - 70 * SEGMENT);
    assert_result(party_datagram_send_batch(client, &datagrams[1], 1), -EIO);
    messages_left = -1;
    assert_result(party_datagram_send_batch(client, &datagrams[1], 1), 1);
    char first[8] = "";
    assert_result(party_sock_recv_into(server, first, sizeof(first), 0), 5);
    (void)take_segments(server, 0, LONG_LEN);
    party_sock_close(client);
    party_sock_close(server);
}

static void test_coalesced_datagrams_are_taken_apart(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = udp_at("127.0.0.1:0", &address);
    struct party_sock *client = udp_to(&address);
    int have = party_datagram_enable(server, PARTY_DATAGRAM_GRO | PARTY_DATAGRAM_LOCAL);
    assert_true(have >= 0);
    struct party_datagram out = long_datagram();
    assert_result(party_datagram_send_batch(client, &out, 1), 1);
    uint8_t *room = malloc(PARTY_DATAGRAM_ROOM_BYTES);
    assert_non_null(room);
    size_t offset = 0;
    int coalesced = 0;
    while (offset < LONG_LEN) {
        struct party_datagram in = {.data = room, .cap = PARTY_DATAGRAM_ROOM_BYTES};
        assert_result(party_datagram_recv_batch(server, &in, 1), 1);
        assert_int_equal(in.lost_len, 0);
        coalesced += in.segment_len > 0;
        size_t cursor = 0;
        const void *data;
        size_t len;
        while (party_datagram_next(&in, &cursor, &data, &len)) {
            assert_int_equal(len, LONG_LEN - offset < SEGMENT ? LONG_LEN - offset : SEGMENT);
            assert_memory_equal(data, &long_bytes[offset], len);
            offset += len;
        }
    }
    if ((have & (int)PARTY_DATAGRAM_GRO) != 0 && gso_send_count > 0) {
        assert_int_equal(coalesced, gso_send_count);
    }
    free(room);
    party_sock_close(client);
    party_sock_close(server);
}

static void test_next_gives_an_empty_datagram_once(void **state)
{
    (void)state;
    struct party_datagram datagram = {.data = long_bytes, .len = 0};
    size_t cursor = 0;
    const void *data;
    size_t len = 1;
    assert_true(party_datagram_next(&datagram, &cursor, &data, &len));
    assert_int_equal(len, 0);
    assert_false(party_datagram_next(&datagram, &cursor, &data, &len));
    datagram.len = 4;
    datagram.segment_len = 2;
    cursor = 0;
    assert_true(party_datagram_next(&datagram, &cursor, &data, &len));
    assert_true(party_datagram_next(&datagram, &cursor, &data, &len));
    assert_ptr_equal(data, &long_bytes[2]);
    assert_false(party_datagram_next(&datagram, &cursor, &data, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_long_batch_arrives_in_order_and_in_parts, let_kernel_be),
        cmocka_unit_test_setup(test_a_received_batch_can_be_sent_back_as_it_is, let_kernel_be),
        cmocka_unit_test_setup(test_receiving_waits_for_the_first_alone, let_kernel_be),
        cmocka_unit_test_setup(test_receiving_obeys_the_timeout, let_kernel_be),
        cmocka_unit_test_setup(test_interrupted_receiving_goes_on, let_kernel_be),
        cmocka_unit_test_setup(test_sending_obeys_the_timeout_and_tells_how_many_went,
                               let_kernel_be),
        cmocka_unit_test_setup(test_a_datagram_without_room_is_told, let_kernel_be),
        cmocka_unit_test_setup(test_errors_are_the_kernels, let_kernel_be),
        cmocka_unit_test_setup(test_a_lost_descriptor_is_ebadf, let_kernel_be),
        cmocka_unit_test_setup(test_enable_says_what_the_socket_has, let_kernel_be),
        cmocka_unit_test_setup(test_a_wildcard_server_answers_from_the_address_that_was_asked,
                               let_kernel_be),
        cmocka_unit_test_setup(test_without_enabling_the_answer_comes_from_elsewhere,
                               let_kernel_be),
        cmocka_unit_test_setup(test_a_local_that_is_not_ours_is_refused, let_kernel_be),
        cmocka_unit_test_setup(test_segments_arrive_as_datagrams, let_kernel_be),
        cmocka_unit_test_setup(test_segments_are_sent_one_by_one_without_the_kernels_help,
                               let_kernel_be),
        cmocka_unit_test_setup(test_segments_are_sent_one_by_one_when_the_kernel_refuses,
                               let_kernel_be),
        cmocka_unit_test_setup(test_segments_on_a_unix_socket_are_datagrams, let_kernel_be),
        cmocka_unit_test_setup(test_an_error_amid_segments_leaves_what_is_to_be_sent,
                               let_kernel_be),
        cmocka_unit_test_setup(test_coalesced_datagrams_are_taken_apart, let_kernel_be),
        cmocka_unit_test_setup(test_next_gives_an_empty_datagram_once, let_kernel_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
