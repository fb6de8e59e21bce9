/* SPDX-License-Identifier: MIT */
/*
 * An echo server on libpartyline's loop and streams, as one would write it. An argument names the
 * loop's backend.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <partyline/partyline.h>

/* A peer that sends 64 KiB at a time gets them back at a time. */
static const struct party_stream_limits limits = {
    .output_max_bytes = 16 * 1024 * 1024,
    .read_max_bytes = 64 * 1024,
};

static size_t on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    (void)user;
    size_t sent = party_stream_try_write(stream, data, len);
    if (sent < len) {
        party_stream_write(stream, data + sent, len - sent);
    }
    return len;
}

static void on_close(struct party_stream *stream, int reason, void *user)
{
    (void)stream;
    (void)reason;
    (void)user;
}

static const struct party_stream_ops ops = {.on_data = on_data, .on_close = on_close};

static void on_accept(struct party_listener *listener, int fd, const struct party_address *peer,
                      void *user)
{
    (void)listener;
    (void)peer;
    struct party_stream *stream;
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (party_stream_create(user, fd, &ops, &limits, NULL, &stream) < 0) {
        (void)close(fd);
    }
}

static void say(enum party_log_level level, const char *message, void *user)
{
    (void)level;
    (void)user;
    (void)fprintf(stderr, "%s\n", message);
}

static int serve(const char *backend)
{
    const struct party_loop_settings settings = {.backend = backend, .log = say};
    struct party_address address;
    struct party_sock *sock;
    struct party_listener *listener;
    struct party_loop *loop;
    char text[PARTY_ADDRESS_TEXT_MAX];
    int r = party_loop_create(&settings, &loop);
    if (r == 0) {
        r = party_address_parse("127.0.0.1:0", &address);
    }
    if (r == 0) {
        r = party_sock_create_server(&address, NULL, &sock);
    }
    if (r == 0) {
        r = party_sock_getsockname(sock, &address);
    }
    if (r == 0) {
        r = party_listener_create(loop, party_sock_detach(sock), on_accept, loop, &listener);
    }
    if (r == 0) {
        (void)printf("listening on raw://%s\n", party_address_format(&address, text, sizeof text));
        (void)fflush(stdout);
        r = party_loop_run(loop);
    }
    return r;
}

int main(int argc, char **argv)
{
    struct rlimit descriptors;
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    int r = serve(argc > 1 ? argv[1] : NULL);
    (void)fprintf(stderr, "echo_partyline: %s\n", party_strerror(r));
    return 1;
}
