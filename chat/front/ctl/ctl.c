/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/shard_internal.h"
#include "wire/line.h"
#include "wire/text.h"

/*
 * The operator's front, behind the console and `partyline ctl`: a Unix socket that only the
 * server's own user can open. A line is a command; the answer is any number of lines that begin
 * with "| " and one last line, "ok" or "error CAUSE". Answers come in the order of the commands:
 * what the hub does not answer is sent round by it (COMMAND_ECHO), so that nothing is overtaken.
 */

#define CTL_LINE_MAX_BYTES   4096u
#define CTL_ANSWER_MAX_BYTES 8192u

struct ctl_session {
    struct session base;
    struct line_decoder decoder;
    uint8_t fault; /* enum line_fault, while waiting: of the line that was sent round */
    bool waiting;  /* for the hub to send a line back; nothing is read meanwhile */
    bool ended;    /* the peer will say no more; the next echo brings the end */
};

struct ctl_verb {
    const char *name, *usage, *help;
    enum command_type type;
    bool at_hub; /* else the server around the shard answers */
    bool needs_argument;
};

static const struct ctl_verb verbs[] = {
    {"clients", "", "who is connected, from where, in which rooms", COMMAND_CLIENTS, true, false},
    {"rooms", "", "the rooms, how many are in them, their topics", COMMAND_ROOMS, true, false},
    {"threads", "", "the server's threads and their CPU time", 0, false, false},
    {"say", "TEXT", "say something to every room", COMMAND_ANNOUNCE, true, true},
    {"kick", "NAME [REASON]", "end a user's connection", COMMAND_KICK, true, true},
    {"reload", "", "read the configuration again", 0, false, false},
    {"help", "", "this list", 0, false, false},
    {"quit", "", "stop the server in good order", 0, false, false},
    {NULL, NULL, NULL, 0, false, false},
};

static void write_body(struct session *session, const char *text)
{
    struct text_out out = {0};
    while (*text) {
        size_t len = strcspn(text, "\n");
        text_out_adds(&out, "| ");
        text_out_add(&out, text, len);
        text_out_add(&out, "\n", 1);
        text += len + (text[len] == '\n');
    }
    if (out.len > 0) {
        session_write(session, out.data, out.len);
    }
    text_out_finish(&out);
}

static void write_end(struct session *session, const char *end)
{
    session_write(session, end, strlen(end));
    session_write(session, "\n", 1);
}

static void run_help(struct session *session)
{
    char line[160];
    for (const struct ctl_verb *verb = verbs; verb->name; verb++) {
        char head[40];
        (void)snprintf(head, sizeof(head), "%s %s", verb->name, verb->usage);
        (void)snprintf(line, sizeof(line), "%-20s %s\n", head, verb->help);
        write_body(session, line);
    }
    write_end(session, "ok");
}

static void run_at_hub(struct session *session, const struct ctl_verb *verb, const char *args,
                       size_t len)
{
    if (verb->type != COMMAND_KICK) {
        (void)session_submit(session, verb->type, NULL, 0, args, len);
        return;
    }
    size_t name_len = 0;
    while (name_len < len && args[name_len] != ' ') {
        name_len++;
    }
    size_t rest = name_len < len ? name_len + 1 : len;
    (void)session_submit(session, COMMAND_KICK, args, name_len, args + rest, len - rest);
}

static void run_at_server(struct session *session, const struct ctl_verb *verb)
{
    char text[CTL_ANSWER_MAX_BYTES] = "";
    const struct shard_env *env = &session->shard->env;
    if (env->operate(verb->name, text, sizeof(text), env->user)) {
        write_body(session, text);
        write_end(session, "ok");
    } else {
        char line[CTL_ANSWER_MAX_BYTES + 8];
        (void)snprintf(line, sizeof(line), "error %s", text);
        write_end(session, line);
    }
}

static const struct ctl_verb *find_verb(const char *text, size_t len, size_t *ret_rest)
{
    size_t word = 0;
    while (word < len && text[word] != ' ') {
        word++;
    }
    *ret_rest = word;
    while (*ret_rest < len && text[*ret_rest] == ' ') {
        (*ret_rest)++;
    }
    const struct ctl_verb *verb = verbs;
    while (verb->name && (strlen(verb->name) != word || memcmp(verb->name, text, word) != 0)) {
        verb++;
    }
    return verb->name ? verb : NULL;
}

static bool on_line(enum line_fault fault, const char *text, size_t len, void *user)
{
    struct ctl_session *ctl = user;
    size_t rest;
    const struct ctl_verb *verb = find_verb(text, len, &rest);
    if (fault == LINE_OK && verb && verb->at_hub && verb->needs_argument == (rest < len)) {
        run_at_hub(&ctl->base, verb, text + rest, len - rest);
        return true;
    }
    ctl->fault = (uint8_t)fault;
    ctl->waiting = true;
    (void)session_submit(&ctl->base, COMMAND_ECHO, NULL, 0, text, len);
    return false;
}

