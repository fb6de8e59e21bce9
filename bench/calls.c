/* SPDX-License-Identifier: MIT */
/*
 * What the library adds to recv(2) and send(2): a byte goes through a socket pair and back out, by
 * libc's calls and by ours in turn, without a time-out and with one. Rounds are interleaved and the
 * least of each counts, because what a machine does besides only adds.
 *
 *     bench/calls [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include <partyline/partyline.h>

#define PAIRS_PER_ROUND 100000

struct pair {
    struct party_sock *a, *b;
    int fd_a, fd_b;
};

static void die(const char *what, int error)
{
    (void)fprintf(stderr, "calls: %s: %s\n", what, party_strerror(error));
    exit(1);
}

static double now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void pair_open(struct pair *pair, int64_t timeout_ms)
{
    int r = party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &pair->a, &pair->b);
    if (r == 0) {
        r = party_sock_settimeout(pair->a, timeout_ms);
    }
    if (r == 0) {
        r = party_sock_settimeout(pair->b, timeout_ms);
    }
    if (r < 0) {
        die("socketpair", r);
    }
    pair->fd_a = party_sock_fileno(pair->a);
    pair->fd_b = party_sock_fileno(pair->b);
}

static double by_libc(const struct pair *pair)
{
    char byte = 'x';
    double began = now_ns();
    for (int i = 0; i < PAIRS_PER_ROUND; i++) {
        if (send(pair->fd_a, &byte, 1, MSG_NOSIGNAL) != 1 || recv(pair->fd_b, &byte, 1, 0) != 1) {
            die("libc", 0);
        }
    }
    return (now_ns() - began) / PAIRS_PER_ROUND;
}

static double by_partyline(const struct pair *pair)
{
    char byte = 'x';
    double began = now_ns();
    for (int i = 0; i < PAIRS_PER_ROUND; i++) {
        if (party_sock_send(pair->a, &byte, 1, 0) != 1 ||
            party_sock_recv_into(pair->b, &byte, 1, 0) != 1) {
            die("partyline", 0);
        }
    }
    return (now_ns() - began) / PAIRS_PER_ROUND;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static void compare(const char *name, int64_t timeout_ms, int rounds)
{
    struct pair pair;
    double libc = 1e12, ours = 1e12;
    pair_open(&pair, timeout_ms);
    for (int i = 0; i < rounds; i++) {
        libc = least(libc, by_libc(&pair));
        ours = least(ours, by_partyline(&pair));
    }
    (void)printf("%-14s libc %6.0f ns, partyline %6.0f ns for a send and a recv: %+.0f ns a call\n",
                 name, libc, ours, (ours - libc) / 2);
    (void)party_sock_close(pair.a);
    (void)party_sock_close(pair.b);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 30;
    compare("no time-out", -1, rounds);
    compare("time-out 10 s", 10000, rounds);
    return 0;
}
