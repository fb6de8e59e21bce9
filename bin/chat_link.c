/* SPDX-License-Identifier: MIT */
/*
 * Before a link is open:
 *
 *     CONNECTING ── connected ──► PROBING, unless the protocol is known: OPEN
 *     PROBING    ── the server spoke ──► OPEN, or CONNECTING once more, to speak the line protocol
 *                ── it waits ──► CHAT_PROBE is sent, and on to CHAT_SILENT_MS
 *                ── still nothing ──► CONNECTING once more, to speak the line protocol
 *
 * A line:// listener of Partyline greets at once, so the client waits a moment before it asks; an
 * any:// listener takes who says nothing for 0.3 s for somebody who types lines, so that moment is
 * shorter.
 */
#include "chat_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/error.h>
#include <partyline/sock.h>
#include <partyline/sock_io.h>
#include <partyline/tls.h>

#include "base/xalloc.h"
#include "chat_clock.h"
#include "chat_connect.h"
#include "chat_probe.h"
#include "wire/text.h"

#define GREETING_MIN_MS 50
#define GREETING_MAX_MS 250
#define READS_MAX       16 /* in one go: keys must be heard, too */

static void process(struct chat_link *link);

/* ---- life ---- */

void chat_link_init(struct chat_link *link, const struct chat_link_events *events, void *user,
                    struct party_tls_context *context)
{
    *link = (struct chat_link){
        .fd = -1, .events = events, .user = user, .context = context, .deadline_ms = -1};
    link->in = xmalloc(CHAT_LINE_IN_MAX_BYTES);
}

void chat_link_close(struct chat_link *link)
{
    if (link->state == CHAT_LINK_CONNECTING) {
        (void)close(link->fd);
    }
    party_tls_close(link->tls);
    if (link->sock) {
        party_sock_close(link->sock);
    }
    free(link->out);
    link->tls = NULL;
    link->sock = NULL;
    link->out = NULL;
    link->fd = -1;
    link->in_len = link->out_len = 0;
    link->skipping = link->has_probed = false;
    link->deadline_ms = -1;
    link->state = CHAT_LINK_CLOSED;
}

void chat_link_finish(struct chat_link *link)
{
    chat_link_close(link);
    free(link->in);
    link->in = NULL;
}

static void end(struct chat_link *link, const char *cause)
{
    chat_link_close(link);
    link->events->on_closed(cause, link->user);
}

static void connect_again(struct chat_link *link)
{
    chat_link_close(link);
    int r = chat_connect_start(link->target, link->context);
    if (r < 0) {
        end(link, party_strerror(r));
        return;
    }
    link->fd = r;
    link->state = CHAT_LINK_CONNECTING;
}

void chat_link_open(struct chat_link *link, const struct chat_target *target)
{
    link->target = target;
    if (link->protocol == CHAT_AUTO) {
        link->protocol = target->protocol;
    }
    connect_again(link);
}

static void become_open(struct chat_link *link, enum chat_protocol protocol)
{
    link->state = CHAT_LINK_OPEN;
    link->protocol = protocol;
    link->deadline_ms = -1;
    link->events->on_open(link->user);
    process(link);
}

/* One way and a half, and a little for the server. */
static int64_t greeting_ms(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    (void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len); /* a unix socket has none: 0 */
    int64_t wait_ms = GREETING_MIN_MS + (int64_t)info.tcpi_rtt * 3 / 2 / 1000;
    return wait_ms > GREETING_MAX_MS ? GREETING_MAX_MS : wait_ms;
}

