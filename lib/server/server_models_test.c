/* SPDX-License-Identifier: MIT */
#include <partyline/server.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <partyline/stream.h>

#include "server/server_test_util.h"

/*
 * Each model with each kind of socket, served to Python's socket: a hundred clients at once.
 */

static const char client_program[] =
    "import socket, sys\n"
    "kind, address, count = sys.argv[1], sys.argv[2], int(sys.argv[3])\n"
    "unix = address.startswith('unix:')\n"
    "family = socket.AF_UNIX if unix else socket.AF_INET6 if '[' in address else socket.AF_INET\n"
    "if unix:\n"
    "    target = address[5:].replace('@', '\\0', 1)\n"
    "else:\n"
    "    host, _, port = address.rpartition(':')\n"
    "    target = (host.strip('[]'), int(port))\n"
    "stream = kind == 'stream'\n"
    "clients = []\n"
    "for i in range(count):\n"
    "    s = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)\n"
    "    s.settimeout(20)\n"
    "    if unix and not stream:\n"
    "        s.bind('')\n"
    "    s.connect(target)\n"
    "    s.sendall(b'client %d' % i)\n"
    "    if stream:\n"
    "        s.shutdown(socket.SHUT_WR)\n"
    "    clients.append(s)\n"
    "for i, s in enumerate(clients):\n"
    "    got = b''\n"
    "    while True:\n"
    "        piece = s.recv(1000)\n"
    "        got += piece\n"
    "        if not stream or not piece:\n"
    "            break\n"
    "    assert got == b'client %d' % i, got\n";

static void run_python_clients(const char *kind, const char *address)
{
    pid_t pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        (void)execl("/usr/bin/python3", "python3", "-c", client_program, kind, address, "100",
                    (char *)NULL);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* ---- the stream handler of the loops model ---- */

static size_t on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    (void)user;
    party_stream_write(stream, data, len);
    return len;
}

static const struct party_stream_ops echo_stream = {.on_data = on_data};

/* ---- models and kinds ---- */

static const char *const model_names[] = {"serial", "threads", "processes", "loops"};

struct place {
    const char *name;
    enum party_server_kind kind;
    const char *address; /* "path": one in a directory of the test's */
};

static const struct place places[] = {
    {"tcp", PARTY_SERVER_STREAM, "127.0.0.1:0"},
    {"tcp6", PARTY_SERVER_STREAM, "[::1]:0"},
    {"udp", PARTY_SERVER_DATAGRAM, "127.0.0.1:0"},
    {"unix stream", PARTY_SERVER_STREAM, "path"},
    {"unix datagram", PARTY_SERVER_DATAGRAM, "path"},
    {"abstract stream", PARTY_SERVER_STREAM, "abstract"},
    {"abstract datagram", PARTY_SERVER_DATAGRAM, "abstract"},
};

static char directory[] = "/tmp/server_models_test.XXXXXX";
static unsigned path_count;

static struct party_address address_of(const struct place *place)
{
    char text[128];
    struct party_address address;
    if (strcmp(place->address, "path") == 0) {
        (void)snprintf(text, sizeof(text), "unix:%s/%u", directory, path_count++);
    } else if (strcmp(place->address, "abstract") == 0) {
        (void)snprintf(text, sizeof(text), "unix:@%s/%u", directory, path_count++);
    } else {
        (void)snprintf(text, sizeof(text), "%s", place->address);
    }
    assert_int_equal(party_address_parse(text, &address), 0);
    return address;
}

static bool has_inet6(void)
{
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has_it = fd != -1 && bind(fd, (struct sockaddr *)&own, sizeof(own)) == 0;
    if (fd != -1) {
        (void)close(fd);
    }
    return has_it;
}

static void serve_python(enum party_server_model model, const struct place *place)
{
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    settings.model = model;
    settings.kind = place->kind;
    settings.address = address_of(place);
    settings.request_queue_size = 128;
    settings.max_threads = model == PARTY_SERVER_LOOPS ? 3 : 0;
    settings.stream = &echo_stream;
    struct party_server *server = open_with(&settings);
    char text[PARTY_ADDRESS_TEXT_MAX];
    (void)party_address_format(party_server_address(server), text, sizeof(text));
    struct serving serving;
    start_serving(&serving, server);
    run_python_clients(place->kind == PARTY_SERVER_STREAM ? "stream" : "datagram", text);
    stop_serving(&serving);
    assert_int_equal(party_server_close(server), 0);
    if (tally.logged != 0) {
        fail_msg("%s, %s: %s", model_names[model], place->name, tally.last_log);
    }
    party_server_destroy(server);
    if (party_address_family(&settings.address) == AF_UNIX &&
        settings.address.u.un.sun_path[0] != '\0') {
        assert_int_equal(unlink(settings.address.u.un.sun_path), 0);
    }
}