/* A line that was sent round has come back: everything before it is answered. */
static void run_in_turn(struct ctl_session *ctl, const char *text, size_t len)
{
    struct session *session = &ctl->base;
    size_t rest;
    const struct ctl_verb *verb = find_verb(text, len, &rest);
    if (ctl->fault != LINE_OK) {
        write_end(session, ctl->fault == LINE_TOO_LONG ? "error the line is too long"
                                                       : "error the line is not UTF-8");
    } else if (len == 0) {
        write_end(session, "ok");
    } else if (!verb) {
        write_end(session, "error there is no such command; try help");
    } else if (verb->needs_argument != (rest < len)) {
        /* Too few words, or more than the command takes. */
        char line[80];
        (void)snprintf(line, sizeof(line), "error usage: %s%s%s", verb->name,
                       verb->usage[0] ? " " : "", verb->usage);
        write_end(session, line);
    } else if (strcmp(verb->name, "help") == 0) {
        run_help(session);
    } else {
        run_at_server(session, verb);
    }
}

static void on_echo(struct ctl_session *ctl, const struct event *event)
{
    if (ctl->waiting) {
        ctl->waiting = false;
        run_in_turn(ctl, event->text, event->text_len);
        party_stream_resume(ctl->base.stream);
    } else if (ctl->ended) {
        party_stream_finish(ctl->base.stream);
    }
}

static void ignore_answer(const uint8_t *bytes, size_t len, void *user)
{
    (void)bytes;
    (void)len;
    (void)user;
}

static void ignore_ayt(void *user)
{
    (void)user;
}

static const struct line_sink sink = {
    .on_line = on_line,
    .on_answer = ignore_answer,
    .on_are_you_there = ignore_ayt,
};

static void on_open(struct session *session)
{
    struct ctl_session *ctl = (struct ctl_session *)session;
    line_decoder_init(&ctl->decoder, CTL_LINE_MAX_BYTES);
}

static size_t on_data(struct session *session, const uint8_t *data, size_t len)
{
    struct ctl_session *ctl = (struct ctl_session *)session;
    size_t taken = line_decoder_feed(&ctl->decoder, data, len, &sink, session);
    if (ctl->waiting) {
        party_stream_pause(session->stream);
    }
    return taken;
}

/*
 * The peer says no more, but what it asked may still be at the hub: a last echo, which comes back
 * behind all answers, brings the end.
 */
static void on_end(struct session *session)
{
    struct ctl_session *ctl = (struct ctl_session *)session;
    line_decoder_end(&ctl->decoder, &sink, session);
    ctl->ended = true;
    (void)session_submit(session, COMMAND_ECHO, NULL, 0, NULL, 0);
}

static void on_cut(struct session *session, int reason)
{
    (void)session;
    (void)reason;
}

static const char *error_text(const struct event *event)
{
    switch (event->code) {
    case ERROR_NO_SUCH_NAME:
        return "error nobody has that name";
    case ERROR_NOT_STORED:
        return "error the log cannot store it";
    case ERROR_TEXT_LONG:
        return "error the text is too long";
    case ERROR_TEXT_EMPTY:
        return "error there is no text";
    default:
        return "error it was refused";
    }
}

/* Sessions as operators know them from the log: by number. */
static void write_clients(struct session *session, const char *rows)
{
    struct text_out out = {0};
    while (*rows) {
        size_t len = strcspn(rows, "\n");
        char *end;
        uint64_t number = session_number(strtoull(rows, &end, 10));
        text_out_addf(&out, "%" PRIu64, number);
        text_out_add(&out, end, (size_t)(rows + len - end));
        text_out_add(&out, "\n", 1);
        rows += len + (rows[len] == '\n');
    }
    text_out_add(&out, "", 1);
    write_body(session, out.data);
    text_out_finish(&out);
}

static void on_event(struct session *session, const struct event *event)
{
    switch (event->type) {
    case EVENT_REPLY_CLIENTS:
        write_clients(session, event->text);
        write_end(session, "ok");
        break;
    case EVENT_REPLY_ROOMS:
        write_body(session, event->text);
        write_end(session, "ok");
        break;
    case EVENT_REPLY_DONE:
        write_end(session, "ok");
        break;
    case EVENT_ERROR:
        write_end(session, error_text(event));
        break;
    case EVENT_ECHO:
        on_echo((struct ctl_session *)session, event);
        break;
    default:
        break;
    }
}

static void encode(struct shard *shard, const struct event *event, uint16_t encoding,
                   struct text_out *out)
{
    (void)encoding;
    (void)shard;
    (void)event;
    (void)out;
}

static void on_drain(struct session *session, const char *reason)
{
    (void)session;
    (void)reason;
}

static void finish(struct session *session)
{
    struct ctl_session *ctl = (struct ctl_session *)session;
    line_decoder_finish(&ctl->decoder);
}

const struct front ctl_front = {
    .name = "ctl",
    .session_size = sizeof(struct ctl_session),
    .on_open = on_open,
    .on_data = on_data,
    .on_end = on_end,
    .on_cut = on_cut,
    .on_event = on_event,
    .encode = encode,
    .on_drain = on_drain,
    .finish = finish,
};