static void take_outcome(struct chat_link *link)
{
    struct chat_outcome outcome;
    int r = chat_connect_take(link->fd, &outcome);
    if (r == -EINTR) {
        return;
    }
    (void)close(link->fd);
    link->fd = -1;
    link->state = CHAT_LINK_CLOSED;
    if (r < 0) {
        end(link, "the attempt was given up");
        return;
    }
    if (outcome.code < 0) {
        char cause[256];
        (void)snprintf(cause, sizeof cause, "%s%s%s", party_strerror(outcome.code),
                       outcome.text[0] ? ": " : "", outcome.text);
        end(link, cause);
        return;
    }
    link->tls = outcome.tls;
    link->sock = outcome.sock;
    link->fd = party_sock_fileno(link->tls ? party_tls_sock(link->tls) : link->sock);
    if (link->protocol != CHAT_AUTO) {
        become_open(link, link->protocol);
        return;
    }
    link->state = CHAT_LINK_PROBING;
    link->deadline_ms = chat_now_ms() + greeting_ms(link->fd);
}

/* ---- what is spoken ---- */

static void look(struct chat_link *link)
{
    switch (chat_probe(link->in, link->in_len)) {
    case CHAT_PROBE_UNDECIDED:
        break;
    case CHAT_PROBE_LINE:
        become_open(link, CHAT_LINE);
        break;
    case CHAT_PROBE_IRC:
        become_open(link, CHAT_IRC);
        break;
    case CHAT_PROBE_REFUSED:
        link->protocol = CHAT_LINE;
        connect_again(link);
        break;
    }
}

int64_t chat_link_deadline(const struct chat_link *link)
{
    if (link->tls && party_tls_pending(link->tls) > 0) {
        return 0; /* it has been read from the socket already: poll would not tell */
    }
    return link->deadline_ms;
}

void chat_link_tick(struct chat_link *link, int64_t now_ms)
{
    if (link->tls && party_tls_pending(link->tls) > 0) {
        chat_link_ready(link, POLLIN);
    }
    if (link->deadline_ms < 0 || now_ms < link->deadline_ms) {
        return;
    }
    if (!link->has_probed) {
        link->deadline_ms = now_ms + CHAT_SILENT_MS;
        link->has_probed = chat_link_write(link, CHAT_PROBE, sizeof CHAT_PROBE - 1) == 0;
        return;
    }
    link->protocol = CHAT_LINE;
    connect_again(link);
}

/* ---- lines ---- */

int chat_link_write(struct chat_link *link, const char *bytes, size_t len)
{
    if (link->state != CHAT_LINK_OPEN && link->state != CHAT_LINK_PROBING) {
        return -ENOTCONN;
    }
    if (len > CHAT_OUT_MAX_BYTES - link->out_len) {
        return -ENOBUFS;
    }
    link->out = xreallocarray(link->out, link->out_len + len, 1);
    memcpy(link->out + link->out_len, bytes, len);
    link->out_len += len;
    return 0;
}

int chat_link_send(struct chat_link *link, const char *line)
{
    size_t len = strlen(line);
    if (link->state == CHAT_LINK_OPEN && len + 1 > CHAT_OUT_MAX_BYTES - link->out_len) {
        return -ENOBUFS;
    }
    int r = chat_link_write(link, line, len);
    return r < 0 ? r : chat_link_write(link, "\n", 1);
}

static void tell_line(struct chat_link *link, const char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\r') {
        len--;
    }
    char *clean = xmalloc(len * 3 + 1);
    len = text_clean(text, len, clean);
    clean[len] = '\0';
    link->events->on_line(clean, len, link->user);
    free(clean);
}

/*
 * What a server that sends without end can put on the screen is little, and the end of that is not
 * half a character.
 */
static void tell_cut(struct chat_link *link, const char *text, size_t len)
{
    if (len > CHAT_LINE_CUT_BYTES) {
        len = CHAT_LINE_CUT_BYTES;
        while (len > CHAT_LINE_CUT_BYTES - 4 && ((unsigned char)text[len] & 0xC0) == 0x80) {
            len--;
        }
    }
    tell_line(link, text, len);
}

