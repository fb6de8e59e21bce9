/* SPDX-License-Identifier: MIT */
#include "front/line/line_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "core/record.h"
#include "front/flood.h"
#include "front/shard_internal.h"
#include "wire/sniff.h"
#include "wire/text.h"

/* What a line has around its text at the most: time, name, separators, end. */
#define LINE_AROUND_BYTES 256u

/*
 * The line front: nc, telnet, scripts. Lines in, lines out; see commands.c for what a line can say.
 *
 * Answers come in the order of the questions, also when a script sends all its lines at once. What
 * this front could answer at once would overtake what the hub still works on; such a line is sent
 * round by the hub (COMMAND_ECHO), nothing more is read meanwhile, and it is carried out when it
 * is back.
 */

/* Input that is there so soon after a pause came during it. */
#define WAITED_NS (10 * 1000000ll)

void line_printf(struct session *session, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n > 0) {
        session_write(session, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
    }
}

void line_leave(struct line_session *line, const char *reason, size_t len)
{
    if (!line->leaving && !line->base.gone) {
        line->leaving = true;
        (void)session_submit(&line->base, COMMAND_QUIT, NULL, 0, reason, len);
    }
}

static void enter(struct session *session)
{
    char host[PARTY_ADDRESS_TEXT_MAX];
    origin_format(&session->origin, host, sizeof(host));
    session->entered = true;
    char shown[SHARD_CLOAK_MAX];
    struct record_out who = {0};
    session_cloak(session, shown, sizeof(shown));
    record_puts(&who, "line");
    record_puts(&who, shown);
    record_puts(&who, "line user");
    record_end(&who);
    struct command_parts parts = {.type = COMMAND_ENTER,
                                  .text = host,
                                  .text_len = strlen(host),
                                  .extra = who.bytes,
                                  .extra_len = who.len};
    (void)session_submit_parts(session, &parts);
    record_out_finish(&who);
}

static void on_open(struct session *session)
{
    struct line_session *line = (struct line_session *)session;
    line_decoder_init(&line->decoder, shard_settings(session->shard)->line_max_bytes);
    line->locked = shard_settings(session->shard)->asks_password;
    if (line->locked) {
        line->began_ns = party_loop_now_ns(shard_loop(session->shard));
        session_want_ticks(session);
        line_printf(session, "*** This server asks for its password: type it.\n");
    } else {
        enter(session);
    }
}

/* The first line, where the server has a password. */
static void check_password(struct line_session *line, const char *text, size_t len)
{
    struct password_query *query = password_query_create(PASSWORD_CONNECTION, "", 0, text, len);
    line->checking = true;
    if (!session_check_password(&line->base, query)) {
        line_printf(&line->base, "*** Too many come in now. Try again later.\n");
        party_stream_finish(line->base.stream);
    }
}

static void on_password(struct session *session, const struct password_query *query)
{
    struct line_session *line = (struct line_session *)session;
    if (query->result != PASSWORD_RIGHT) {
        session_log(session, PARTY_LOG_INFO, "gave a wrong password");
        line_printf(session,
                    query->result == PASSWORD_LATER
                        ? "*** Too many wrong passwords came from there. Try again later.\n"
                        : "*** That is not the password.\n");
        party_stream_finish(session->stream);
        return;
    }
    line->locked = false;
    line->checking = false;
    enter(session);
}

static void charge(struct line_session *line)
{
    if (flood_is_over(&line->base)) {
        line->slowed = false;
    }
    flood_charge(&line->base, 1);
}

/* A page in a browser can be made to talk to this port; its request is not chat. */
static bool is_http_request(const char *text, size_t len)
{
    return sniff((const uint8_t *)text, len) == SNIFF_HTTP && memmem(text, len, " HTTP/", 6);
}

/*
 * Whether a line is one of a handshake that came too late for the door; said, it would be a
 * password's end. Only what comes before the first chat is looked at.
 */
static bool is_late_irc(struct line_session *line, const char *text, size_t len)
{
    uint8_t *copy = xmalloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\n';
    enum sniff_line kind = sniff_line(copy, len + 1);
    xfree_wiped(copy, len);
    bool is_irc = kind == SNIFF_LINE_IRC || (kind == SNIFF_LINE_PERHAPS && line->began_irc);
    line->began_irc = line->began_irc || is_irc;
    /* An empty line is often the first, to see who is there. */
    line->talked = kind == SNIFF_LINE_CHAT && len > 0;
    return is_irc;
}

/* What is to be told of a line waits for the answers to those before it. */
static void go_round(struct line_session *line)
{
    line->waiting = true;
    (void)session_submit(&line->base, COMMAND_ECHO, NULL, 0, NULL, 0);
}

