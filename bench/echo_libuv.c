/* SPDX-License-Identifier: MIT */
/*
 * An echo server on libuv, written to be quick: one buffer for all reads, a write that is tried at
 * once, and a request of its own only for what the socket did not take.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <uv.h>

static char chunk[64 * 1024];

struct rest {
    uv_write_t request;
    char bytes[];
};

static void die(const char *what, int r)
{
    (void)fprintf(stderr, "echo_libuv: %s: %s\n", what, uv_strerror(r));
    exit(1);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void drop(uv_stream_t *peer)
{
    if (!uv_is_closing((uv_handle_t *)peer)) {
        uv_close((uv_handle_t *)peer, on_closed);
    }
}

static void lend_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)handle;
    (void)suggested;
    *ret_buf = uv_buf_init(chunk, sizeof chunk);
}

static void on_written(uv_write_t *request, int status)
{
    if (status < 0) {
        drop(request->handle);
    }
    free(request);
}

static void write_rest(uv_stream_t *peer, const char *bytes, size_t len)
{
    struct rest *rest = malloc(sizeof *rest + len);
    if (rest == NULL) {
        drop(peer);
        return;
    }
    memcpy(rest->bytes, bytes, len);
    uv_buf_t buf = uv_buf_init(rest->bytes, (unsigned)len);
    if (uv_write(&rest->request, peer, &buf, 1, on_written) < 0) {
        free(rest);
        drop(peer);
    }
}

static void on_read(uv_stream_t *peer, ssize_t got, const uv_buf_t *buf)
{
    if (got < 0) {
        drop(peer);
        return;
    }
    uv_buf_t out = uv_buf_init(buf->base, (unsigned)got);
    int sent = got > 0 ? uv_try_write(peer, &out, 1) : 0;
    if (sent < 0 && sent != UV_EAGAIN) {
        drop(peer);
        return;
    }
    sent = sent < 0 ? 0 : sent;
    if (sent < got) {
        write_rest(peer, buf->base + sent, (size_t)(got - sent));
    }
}

static void on_connection(uv_stream_t *server, int status)
{
    uv_tcp_t *peer = status < 0 ? NULL : malloc(sizeof *peer);
    if (peer == NULL) {
        return;
    }
    if (uv_tcp_init(server->loop, peer) < 0) {
        free(peer);
        return;
    }
    if (uv_accept(server, (uv_stream_t *)peer) < 0) {
        drop((uv_stream_t *)peer);
        return;
    }
    (void)uv_tcp_nodelay(peer, 1);
    (void)uv_read_start((uv_stream_t *)peer, lend_chunk, on_read);
}

int main(void)
{
    struct rlimit descriptors;
    struct sockaddr_in address;
    int len = sizeof address;
    uv_tcp_t server;
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    (void)uv_ip4_addr("127.0.0.1", 0, &address);
    int r = uv_tcp_init(uv_default_loop(), &server);
    if (r == 0) {
        r = uv_tcp_bind(&server, (struct sockaddr *)&address, 0);
    }
    if (r == 0) {
        r = uv_listen((uv_stream_t *)&server, 4096, on_connection);
    }
    if (r == 0) {
        r = uv_tcp_getsockname(&server, (struct sockaddr *)&address, &len);
    }
    if (r < 0) {
        die("listen", r);
    }
    (void)printf("listening on raw://127.0.0.1:%u\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