/* An event may have closed the link: then nothing is left to split. */
static void split_lines(struct chat_link *link)
{
    size_t from = 0;
    while (link->state == CHAT_LINK_OPEN && from < link->in_len) {
        char *end = memchr(link->in + from, '\n', link->in_len - from);
        size_t len = end ? (size_t)(end - link->in) - from : link->in_len - from;
        if (!end && (from > 0 || len < CHAT_LINE_IN_MAX_BYTES)) {
            break;
        }
        if (!end && !link->skipping) {
            tell_cut(link, link->in + from, len);
        } else if (!link->skipping) {
            tell_line(link, link->in + from, len);
        }
        link->skipping = end == NULL;
        from += end ? len + 1 : len;
    }
    if (link->state == CHAT_LINK_OPEN) {
        link->in_len -= from;
        memmove(link->in, link->in + from, link->in_len);
    }
}

/* What has come in. */
static void process(struct chat_link *link)
{
    if (link->state == CHAT_LINK_PROBING) {
        look(link);
    } else if (link->state == CHAT_LINK_OPEN && link->protocol == CHAT_IRC) {
        size_t len = link->in_len;
        link->in_len = 0;
        if (len > 0) {
            link->events->on_bytes(link->in, len, link->user);
        }
    } else if (link->state == CHAT_LINK_OPEN) {
        split_lines(link);
    }
}

static void on_end(struct chat_link *link)
{
    if (link->state == CHAT_LINK_PROBING && link->in_len == 0 && link->has_probed) {
        link->protocol = CHAT_LINE; /* whatever it is, IRC it does not like */
        connect_again(link);
        return;
    }
    if (link->state == CHAT_LINK_PROBING && link->in_len > 0) {
        become_open(link, CHAT_LINE);
    }
    if (link->state == CHAT_LINK_OPEN && link->in_len > 0 && !link->skipping) {
        tell_cut(link, link->in, link->in_len);
    }
    if (link->state == CHAT_LINK_OPEN || link->state == CHAT_LINK_PROBING) {
        end(link, "the server closed it");
    }
}

static void receive(struct chat_link *link)
{
    for (int i = 0; i < READS_MAX && (link->tls || link->sock); i++) {
        char *to = link->in + link->in_len;
        size_t room = CHAT_LINE_IN_MAX_BYTES - link->in_len;
        ssize_t n = link->tls ? party_tls_recv_into(link->tls, to, room)
                              : party_sock_recv_into(link->sock, to, room, 0);
        if (n > 0) {
            link->in_len += (size_t)n;
            process(link);
            continue;
        }
        if (n == 0) {
            on_end(link);
        } else if (n != -EAGAIN) {
            end(link, party_strerror((int)n));
        }
        return;
    }
}

/* What the server said last is read before an error in sending ends it all. */
static void transmit(struct chat_link *link)
{
    ssize_t n = link->tls ? party_tls_send(link->tls, link->out, link->out_len)
                          : party_sock_send(link->sock, link->out, link->out_len, 0);
    if (n >= 0) {
        link->out_len -= (size_t)n;
        memmove(link->out, link->out + n, link->out_len);
    } else if (n != -EAGAIN) {
        link->out_len = 0;
    }
}

size_t chat_link_prepare(const struct chat_link *link, struct pollfd *fd)
{
    if (link->state == CHAT_LINK_CLOSED) {
        return 0;
    }
    *fd = (struct pollfd){.fd = link->fd, .events = POLLIN};
    if (link->state != CHAT_LINK_CONNECTING && link->out_len > 0) {
        fd->events |= POLLOUT;
    }
    return 1;
}

void chat_link_ready(struct chat_link *link, short revents)
{
    if (link->state == CHAT_LINK_CONNECTING) {
        if (revents != 0) {
            take_outcome(link);
        }
        return;
    }
    bool is_there = link->state != CHAT_LINK_CLOSED;
    if (is_there && (revents & POLLOUT) != 0 && link->out_len > 0) {
        transmit(link);
    }
    if (is_there && (revents & ~POLLOUT) != 0) {
        receive(link);
    }
}