static void serve_everywhere(enum party_server_model model)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (strcmp(places[i].name, "tcp6") == 0 && !has_inet6()) {
            continue;
        }
        serve_python(model, &places[i]);
    }
}

static void test_serial_server_serves_every_kind(void **state)
{
    (void)state;
    serve_everywhere(PARTY_SERVER_SERIAL);
}

static void test_threads_serve_every_kind(void **state)
{
    (void)state;
    serve_everywhere(PARTY_SERVER_THREADS);
}

static void test_processes_serve_every_kind(void **state)
{
    (void)state;
    serve_everywhere(PARTY_SERVER_PROCESSES);
}

static void test_loops_serve_every_kind(void **state)
{
    (void)state;
    serve_everywhere(PARTY_SERVER_LOOPS);
}

/* ---- packets ---- */

static int tell_of_packet(struct party_request *request, void *user)
{
    (void)user;
    char text[64];
    int len = snprintf(text, sizeof(text), "%zu bytes, %s", request->packet_len,
                       request->sock == party_server_sock(request->server) ? "shared" : "own");
    const struct party_address *client = &request->client_address;
    ssize_t n =
        sendto(party_sock_fileno(request->sock), text, (size_t)len, 0, &client->u.sa, client->len);
    return n == len && party_request_steal_sock(request) == NULL ? 0 : -EINVAL;
}

static void test_a_packet_is_cut_off_at_its_maximum(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, tell_of_packet);
    settings.kind = PARTY_SERVER_DATAGRAM;
    settings.max_packet_size = 5;
    struct party_server *server = open_with(&settings);
    int fd = dial_address(party_server_address(server), SOCK_DGRAM);
    say(fd, "1234567");
    assert_int_equal(party_server_handle_request(server), 0);
    expect(fd, "5 bytes, shared");
    assert_int_equal(send(fd, "", 0, 0), 0);
    assert_int_equal(party_server_handle_request(server), 0);
    expect(fd, "0 bytes, shared");
    assert_int_equal(close(fd), 0);
    assert_int_equal(tally.logged, 0);
    party_server_destroy(server);
}

static int see_no_name(struct party_request *request, void *user)
{
    struct tally *tally = user;
    bool is_nameless = party_address_family(&request->client_address) == AF_UNIX &&
                       request->client_address.len == sizeof(sa_family_t);
    atomic_fetch_add(&tally->handled, is_nameless ? 1 : 1000);
    return echo(request, user); /* there is no way back */
}

static void test_a_packet_without_a_sender_has_an_empty_unix_address(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, see_no_name);
    settings.kind = PARTY_SERVER_DATAGRAM;
    settings.address = address_of(&places[6]);
    settings.ops.handle_error = tally_error;
    struct party_server *server = open_with(&settings);
    int fd = dial_address(party_server_address(server), SOCK_DGRAM);
    say(fd, "anonymous");
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_equal(tally.handled, 1);
    assert_int_equal(tally.errors, 1);
    assert_int_equal(close(fd), 0);
    party_server_destroy(server);
}

static int get_own_packet(struct party_server *server, struct party_request **ret_request,
                          void *user)
{
    (void)user;
    char bytes[16];
    struct party_address client = {.len = sizeof(client.u)};
    ssize_t n = recvfrom(party_server_fileno(server), bytes, sizeof(bytes), MSG_DONTWAIT,
                         &client.u.sa, &client.len);
    return n == -1 ? -errno
                   : party_request_create_packet(server, bytes, (size_t)n, &client, ret_request);
}

static void test_get_request_may_make_its_own_packets(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    settings.kind = PARTY_SERVER_DATAGRAM;
    settings.ops.get_request = get_own_packet;
    struct party_server *server = open_with(&settings);
    int fd = dial_address(party_server_address(server), SOCK_DGRAM);
    say(fd, "made by hand");
    assert_int_equal(party_server_handle_request(server), 0);
    expect(fd, "made by hand");
    assert_int_equal(close(fd), 0);
    party_server_destroy(server);
}

/* ---- the directory ---- */

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serial_server_serves_every_kind),
        cmocka_unit_test(test_threads_serve_every_kind),
        cmocka_unit_test(test_processes_serve_every_kind),
        cmocka_unit_test(test_loops_serve_every_kind),
        cmocka_unit_test(test_a_packet_is_cut_off_at_its_maximum),
        cmocka_unit_test(test_a_packet_without_a_sender_has_an_empty_unix_address),
        cmocka_unit_test(test_get_request_may_make_its_own_packets),
    };
    return cmocka_run_group_tests_name("server_models", tests, make_directory, remove_directory);
}
