/* SPDX-License-Identifier: MIT */
#include "server/stream_tls_test_util.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include "server/stream_internal.h"
#include "sock/tls_memory_test_util.h"

/* OpenSSL's memory: how much an idle stream holds, and what happens when there is none. */

/* ---- idle ---- */

#define IDLE_STREAMS 50

/* The peers are a process of their own, so that their memory is not counted. Never returns. */
static void be_the_peers(const int *fds, int until_closed)
{
    static const struct party_tls_options options = {.server_hostname = "localhost"};
    struct party_tls *tls[IDLE_STREAMS];
    bool good = true;
    for (int i = 0; i < IDLE_STREAMS; i++) {
        struct party_sock *sock = NULL;
        char c;
        good = good && party_sock_adopt(fds[i], -1, -1, -1, &sock) == 0 &&
               party_sock_settimeout(sock, TEST_LONG_MS) == 0 &&
               party_tls_wrap_socket(client_context, sock, &options, &tls[i]) == 0 &&
               party_tls_sendall(tls[i], "x", 1) == 0 && party_tls_recv_into(tls[i], &c, 1) == 1;
    }
    char c;
    ssize_t n = good ? read(until_closed, &c, 1) : -1;
    _exit(n == 0 ? 0 : 1);
}

static void test_idle_streams_hold_little(void **state)
{
    struct bench *bench = *state;
    static struct probe *probes[IDLE_STREAMS];
    int peers[IDLE_STREAMS], hold[2];
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    size_t before = used_bytes;
    for (int i = 0; i < IDLE_STREAMS; i++) {
        probes[i] = probe_open(bench->loop, bench->kind, NULL);
        peers[i] = probes[i]->peer;
        probes[i]->peer = -1;
        int flags = fcntl(peers[i], F_GETFL);
        assert_int_equal(fcntl(peers[i], F_SETFL, flags & ~O_NONBLOCK), 0);
        assert_result(party_stream_start_tls(probes[i]->stream, server_context, NULL), 0);
    }
    pid_t pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
        close(hold[1]);
        be_the_peers(peers, hold[0]);
    }
    close(hold[0]);
    for (int i = 0; i < IDLE_STREAMS; i++) {
        close(peers[i]);
        await(bench->loop, probes[i]->len == 1);
        party_stream_write(probes[i]->stream, "y", 1);
        settle_loop(bench->loop);
    }
    size_t each = (used_bytes - before) / IDLE_STREAMS;
    size_t own = sizeof(struct party_stream) + sizeof(struct party__stream_tls);
    print_message("an idle TLS 1.3 stream holds %zu bytes in OpenSSL and %zu of its own\n", each,
                  own);
    assert_in_range(each, 1, 20 * 1024);
    close(hold[1]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    for (int i = 0; i < IDLE_STREAMS; i++) {
        probe_free(probes[i]);
    }
}

/* ---- none ---- */

/* A whole life, from the contexts on. Returns: the first failure. */
static int whole_life(struct bench *bench)
{
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    struct party_tls_settings settings = {.keypairs = &pair, .keypair_count = 1};
    struct party_tls_settings trust = {.ca_file = test_pki_file("ca")};
    struct party_tls_options options = {.server_hostname = "localhost"};
    struct party_tls_context *server = NULL, *client = NULL;
    struct probe *p = probe_open(bench->loop, bench->kind, NULL);
    struct party_sock *sock = NULL;
    struct party_tls *tls = NULL;
    party_stream_set_user(p->stream, &tls_ops, p);
    assert_result(party_sock_adopt(p->peer, -1, -1, -1, &sock), 0);
    p->peer = -1;
    int r = party_tls_context_create(PARTY_TLS_SERVER, &settings, NULL, 0, &server);
    r = r < 0 ? r : party_tls_context_create(PARTY_TLS_CLIENT, &trust, NULL, 0, &client);
    r = r < 0 ? r : party_stream_start_tls(p->stream, server, NULL);
    r = r < 0 ? r : party_tls_wrap_socket(client, sock, &options, &tls);
    sock = tls ? NULL : sock;
    int shaken = r < 0 ? r : -EAGAIN;
    for (int i = 0; i < 50 && shaken == -EAGAIN; i++) {
        shaken = party_tls_do_handshake(tls);
        run_turn(bench->loop);
    }
    r = r < 0 ? r : shaken;
    r = r < 0 ? r : party_tls_sendall(tls, "in", 2);
    for (int i = 0; r == 0 && i < 20 && p->closes == 0 && p->len == 0; i++) {
        run_turn(bench->loop);
    }
    if (p->closes == 0) {
        party_stream_finish(p->stream);
        settle_loop(bench->loop);
    }
    party_tls_close(tls);
    (void)party_sock_close(sock);
    await(bench->loop, p->closes == 1);
    r = p->reason < 0 ? p->reason : r;
    probe_free(p);
    party_tls_context_unref(server);
    party_tls_context_unref(client);
    return r;
}

static int fail_nth(struct bench *bench, long n)
{
    failed = false;
    fail_in = n;
    int r = whole_life(bench);
    fail_in = 0;
    assert_false(openssl_has_errors());
    return r;
}

static void test_no_memory_in_openssl_breaks_nothing_else(void **state)
{
    struct bench *bench = *state;
    assert_result(whole_life(bench), 0);
    assert_result(whole_life(bench), 0);
    size_t refused = 0, runs = 0, leaks = 0;
    failed = true;
    for (long n = 1; failed; n += n < 300 ? 1 : 41) {
        (void)fail_nth(bench, n); /* OpenSSL may keep for ever what it makes at first use */
        size_t before = used_bytes;
        refused += fail_nth(bench, n) < 0;
        leaks += used_bytes != before;
        runs++;
    }
    print_message("%zu runs, %zu of them failed, %zu left memory behind\n", runs, refused, leaks);
    assert_true(refused > 50);
    assert_int_equal(leaks, 0);
    assert_result(whole_life(bench), 0);
}

int main(void)
{
    if (!count_openssl_memory()) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        ON_UNIX(test_idle_streams_hold_little),
        ON_UNIX(test_no_memory_in_openssl_breaks_nothing_else),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
