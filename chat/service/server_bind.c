/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <partyline/connection.h>
#include <partyline/error.h>
#include <partyline/resolve.h>
#include <partyline/sock.h>

#include "base/xalloc.h"
#include "service/server_internal.h"

/*
 * Listening sockets. Each loop has its own at a TCP port (SO_REUSEPORT: the kernel spreads the
 * connections); the loops share one for a Unix path.
 */

/* Who may reach the folder may chat, as with a port; the folder's permissions say who that is. */
#define UNIX_MODE 0666

/* Of a host name with more addresses the first ones are bound. */
#define ADDRESSES_PER_URL 8u
/* Unless ip_unprivileged_port_start says otherwise; only the advice depends on it. */
#define FIRST_FREE_PORT 1024u

static int fail(const char *url, int r, char *message, size_t cap)
{
    (void)snprintf(message, cap, "%s: %s", url, party_strerror(r));
    return -1;
}

static int fail_port(const char *text, unsigned port, int r, char *message, size_t cap)
{
    if (r != -EACCES || port == 0 || port >= FIRST_FREE_PORT) {
        return fail(text, r, message, cap);
    }
    (void)snprintf(message, cap, "%s: %s; ports below %u need CAP_NET_BIND_SERVICE", text,
                   party_strerror(r), FIRST_FREE_PORT);
    return -1;
}

/* Gives the socket's descriptor to the worker. */
static int give(struct worker *worker, struct party_sock *sock, enum shard_entry entry)
{
    int fd = party_sock_detach(sock);
    int r = worker_add_listener(worker, fd, entry);
    if (r < 0) {
        (void)close(fd);
    }
    return r;
}

static void add_url(struct server *server, const struct listen_url *url,
                    const struct party_address *real)
{
    char text[LISTEN_URL_MAX];
    config_listen_format(url, real, text, sizeof(text));
    server->urls[server->url_count++] = xmemdup0(text, strlen(text));
}

