/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <partyline/partyline.h>

/*
 * datagram [ROUNDS]: what a UDP datagram costs over loopback, one call each, in batches, and in
 * batches that the kernel divides and puts together. One thread sends a batch, then receives it, so
 * that nothing is dropped and each half can be measured alone; on loopback the sender also pays for
 * the way to the receiver's queue.
 */

#define BATCH            64
#define PACKET_MAX_BYTES 1200

enum way { WAY_SINGLE, WAY_BATCH, WAY_SEGMENTS };

static const char *const way_names[] = {"one call each", "batches of 64", "batches, GSO and GRO"};

struct bench {
    enum way way;
    size_t size;
    struct party_sock *from;
    struct party_sock *to;
    struct party_datagram datagrams[BATCH];
    uint8_t out[BATCH * PACKET_MAX_BYTES];
    uint8_t in[BATCH][2048];
    uint8_t large[PARTY_DATAGRAM_ROOM_BYTES];
};

static void need(bool well, const char *what)
{
    if (!well) {
        (void)fprintf(stderr, "datagram: %s failed\n", what);
        exit(1);
    }
}

static double cpu_s(void)
{
    struct timespec now;
    need(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0, "clock_gettime");
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double wall_s(void)
{
    struct timespec now;
    need(clock_gettime(CLOCK_MONOTONIC, &now) == 0, "clock_gettime");
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void open_sockets(struct bench *bench)
{
    struct party_address address;
    need(party_address_parse("127.0.0.1:0", &address) == 0 &&
             party_sock_socket(AF_INET, SOCK_DGRAM, 0, &bench->to) == 0 &&
             party_sock_socket(AF_INET, SOCK_DGRAM, 0, &bench->from) == 0 &&
             party_sock_bind(bench->to, &address) == 0 &&
             party_sock_getsockname(bench->to, &address) == 0 &&
             party_sock_connect(bench->from, &address) == 0 &&
             party_sock_setsockopt(bench->to, SOL_SOCKET, SO_RCVBUF, 1 << 20) == 0,
         "opening the sockets");
    if (bench->way == WAY_SEGMENTS) {
        need(party_datagram_enable(bench->to, PARTY_DATAGRAM_GRO) == (int)PARTY_DATAGRAM_GRO,
             "UDP_GRO");
    }
}

/* Every datagram begins with its number. */
static void number(struct bench *bench, uint64_t first)
{
    for (size_t i = 0; i < BATCH; i++) {
        uint64_t n = first + i;
        memcpy(&bench->out[i * bench->size], &n, sizeof(n));
    }
}

static void check(const void *data, size_t len, size_t size, uint64_t wanted)
{
    uint64_t n;
    memcpy(&n, data, sizeof(n));
    need(len == size && n == wanted, "a datagram's way");
}

static void send_all(struct bench *bench)
{
    if (bench->way == WAY_SINGLE) {
        for (size_t i = 0; i < BATCH; i++) {
            need(party_sock_send(bench->from, &bench->out[i * bench->size], bench->size, 0) > 0,
                 "send");
        }
        return;
    }
    if (bench->way == WAY_SEGMENTS) {
        struct party_datagram one = {
            .data = bench->out, .len = BATCH * bench->size, .segment_len = bench->size};
        need(party_datagram_send_batch(bench->from, &one, 1) == 1, "send_batch");
        return;
    }
    for (size_t i = 0; i < BATCH; i++) {
        bench->datagrams[i] =
            (struct party_datagram){.data = &bench->out[i * bench->size], .len = bench->size};
    }
    need(party_datagram_send_batch(bench->from, bench->datagrams, BATCH) == BATCH, "send_batch");
}

static void recv_segments(struct bench *bench, uint64_t first)
{
    for (uint64_t came = 0; came < BATCH;) {
        struct party_datagram one = {.data = bench->large, .cap = sizeof(bench->large)};
        need(party_datagram_recv_batch(bench->to, &one, 1) == 1, "recv_batch");
        size_t cursor = 0;
        const void *data;
        size_t len;
        while (party_datagram_next(&one, &cursor, &data, &len)) {
            check(data, len, bench->size, first + came++);
        }
    }
}

static void recv_all(struct bench *bench, uint64_t first)
{
    if (bench->way == WAY_SEGMENTS) {
        recv_segments(bench, first);
        return;
    }
    if (bench->way == WAY_SINGLE) {
        for (size_t i = 0; i < BATCH; i++) {
            struct party_address peer;
            ssize_t n =
                party_sock_recvfrom(bench->to, bench->in[i], sizeof(bench->in[i]), 0, &peer);
            check(bench->in[i], n > 0 ? (size_t)n : 0, bench->size, first + i);
        }
        return;
    }
    for (size_t came = 0; came < BATCH;) {
        for (size_t i = came; i < BATCH; i++) {
            bench->datagrams[i] =
                (struct party_datagram){.data = bench->in[i], .cap = sizeof(bench->in[i])};
        }
        int n = party_datagram_recv_batch(bench->to, &bench->datagrams[came], BATCH - came);
        need(n > 0, "recv_batch");
        for (int i = 0; i < n; i++, came++) {
            const struct party_datagram *datagram = &bench->datagrams[came];
            check(datagram->data, datagram->len, bench->size, first + came);
        }
    }
}

static void measure(enum way way, size_t size, uint64_t rounds)
{
    static struct bench bench;
    bench.way = way;
    bench.size = size;
    open_sockets(&bench);
    double send_s = 0;
    double recv_s = 0;
    double began_s = wall_s();
    for (uint64_t round = 0; round < rounds; round++) {
        number(&bench, round * BATCH);
        double a_s = cpu_s();
        send_all(&bench);
        double b_s = cpu_s();
        recv_all(&bench, round * BATCH);
        send_s += b_s - a_s;
        recv_s += cpu_s() - b_s;
    }
    double count = (double)(rounds * BATCH);
    (void)printf(
        "%4zu bytes  %-20s %10.0f packets/s  send %6.0f ns  receive %6.0f ns of CPU each\n", size,
        way_names[way], count / (wall_s() - began_s), send_s / count * 1e9, recv_s / count * 1e9);
    (void)party_sock_close(bench.from);
    (void)party_sock_close(bench.to);
}

int main(int argc, char **argv)
{
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;
    static const size_t sizes[] = {64, 1000};
    for (size_t s = 0; s < 2; s++) {
        for (enum way way = WAY_SINGLE; way <= WAY_SEGMENTS; way++) {
            measure(way, sizes[s], rounds);
        }
    }
    return 0;
}
