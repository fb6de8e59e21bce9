/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "front/flood.h"
#include "front/irc/irc_internal.h"
#include "wire/sniff.h"

/*
 * The IRC front's life of a session: bytes into lines, how fast lines are taken (flood.h), silence,
 * the end.
 */

static void on_open(struct session *session)
{
    struct irc_session *irc = (struct irc_session *)session;
    char host[SHARD_CLOAK_MAX];
    irc_splitter_init(&irc->splitter, IRC_BODY_MAX_BYTES, IRC_CLIENT_TAGS_MAX_BYTES);
    irc->began_ns = irc->heard_ns = party_loop_now_ns(shard_loop(session->shard));
    session_cloak(session, host, sizeof(host));
    irc->host = xmemdup0(host, strlen(host));
    session->gone = true; /* until the hub knows of it */
    irc->is_unknown = true;
    atomic_fetch_add(&session->shard->unregistered, 1);
    session_want_ticks(session);
}

void irc_known(struct irc_session *irc)
{
    if (irc->is_unknown) {
        irc->is_unknown = false;
        atomic_fetch_sub(&irc->base.shard->unregistered, 1);
    }
}

static void finish(struct session *session)
{
    struct irc_session *irc = (struct irc_session *)session;
    irc_known(irc);
    irc_splitter_finish(&irc->splitter);
    if (irc->bulk) {
        text_out_finish(irc->bulk);
        free(irc->bulk);
    }
    irc_label_free(irc->label);
    irc_multiline_free(irc->multiline);
    irc_marks_free(irc->marks);
    free(irc->nick);
    free(irc->user);
    free(irc->real_name);
    free(irc->host);
    irc_forget_password(irc);
    irc_forget_secret(irc);
    free(irc->later);
    free(irc->note);
}

/* ---- flood control ---- */

/* What a client may say to register before it is slowed: one that asks for each capability by
   itself, and tries some nicks, needs less. */
#define EARLY_LINES_FREE 100

/* Operators are not slowed, nor is who has yet to register and says no more than that takes. */
static int64_t wait_ns_of(const struct irc_session *irc)
{
    bool is_early = !irc->registered && irc->early_lines < EARLY_LINES_FREE;
    return irc->is_operator || is_early ? 0 : flood_wait_ns(&irc->base);
}

/* A line with a list costs as much as so many lines, or flood control would not hold it. Where a
   list is too long, what is behind the most is not done: only JOIN's and PART's, whose items share
   their cost, have no end. */
static unsigned cost_of(const struct irc_command *command, const struct irc_message *message)
{
    if (!command) {
        return 1;
    }
    size_t at = command->list < message->param_count ? command->list : message->param_count;
    unsigned items = 0, share = command->share > 0 ? command->share : 1;
    struct irc_span list = command->list > 0 && at > 0 ? message->params[at - 1] : irc_span("");
    struct irc_span item;
    while ((command->share > 0 || items < IRC_TARGETS_MAX) && irc_name_next(&list, &item)) {
        items++;
    }
    return command->cost * (items > share ? (items + share - 1) / share : 1);
}

static void charge(struct irc_session *irc, unsigned cost)
{
    if (irc->registered || irc->early_lines == EARLY_LINES_FREE) {
        flood_charge(&irc->base, cost);
    } else {
        irc->early_lines++;
    }
}

static void on_throttle_end(struct party_timer *timer, void *user)
{
    struct irc_session *irc = user;
    (void)timer;
    flood_ended(&irc->base);
    irc_go_on(irc);
}

/* ---- input ---- */

/* Who sends so much more than a line may have sends no messages. */
#define EXCESS_MAX_BYTES (15 * 1024)

static bool is_held_up(const struct irc_session *irc)
{
    return irc->asked || irc->waiting || irc->base.timer != NULL;
}

static bool is_http(const char *text, size_t len)
{
    return sniff((const uint8_t *)text, len) == SNIFF_HTTP && memmem(text, len, " HTTP/", 6);
}

/* Bytes cost too, for those of no line: empty lines, and what is behind the end of one too long. */
#define BYTES_A_TOKEN 4096

static void charge_bytes(struct irc_session *irc, size_t len)
{
    len += irc->uncharged;
    irc->uncharged = (uint16_t)(len % BYTES_A_TOKEN);
    for (; len >= BYTES_A_TOKEN; len -= BYTES_A_TOKEN) {
        charge(irc, 1);
    }
}

static bool on_line(enum irc_line_fault fault, const char *text, size_t len, void *user)
{
    struct irc_session *irc = user;
    if (irc->leaving || party_stream_is_closing(irc->base.stream)) {
        return true; /* not heard any more, but taken, so that the end of input is reached */
    }
    unsigned cost = 1;
    if (!irc->spoke && fault == IRC_LINE_OK && is_http(text, len)) {
        /* A page in a browser can be made to talk to this port; its request is not chat. */
        irc_leave(irc, "This is no web server", 21);
        return true;
    }
    irc->spoke = true;
    if (fault == IRC_LINE_TOO_LONG) {
        /* Told in its turn: no command is so long. */
        irc_hear_too_long(irc, text, len);
    } else {
        struct irc_message message;
        (void)irc_message_parse(text, len, &message);
        const struct irc_command *command = irc_command_find(message.command);
        cost = cost_of(command, &message);
        irc_hear(irc, text, len);
    }
    charge(irc, cost);
    return !is_held_up(irc) && wait_ns_of(irc) == 0;
}