/* The first socket is made alone, so that a port that somebody has is noticed (sock.h). */
static int bind_tcp(struct server *server, struct party_address *address, enum shard_entry entry,
                    struct party_address *ret_real)
{
    struct party_server_options options = {.dualstack_ipv6 =
                                               party_address_family(address) == AF_INET6};
    struct party_sock *sock;
    int r = party_sock_create_server(address, &options, &sock);
    if (r < 0) {
        return r;
    }
    r = party_sock_getsockname(sock, ret_real);
    if (r == 0) {
        r = party_sock_setsockopt(sock, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (r < 0) {
        party_sock_close(sock);
        return r;
    }
    r = give(&server->workers[0], sock, entry);
    options.reuse_port = true;
    for (unsigned i = 1; r == 0 && i < server->worker_count; i++) {
        r = party_sock_create_server(ret_real, &options, &sock);
        if (r == 0) {
            r = give(&server->workers[i], sock, entry);
        }
    }
    return r;
}

static int bind_unix(struct server *server, const struct party_address *address,
                     enum shard_entry entry, int mode, unsigned worker_count)
{
    struct party_server_options options = {.unix_mode = mode};
    struct party_sock *sock;
    int r = party_sock_create_server(address, &options, &sock);
    if (r < 0) {
        return r;
    }
    for (unsigned i = 1; r == 0 && i < worker_count; i++) {
        int fd = fcntl(party_sock_fileno(sock), F_DUPFD_CLOEXEC, 3);
        r = fd == -1 ? -errno : worker_add_listener(&server->workers[i], fd, entry);
    }
    if (r < 0) {
        party_sock_close(sock);
        return r;
    }
    return give(&server->workers[0], sock, entry);
}

static int unix_address(const char *path, struct party_address *ret_address)
{
    char text[sizeof("unix:") + PATH_MAX];
    (void)snprintf(text, sizeof(text), "unix:%s", path);
    return party_address_parse(text, ret_address);
}

/* Every address of the host, once per address: "localhost" is ::1 and 127.0.0.1. */
static int bind_host(struct server *server, const struct listen_url *url, char *message, size_t cap)
{
    char port[8], text[LISTEN_URL_MAX];
    struct party_resolve_list list = {0};
    enum shard_entry entry = url->kind == LISTEN_LINE  ? ENTRY_LINE
                             : url->kind == LISTEN_IRC ? ENTRY_IRC
                                                       : ENTRY_ANY;
    config_listen_format(url, NULL, text, sizeof(text));
    (void)snprintf(port, sizeof(port), "%u", url->port);
    const char *host = strcmp(url->host, "*") == 0 ? "::" : url->host;
    int r = party_resolve_getaddrinfo(host, port, AF_UNSPEC, SOCK_STREAM, 0, AI_PASSIVE, &list);
    if (r < 0) {
        return fail(text, r, message, cap);
    }
    size_t bound = 0;
    for (size_t i = 0; i < list.count && i < ADDRESSES_PER_URL; i++) {
        struct party_address real;
        r = bind_tcp(server, &list.entries[i].address, entry, &real);
        if (r == -EAFNOSUPPORT && host != url->host) {
            /* A kernel without IPv6: "*" is the v4 wildcard then. */
            r = party_address_parse(":0", &list.entries[i].address);
            party_address_set_port(&list.entries[i].address, url->port);
            r = r < 0 ? r : bind_tcp(server, &list.entries[i].address, entry, &real);
        }
        if (r == 0) {
            add_url(server, url, &real);
            bound++;
        } else if (r != -EADDRNOTAVAIL || (i + 1 == list.count && bound == 0)) {
            /* A name may have an address of a family this machine lacks; one that works is enough.
             */
            party_resolve_list_finish(&list);
            return fail_port(text, url->port, r, message, cap);
        }
    }
    party_resolve_list_finish(&list);
    return 0;
}

/* Remembers the file that the listener has made. An abstract name has none. */
static void note_file(struct server *server, const char *path)
{
    struct stat st;
    if (path[0] == '@' || lstat(path, &st) == -1) {
        return;
    }
    server->files = xreallocarray(server->files, server->file_count + 1, sizeof(*server->files));
    server->files[server->file_count++] = (struct server_file){
        .path = xmemdup0(path, strlen(path)), .device = st.st_dev, .inode = st.st_ino};
}

void server_remove_files(struct server *server)
{
    for (size_t i = 0; i < server->file_count; i++) {
        struct server_file *file = &server->files[i];
        struct stat st;
        if (lstat(file->path, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode) {
            (void)unlink(file->path); /* one that stays is taken over at the next start */
        }
        free(file->path);
    }
    free(server->files);
    server->files = NULL;
    server->file_count = 0;
}

static int bind_url(struct server *server, const struct listen_url *url, char *message, size_t cap)
{
    if (url->kind != LISTEN_UNIX) {
        return bind_host(server, url, message, cap);
    }
    struct party_address address;
    char text[LISTEN_URL_MAX];
    config_listen_format(url, NULL, text, sizeof(text));
    int r = unix_address(url->path, &address);
    if (r == 0) {
        r = bind_unix(server, &address, ENTRY_ANY, UNIX_MODE, server->worker_count);
    }
    if (r == 0) {
        note_file(server, url->path);
    }
    if (r < 0) {
        return fail(text, r, message, cap);
    }
    add_url(server, url, &address);
    return 0;
}

/*
 * The operator's socket lies in the data directory. A path longer than sun_path is reached through
 * the directory's descriptor; proc(5), /proc/self/fd.
 */
static int bind_ctl(struct server *server, const char *data_dir, char *message, size_t cap)
{
    struct party_address address;
    char path[64];
    int n = snprintf(server->ctl_path, sizeof(server->ctl_path), "%s/ctl.sock", data_dir);
    if (n < 0 || (size_t)n >= sizeof(server->ctl_path)) {
        return fail(data_dir, -ENAMETOOLONG, message, cap);
    }
    int dir = -1;
    int r = unix_address(server->ctl_path, &address);
    if (r == -ENAMETOOLONG) {
        dir = open(data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/ctl.sock", dir);
        r = dir == -1 ? -errno : unix_address(path, &address);
    }
    if (r == 0) {
        r = bind_unix(server, &address, ENTRY_CTL, 0600, 1);
    }
    if (dir != -1) {
        (void)close(dir);
    }
    return r < 0 ? fail(server->ctl_path, r, message, cap) : 0;
}

int server_bind(struct server *server, const char *data_dir, char *message, size_t cap)
{
    const struct config *config = &server->config;
    size_t max = config->listen_count * ADDRESSES_PER_URL + 1;
    server->urls = xcalloc(max, sizeof(char *));
    for (unsigned i = 0; i < server->worker_count; i++) {
        server->workers[i].listeners = xcalloc(max, sizeof(struct server_listener));
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        if (bind_url(server, &config->listen[i], message, cap) < 0) {
            return -1;
        }
    }
    return bind_ctl(server, data_dir, message, cap);
}
