/* SPDX-License-Identifier: MIT */
#include "sock/tls_test_util.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <partyline/connection.h>

/* Against the TLS of others: Python's ssl and the openssl command, at both ends. */

#define PYTHON  "/usr/bin/python3"
#define OPENSSL "/usr/bin/openssl"

/* A program with its ends of two pipes. */
struct program {
    pid_t pid;
    int in, out;
};

/* The child gets keep_fd, when it is not -1, as that same number. */
static struct program start(const char *const argv[], int keep_fd)
{
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    struct program program = {.pid = fork(), .in = in[1], .out = out[0]};
    assert_int_not_equal(program.pid, -1);
    if (program.pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        if (keep_fd != -1) {
            (void)fcntl(keep_fd, F_SETFD, 0);
        }
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    return program;
}

/* Ends its input, and waits for it. Returns: its exit status; -1 when a signal ended it. */
static int end(struct program *program)
{
    int status = 0;
    close(program->in);
    close(program->out);
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Reads its output until a line with word in it is whole. Returns: from the word on. */
static const char *wait_for(const struct program *program, const char *word)
{
    static char text[8192];
    size_t len = 0;
    for (;;) {
        ssize_t n = read(program->out, text + len, sizeof(text) - 1 - len);
        assert_true(n > 0);
        len += (size_t)n;
        text[len] = '\0';
        const char *found = strstr(text, word);
        if (found != NULL && strchr(found, '\n') != NULL) {
            return found;
        }
    }
}

/* Whether TLS's own end is told apart is seen at both ends: the script fails on a ragged one. */
static const char python_echo[] =
    "import socket, ssl, sys\n"
    "fd, side, pem, ca, version = sys.argv[1:]\n"
    "server = side == 'server'\n"
    "ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)\n"
    "ctx.maximum_version = getattr(ssl.TLSVersion, version)\n"
    "ctx.set_alpn_protocols(['chat'])\n"
    "if server: ctx.load_cert_chain(pem)\n"
    "else: ctx.load_verify_locations(ca)\n"
    "sock = socket.socket(fileno=int(fd))\n"
    "tls = ctx.wrap_socket(sock, server_side=server, suppress_ragged_eofs=False,\n"
    "                      server_hostname=None if server else 'localhost')\n"
    "assert tls.selected_alpn_protocol() == 'chat'\n"
    "while data := tls.recv(65536):\n"
    "    tls.sendall(data)\n"
    "plain = tls.unwrap()\n"
    "assert plain.recv(5) == b'plain'\n";

static struct party_tls_context *chat_context(enum party_tls_role role)
{
    static const char *const alpn[] = {"chat"};
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    struct party_tls_settings settings = {.alpn = alpn, .alpn_count = 1};
    if (role == PARTY_TLS_SERVER) {
        settings.keypairs = &pair;
        settings.keypair_count = 1;
    } else {
        settings.ca_file = test_pki_file("ca");
    }
    return test_context(role, &settings);
}

static void recv_exactly(struct party_tls *tls, char *buf, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = party_tls_recv_into(tls, buf + got, len - got);
        assert_true(n > 0);
        got += (size_t)n;
    }
}

static void talk_to_python(enum party_tls_role ours, const char *version, const char *wanted)
{
    static char sent[1 << 20], got[1 << 20];
    struct party_sock *a = NULL, *b = NULL, *plain = NULL;
    struct party_tls *tls = NULL;
    char fd[16];
    test_pair(SOCK_STREAM, &a, &b);
    (void)snprintf(fd, sizeof(fd), "%d", party_sock_fileno(b));
    const char *argv[] = {PYTHON,
                          "-c",
                          python_echo,
                          fd,
                          ours == PARTY_TLS_CLIENT ? "server" : "client",
                          test_pki_file("good"),
                          test_pki_file("ca"),
                          version,
                          NULL};
    struct program program = start(argv, party_sock_fileno(b));
    (void)party_sock_close(b);
    assert_result(party_sock_settimeout(a, TEST_LONG_MS), 0);
    struct party_tls_context *context = chat_context(ours);
    struct party_tls_options options = {.server_hostname =
                                            ours == PARTY_TLS_CLIENT ? "localhost" : NULL};
    assert_result(party_tls_wrap_socket(context, a, &options, &tls), 0);
    party_tls_context_unref(context);
    assert_result(party_tls_do_handshake(tls), 0);
    assert_string_equal(party_tls_version(tls), wanted);
    assert_string_equal(party_tls_selected_alpn_protocol(tls), "chat");
    for (size_t i = 0; i < sizeof(sent); i++) {
        sent[i] = (char)(i * 31 + i / 255);
    }
    for (size_t at = 0; at < sizeof(sent); at += 1 << 15) {
        assert_result(party_tls_sendall(tls, sent + at, 1 << 15), 0);
        recv_exactly(tls, got + at, 1 << 15);
    }
    assert_memory_equal(got, sent, sizeof(sent));
    assert_result(party_tls_unwrap(tls, &plain), 0);
    assert_result(party_sock_sendall(plain, "plain", 5, 0), 0);
    (void)party_sock_close(plain);
    assert_int_equal(end(&program), 0);
}

static void test_python_serves(void **state)
{
    (void)state;
    talk_to_python(PARTY_TLS_CLIENT, "TLSv1_3", "TLSv1.3");
    talk_to_python(PARTY_TLS_CLIENT, "TLSv1_2", "TLSv1.2");
}

static void test_python_connects(void **state)
{
    (void)state;
    talk_to_python(PARTY_TLS_SERVER, "TLSv1_3", "TLSv1.3");
    talk_to_python(PARTY_TLS_SERVER, "TLSv1_2", "TLSv1.2");
}

static const char *unix_path(void)
{
    static char path[64];
    (void)snprintf(path, sizeof(path), "%s/socket", test_pki_dir);
    return path;
}

static void test_openssl_serves(void **state)
{
    (void)state;
    const char *argv[] = {OPENSSL,   "s_server",
                          "-accept", "127.0.0.1:0",
                          "-cert",   test_pki_file("good"),
                          "-key",    test_pki_file("good"),
                          "-rev",    "-naccept",
                          "1",       NULL};
    struct program program = start(argv, -1);
    struct party_address address;
    char where[65], text[80], got[8] = "";
    assert_int_equal(sscanf(wait_for(&program, "ACCEPT "), "ACCEPT %64s", where), 1);
    (void)snprintf(text, sizeof(text), "%s", where);
    assert_result(party_address_parse(text, &address), 0);
    struct party_sock *sock = test_client(&address);
    assert_result(party_sock_settimeout(sock, TEST_LONG_MS), 0);
    struct party_tls *tls = NULL;
    struct party_tls_context *context = test_client_context("ca");
    struct party_tls_options options = {.server_hostname = "localhost"};
    assert_result(party_tls_wrap_socket(context, sock, &options, &tls), 0);
    party_tls_context_unref(context);
    assert_result(party_tls_sendall(tls, "stressed\n", 9), 0);
    recv_exactly(tls, got, 8);
    assert_memory_equal(got, "desserts", 8);
    party_tls_close(tls);
    assert_int_equal(end(&program), 0);
}

static void test_openssl_connects(void **state)
{
    (void)state;
    struct party_address address;
    char text[80], got[16] = "";
    (void)snprintf(text, sizeof(text), "unix:%s", unix_path());
    struct party_sock *listener = test_server(text, NULL, &address);
    const char *argv[] = {OPENSSL,
                          "s_client",
                          "-unix",
                          unix_path(),
                          "-CAfile",
                          test_pki_file("ca"),
                          "-verify_return_error",
                          "-verify_hostname",
                          "localhost",
                          "-servername",
                          "localhost",
                          "-quiet",
                          "-no_ign_eof",
                          NULL};
    struct program program = start(argv, -1);
    struct party_sock *sock = NULL;
    assert_result(party_sock_settimeout(listener, TEST_LONG_MS), 0);
    assert_result(party_sock_accept(listener, &sock, NULL), 0);
    assert_result(party_sock_settimeout(sock, TEST_LONG_MS), 0);
    struct party_tls *tls = NULL;
    struct party_tls_context *context = test_server_context("good");
    assert_result(party_tls_wrap_socket(context, sock, NULL, &tls), 0);
    party_tls_context_unref(context);
    assert_int_equal(write(program.in, "hello\n", 6), 6);
    recv_exactly(tls, got, 6);
    assert_string_equal(got, "hello\n");
    assert_string_equal(party_tls_server_hostname(tls), "localhost");
    assert_result(party_tls_sendall(tls, "welcome\n", 8), 0);
    (void)wait_for(&program, "welcome");
    party_tls_close(tls);
    (void)end(&program); /* its status at the peer's end differs from release to release */
    (void)party_sock_close(listener);
    (void)unlink(unix_path());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python_serves),
        cmocka_unit_test(test_python_connects),
        cmocka_unit_test(test_openssl_serves),
        cmocka_unit_test(test_openssl_connects),
    };
    return cmocka_run_group_tests(tests, test_pki_setup, test_pki_teardown);
}