static size_t on_data(struct session *session, const uint8_t *data, size_t len)
{
    struct irc_session *irc = (struct irc_session *)session;
    irc->heard_ns = party_loop_now_ns(shard_loop(session->shard));
    irc->ping_sent = false;
    if (is_held_up(irc)) {
        party_stream_pause(session->stream);
        return 0;
    }
    size_t taken = irc_splitter_feed(&irc->splitter, data, len, on_line, irc);
    charge_bytes(irc, taken);
    if (irc->splitter.skipped > EXCESS_MAX_BYTES) {
        irc_leave(irc, "Input line is far too long", 26);
    }
    int64_t wait_ns = irc->leaving ? 0 : wait_ns_of(irc);
    if (wait_ns > 0) {
        flood_pause(session, wait_ns, on_throttle_end);
    } else if (is_held_up(irc)) {
        party_stream_pause(session->stream);
    }
    return taken;
}

void irc_go_on(struct irc_session *irc)
{
    if (is_held_up(irc)) {
        return;
    }
    if (irc->ended) {
        irc_leave(irc, "Client closed connection", 24);
    }
    party_stream_resume(irc->base.stream);
}

static void on_end(struct session *session)
{
    struct irc_session *irc = (struct irc_session *)session;
    irc->ended = true;
    if (!is_held_up(irc)) {
        irc_leave(irc, "Client closed connection", 24);
    }
}

/* ---- the end ---- */

static void put_error(struct irc_session *irc, const char *reason, size_t len)
{
    struct irc_writer writer;
    char text[IRC_BODY_MAX_BYTES];
    int n = snprintf(text, sizeof(text), "Closing link: (%s@%s) [%.*s]",
                     irc->user ? irc->user : "unknown", irc->host, (int)len, reason);
    irc_writer_init(&writer, 0);
    irc_writer_put_command(&writer, irc_span("ERROR"));
    irc_writer_put_text(&writer,
                        irc_span_of(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1));
    size_t bytes = irc_writer_end(&writer);
    session_write(&irc->base, writer.bytes, bytes);
}

void irc_leave(struct irc_session *irc, const char *reason, size_t len)
{
    if (irc->leaving) {
        return;
    }
    irc->leaving = true;
    irc_known(irc);
    if (irc->asked && !irc->base.gone) {
        return; /* the hub was asked to register it; irc_on_event finds it leaving */
    }
    if (irc->base.entered && !irc->base.gone) {
        (void)session_submit(&irc->base, COMMAND_QUIT, NULL, 0, reason, len);
        return; /* EVENT_GOODBYE says ERROR */
    }
    put_error(irc, reason, len);
    party_stream_finish(irc->base.stream);
}

/* Whole messages that have begun to go out arrive; what is behind them is in the history. */
static void on_cut(struct session *session, int reason)
{
    struct irc_session *irc = (struct irc_session *)session;
    const char *why = reason == PARTY_EOVERFLOW ? "SendQ exceeded" : party_strerror(reason);
    party_stream_drop_queued(session->stream, '\n');
    if (irc->base.entered && !irc->base.gone && !irc->leaving) {
        (void)session_submit(session, COMMAND_QUIT, NULL, 0, why, strlen(why));
    }
    irc->leaving = true;
    put_error(irc, why, strlen(why));
}

static void on_drain(struct session *session, const char *reason)
{
    put_error((struct irc_session *)session, reason, strlen(reason));
}

/* ---- silence ---- */

static void ask_whether_there(struct irc_session *irc)
{
    struct irc_writer writer;
    irc_writer_init(&writer, 0);
    irc_writer_put_command(&writer, irc_span("PING"));
    irc_writer_put_text(&writer, irc_server_name(irc));
    size_t len = irc_writer_end(&writer);
    irc->ping_sent = true;
    session_write(&irc->base, writer.bytes, len);
}

static int64_t on_tick(struct session *session, int64_t now_ns)
{
    struct irc_session *irc = (struct irc_session *)session;
    const struct front_settings *settings = shard_settings(session->shard);
    const int64_t s = 1000000000;
    if (irc->leaving) {
        return INT64_MAX;
    }
    if (!irc->registered) {
        if (settings->registration_s > 0 && !irc->asked &&
            now_ns - irc->began_ns > settings->registration_s * s) {
            irc_leave(irc, "Registration timed out", 22);
        }
        return now_ns;
    }
    if (settings->ping_s == 0) {
        return INT64_MAX;
    }
    int64_t silent_ns = now_ns - irc->heard_ns;
    if (silent_ns <= settings->ping_s * s) {
        return irc->heard_ns + settings->ping_s * s;
    }
    if (!irc->ping_sent) {
        ask_whether_there(irc);
    } else if (settings->pong_s > 0 &&
               silent_ns > ((int64_t)settings->ping_s + settings->pong_s) * s) {
        char why[64];
        int n =
            snprintf(why, sizeof(why), "Ping timeout: %lld seconds", (long long)(silent_ns / s));
        irc_leave(irc, why, (size_t)n);
    }
    return now_ns;
}

const struct front irc_front = {
    .name = "IRC",
    .session_size = sizeof(struct irc_session),
    .on_open = on_open,
    .on_data = on_data,
    .on_end = on_end,
    .on_cut = on_cut,
    .on_event = irc_on_event,
    .on_own = irc_on_own,
    .on_room_renamed = irc_on_room_renamed,
    .on_tick = on_tick,
    .on_answer = irc_on_answer,
    .on_password = irc_on_password,
    .encode = irc_encode,
    .on_drain = on_drain,
    .finish = finish,
};