static void hear(struct line_session *line, const char *text, size_t len)
{
    char *clean = NULL;
    if (!line->talked && is_http_request(text, len)) {
        line_printf(&line->base, "*** This is no web server.\n");
        line_leave(line, "spoke HTTP", 10);
        return;
    }
    if (!line->talked && len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* the byte order mark that some systems put before a file */
        len -= 3;
    }
    if (!text_is_clean(text, len)) {
        clean = xmalloc(len * 3 + 1);
        len = text_clean(text, len, clean);
        text = clean;
    }
    while (len > 0 && text[len - 1] == ' ') {
        len--;
    }
    if (!line->talked && is_late_irc(line, text, len)) {
        line->was_irc = true;
        go_round(line);
    } else if (len == 4 && strncasecmp(text, "quit", 4) == 0) {
        line_leave(line, "quit", 4);
    } else if (len > 1 && text[0] == '/' && text[1] == '/') {
        line_say(line, COMMAND_SAY, text + 1, len - 1);
    } else if (len > 0 && text[0] == '/') {
        line_command(line, text + 1, len - 1);
    } else if (len > 0) {
        line_say(line, COMMAND_SAY, text, len);
    }
    xfree_wiped(clean, clean ? len : 0);
}

void line_tell_irc(struct line_session *line)
{
    line_printf(&line->base, "*** That is IRC and was not said. Who speaks IRC begins with it as "
                             "soon as the connection stands.\n");
}

void line_tell_fault(struct line_session *line, enum line_fault fault)
{
    if (fault == LINE_TOO_LONG) {
        line_printf(&line->base, "*** That line is longer than %u bytes and was not sent.\n",
                    line->decoder.max_bytes);
    } else {
        line_printf(&line->base, "*** That line is not UTF-8 and was not sent.\n");
    }
}

/* "quit", "/quit", "/quit why": one who does not know the password must have a way out. */
static bool is_quit(const char *text, size_t len)
{
    bool is_command = len > 0 && text[0] == '/';
    text += is_command;
    len -= is_command;
    while (len > 0 && text[len - 1] == ' ') {
        len--;
    }
    return len >= 4 && strncasecmp(text, "quit", 4) == 0 &&
           (len == 4 || (is_command && text[4] == ' '));
}

static bool on_line(enum line_fault fault, const char *text, size_t len, void *user)
{
    struct line_session *line = user;
    if (line->leaving || party_stream_is_closing(line->base.stream)) {
        return true; /* not heard any more, but taken, so that the end of input is reached */
    }
    if (line->locked && fault == LINE_OK && is_quit(text, len)) {
        line_printf(&line->base, "*** Goodbye: quit\n");
        party_stream_finish(line->base.stream);
        return true;
    }
    if (line->locked) {
        check_password(line, text, fault == LINE_OK ? len : 0);
        return false;
    }
    if (fault != LINE_OK) {
        line->fault = (uint8_t)fault;
        go_round(line);
    } else {
        hear(line, text, len);
    }
    charge(line);
    return !line->waiting && flood_wait_ns(&line->base) == 0;
}

static void on_answer(const uint8_t *bytes, size_t len, void *user)
{
    struct line_session *line = user;
    session_write(&line->base, (const char *)bytes, len);
}

static void on_are_you_there(void *user)
{
    struct line_session *line = user;
    line_printf(&line->base, "*** Yes, I am here.\n");
}

static const struct line_sink sink = {
    .on_line = on_line,
    .on_answer = on_answer,
    .on_are_you_there = on_are_you_there,
};

void line_go_on(struct line_session *line)
{
    bool comes_in = !line->welcomed && (!line->locked || line->checking);
    if (comes_in || line->waiting || line->base.timer) {
        return;
    }
    if (line->ended) {
        line_leave(line, "end of file", 11);
    }
    party_stream_resume(line->base.stream);
}

static void on_throttle_end(struct party_timer *timer, void *user)
{
    struct line_session *line = user;
    (void)timer;
    flood_ended(&line->base);
    line->throttled_ns = party_loop_now_ns(shard_loop(line->base.shard));
    line_go_on(line);
}

/* more: there is input already that has to wait. */
static void throttle(struct line_session *line, int64_t wait_ns, bool more)
{
    if (line->base.timer || party_stream_is_closing(line->base.stream)) {
        return;
    }
    /* Who has used the burst up and says no more is not told; nor is a line that came just now. */
    int64_t since_ns = party_loop_now_ns(shard_loop(line->base.shard)) - line->throttled_ns;
    bool waited = line->throttled_ns != 0 && since_ns < WAITED_NS;
    if (!line->slowed && (more || waited)) {
        line->slowed = true;
        line_printf(&line->base, "*** Not so fast: your lines are now taken at %g a second.\n",
                    shard_settings(line->base.shard)->flood_rate);
    }
    flood_pause(&line->base, wait_ns, on_throttle_end);
}

/* So many bytes count as a line, for those of none: telnet's, and a line without end. */
#define BYTES_A_LINE (64u * 1024u)

static void charge_bytes(struct line_session *line, size_t len)
{
    line->uncharged += (uint32_t)len; /* a loop's turn reads far less than what is left */
    for (; line->uncharged >= BYTES_A_LINE; line->uncharged -= BYTES_A_LINE) {
        charge(line);
    }
}

static size_t on_data(struct session *session, const uint8_t *data, size_t len)
{
    struct line_session *line = (struct line_session *)session;
    if (!line->welcomed && (!line->locked || line->checking)) {
        return 0; /* kept until the session has a name and a room */
    }
    size_t taken = line_decoder_feed(&line->decoder, data, len, &sink, line);
    charge_bytes(line, taken);
    int64_t wait_ns = line->leaving || line->checking ? 0 : flood_wait_ns(session);
    if (line->waiting) {
        party_stream_pause(session->stream);
    }
    if (wait_ns > 0) {
        throttle(line, wait_ns, taken < len);
    }
    return taken;
}

static void on_end(struct session *session)
{
    struct line_session *line = (struct line_session *)session;
    if (line->locked) {
        party_stream_finish(session->stream);
        return;
    }
    line_decoder_end(&line->decoder, &sink, line);
    if (line->waiting) {
        line->ended = true; /* leaves when the answer is there */
        return;
    }
    line_leave(line, "end of file", 11);
}

/* The time at the beginning of the first line of text that has one; "" when none has. */
static void first_stamp(const char *text, char ret_stamp[20])
{
    ret_stamp[0] = '\0';
    while (text) {
        int parts[6], used = 0;
        if (sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d%n", &parts[0], &parts[1], &parts[2], &parts[3],
                   &parts[4], &parts[5], &used) == 6 &&
            used == 19) {
            memcpy(ret_stamp, text, 19);
            ret_stamp[19] = '\0';
            return;
        }
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
}

/*
 * Says what was missed and how to get it: the time of the first line that will not arrive. What is
 * left of a line that has begun to go out arrives, and whatever its text looks like, it is no time.
 */
static void on_cut(struct session *session, int reason)
{
    size_t cap = 2 * ((size_t)shard_settings(session->shard)->line_max_bytes + LINE_AROUND_BYTES);
    char *unsent = xmalloc(cap + 1), since[20];
    size_t len = party_stream_peek_queued(session->stream, unsent, cap);
    unsent[len] = '\0';
    party_stream_drop_queued(session->stream, '\n');
    size_t torn = party_stream_queued(session->stream);
    first_stamp(unsent + (torn < len ? torn : len), since);
    free(unsent);
    /* It may take long to read its last words, and come back under its name before it does. */
    line_leave((struct line_session *)session, party_strerror(reason),
               strlen(party_strerror(reason)));
    if (reason == PARTY_ESILENT) {
        line_printf(session, "*** Goodbye: you said nothing for too long.\n");
        return;
    }
    line_printf(session, "*** You were cut off: %s. %s%s%s\n", party_strerror(reason),
                since[0] ? "What you missed: connect again and type /history since " : "", since,
                since[0] ? "" : "Connect again and see /history.");
}

/* Who is not in yet must not keep its place for ever. */
static int64_t on_tick(struct session *session, int64_t now_ns)
{
    struct line_session *line = (struct line_session *)session;
    int64_t most_ns = (int64_t)shard_settings(session->shard)->registration_s * 1000000000;
    if (!line->locked || most_ns == 0 || party_stream_is_closing(session->stream)) {
        return INT64_MAX;
    }
    if (!line->checking && now_ns - line->began_ns > most_ns) {
        line_printf(session, "*** Goodbye: the password did not come in time.\n");
        party_stream_finish(session->stream);
        return INT64_MAX;
    }
    return line->checking ? now_ns : line->began_ns + most_ns;
}

static void on_drain(struct session *session, const char *reason)
{
    line_printf(session, "*** The server is going down: %s. What was shown is kept.\n", reason);
}

static void finish(struct session *session)
{
    struct line_session *line = (struct line_session *)session;
    line_decoder_finish(&line->decoder);
    free(line->name);
}

const struct front line_front = {
    .name = "line",
    .session_size = sizeof(struct line_session),
    .on_open = on_open,
    .on_data = on_data,
    .on_end = on_end,
    .on_cut = on_cut,
    .on_event = line_on_event,
    .on_tick = on_tick,
    .on_answer = line_on_answer,
    .on_password = on_password,
    .encode = line_encode,
    .on_drain = on_drain,
    .finish = finish,
};
