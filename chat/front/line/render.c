/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/record.h"
#include "front/line/line_internal.h"
#include "front/shard_internal.h"
#include "wire/text.h"

/*
 * What a line user reads. Lines of people begin with date and time, lines of the server with "***
 * ", so that nobody can say something that looks like the server.
 */

/* Text of another user: other fronts may let through what a terminal must not get. */
static void add_clean(struct text_out *out, const char *text, size_t len)
{
    if (text_is_clean(text, len)) {
        text_out_add(out, text, len);
        return;
    }
    char *clean = xmalloc(len * 3 + 1);
    text_out_add(out, clean, text_clean(text, len, clean));
    free(clean);
}

static void add_stamp(struct shard *shard, const struct event *event, struct text_out *out)
{
    text_out_add(out, shard_local_time(shard, event->time_ms), 19);
    text_out_add(out, " ", 1);
}

static void add_topic(const struct event *event, struct text_out *out)
{
    text_out_adds(out, "*** ");
    text_out_add(out, event->actor, event->actor_len);
    if (event->text_len == 0) {
        text_out_adds(out, " cleared the topic");
        return;
    }
    text_out_adds(out, " set the topic: ");
    add_clean(out, event->text, event->text_len);
}

/* What stands between the time and the text of a message. */
static void add_head(struct shard *shard, const struct event *event, struct text_out *out)
{
    add_stamp(shard, event, out);
    if (event->type == EVENT_ACTION) {
        text_out_add(out, "* ", 2);
        text_out_add(out, event->actor, event->actor_len);
        text_out_add(out, " ", 1);
    } else if (event->type == EVENT_MESSAGE) {
        text_out_add(out, event->actor, event->actor_len);
        text_out_adds(out, event->value == 0 ? ": " : " (to operators only): ");
    } else if (event->identity == 0) {
        text_out_adds(out, "*** ");
        text_out_add(out, event->actor, event->actor_len);
        text_out_add(out, ": ", 2);
    } else {
        text_out_add(out, "-", 1);
        text_out_add(out, event->actor, event->actor_len);
        text_out_add(out, "- ", 2);
    }
}

/* A message of several lines is as many lines here, each with its head; see core/command.h. */
static void add_message(struct shard *shard, const struct event *event, struct text_out *out,
                        void (*head)(struct shard *, const struct event *, struct text_out *))
{
    const char *at = event->text, *end = event->text + event->text_len;
    for (;;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline ? newline : end;
        if (line_end > at || !newline) {
            head(shard, event, out);
            add_clean(out, at, (size_t)(line_end - at));
            text_out_add(out, "\n", 1);
        }
        if (!newline) {
            return;
        }
        at = newline + 1;
    }
}

/* A stored event, live or from history. */
static bool encode_stored(struct shard *shard, const struct event *event, struct text_out *out)
{
    switch (event->type) {
    case EVENT_MESSAGE:
    case EVENT_ACTION:
    case EVENT_NOTICE:
        add_message(shard, event, out, add_head);
        return true;
    case EVENT_TOPIC:
        add_stamp(shard, event, out);
        add_topic(event, out);
        text_out_add(out, "\n", 1);
        return true;
    default:
        return false;
    }
}

/* Somebody came or went. */
static void encode_presence(const struct event *event, const char *what, struct text_out *out)
{
    text_out_adds(out, "*** ");
    text_out_add(out, event->actor, event->actor_len);
    text_out_adds(out, what);
    if (event->type == EVENT_REMOVED || event->type == EVENT_ROOM_RENAMED) {
        text_out_add(out, event->target, event->target_len);
    }
    /* Who comes brings its away text along, which is no affair of a room of lines. */
    if (event->text_len > 0 && event->type != EVENT_JOINED) {
        text_out_add(out, ": ", 2);
        add_clean(out, event->text, event->text_len);
    }
    text_out_add(out, "\n", 1);
}

static void encode_mode(const struct event *event, struct text_out *out)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[2];
    text_out_adds(out, "*** ");
    text_out_add(out, event->actor, event->actor_len);
    text_out_adds(out, " set");
    while (record_next(&in, fields, 2)) {
        text_out_add(out, " ", 1);
        text_out_add(out, fields[0].text, fields[0].len);
        /* A room's key is not for the screen. */
        if (fields[1].len > 0 && fields[0].text[1] != 'k') {
            text_out_add(out, " ", 1);
            add_clean(out, fields[1].text, fields[1].len);
        }
    }
    text_out_add(out, "\n", 1);
}

void line_encode(struct shard *shard, const struct event *event, uint16_t encoding,
                 struct text_out *out)
{
    (void)encoding;
    uint32_t announce_max = shard_settings(shard)->announce_max;
    bool announced = announce_max == 0 || event->count <= announce_max;
    if (encode_stored(shard, event, out)) {
        return;
    }
    switch (event->type) {
    case EVENT_JOINED:
        if (announced) {
            encode_presence(event, " joined", out);
        }
        break;
    case EVENT_LEFT:
        if (announced) {
            encode_presence(event, " left", out);
        }
        break;
    case EVENT_QUIT:
        if (announced) {
            encode_presence(event, " quit", out);
        }
        break;
    case EVENT_RENAMED:
        text_out_adds(out, "*** ");
        text_out_add(out, event->actor, event->actor_len);
        text_out_adds(out, " is now called ");
        text_out_add(out, event->target, event->target_len);
        text_out_add(out, "\n", 1);
        break;
    case EVENT_MODE:
        encode_mode(event, out);
        break;
    case EVENT_REMOVED:
        encode_presence(event, " removed ", out);
        break;
    case EVENT_ROOM_RENAMED:
        encode_presence(event, " renamed the room to ", out);
        break;
    case EVENT_REDACTED:
        encode_presence(event, " took back a message", out);
        break;
    default:
        break;
    }
}

/* Adds rows while out is no longer than max. Returns: how many. */
static uint64_t add_rows(struct text_out *out, const char *rows, size_t max,
                         void (*add_row)(struct text_out *, const char *, size_t))
{
    uint64_t count = 0;
    while (*rows && out->len < max) {
        size_t len = strcspn(rows, "\n");
        add_row(out, rows, len);
        rows += len + (rows[len] == '\n');
        count++;
    }
    return count;
}

static void add_room_row(struct text_out *out, const char *row, size_t len)
{
    size_t name = strcspn(row, "\t");
    size_t members = name < len ? strcspn(row + name + 1, "\t") : 0;
    text_out_addf(out, "***   %-24.*s %5.*s ", (int)name, row, (int)members, row + name + 1);
    size_t topic = name + 1 + members + 1;
    if (topic < len) {
        text_out_add(out, " ", 1);
        add_clean(out, row + topic, len - topic);
    }
    text_out_add(out, "\n", 1);
}

static void add_name_row(struct text_out *out, const char *row, size_t len)
{
    text_out_add(out, " ", 1);
    text_out_add(out, row, len);
}

static void add_motd(const struct front_settings *settings, struct text_out *out)
{
    const char *at = settings->motd;
    while (*at) {
        size_t len = strcspn(at, "\n");
        text_out_adds(out, "*** ");
        add_clean(out, at, len);
        text_out_add(out, "\n", 1);
        at += len + (at[len] == '\n');
    }
}

/* The last messages, but only as many of the newest as may be in an answer. */
static void add_recent(struct line_session *line, const struct event *event, struct text_out *out)
{
    size_t max = session_answer_max(&line->base), bytes = out->len;
    uint32_t first = event->recent_count;
    for (; first > 0; first--) {
        const struct event *recent = event->recent[first - 1];
        bytes += recent->text_len + recent->actor_len + LINE_MARGIN_BYTES;
        if (bytes > max) {
            break;
        }
    }
    for (uint32_t i = first; i < event->recent_count; i++) {
        (void)encode_stored(line->base.shard, event->recent[i], out);
    }
}

static void add_entered(struct line_session *line, const struct event *event, struct text_out *out)
{
    text_out_adds(out, "*** You are in ");
    text_out_add(out, event->room, event->room_len);
    if (event->count <= 1) {
        text_out_adds(out, ", alone so far.\n");
    } else {
        text_out_addf(out, ", with %" PRIu64 " other%s.\n", event->count - 1,
                      event->count == 2 ? "" : "s");
    }
    if (event->text_len > 0) {
        text_out_adds(out, "*** Topic: ");
        add_clean(out, event->text, event->text_len);
        text_out_add(out, "\n", 1);
    }
    add_recent(line, event, out);
    if (!line->shown_hint) {
        line->shown_hint = true;
        text_out_adds(out, "*** What you type is said to the room. /help lists what else you can "
                           "do.\n");
    }
}

static void add_private_head(struct shard *shard, const struct event *event, struct text_out *out)
{
    bool mine = event->type == EVENT_PRIVATE_OF;
    add_stamp(shard, event, out);
    text_out_add(out, "[", 1);
    text_out_add(out, mine ? "you" : event->actor, mine ? 3 : event->actor_len);
    text_out_adds(out, " -> ");
    text_out_add(out, mine ? event->target : "you", mine ? event->target_len : 3);
    text_out_adds(out, "] ");
    if (event->kind == MESSAGE_ACTION) {
        text_out_add(out, "* ", 2);
        text_out_add(out, event->actor, event->actor_len);
        text_out_add(out, " ", 1);
    } else if (event->kind == MESSAGE_NOTICE) {
        text_out_adds(out, "(notice) ");
    }
}

static void add_private(struct shard *shard, const struct event *event, struct text_out *out)
{
    if (event->kind == MESSAGE_TAGS) {
        return;
    }
    add_message(shard, event, out, add_private_head);
    if (event->type == EVENT_PRIVATE_OF && event->extra_len > 0) {
        text_out_addf(out, "*** %s is away: ", event->target);
        add_clean(out, event->extra, event->extra_len);
        text_out_add(out, "\n", 1);
    }
}

static void add_reply_topic(struct shard *shard, const struct event *event, struct text_out *out)
{
    if (event->text_len == 0) {
        text_out_adds(out, "*** No topic is set.\n");
        return;
    }
    text_out_adds(out, "*** Topic: ");
    add_clean(out, event->text, event->text_len);
    text_out_addf(out, " (%s, %s)\n", event->actor, shard_local_time(shard, event->time_ms));
}

static void add_event(struct line_session *line, const struct event *event, struct text_out *out)
{
    struct shard *shard = line->base.shard;
    uint64_t count;
    switch (event->type) {
    case EVENT_WELCOME:
        text_out_addf(out, "*** Welcome to %s. You are %s; /nick NAME changes that.\n",
                      shard_settings(shard)->network, event->actor);
        add_motd(shard_settings(shard), out);
        break;
    case EVENT_ENTERED:
        add_entered(line, event, out);
        break;
    case EVENT_GOODBYE:
        text_out_adds(out, "*** Goodbye");
        if (event->text_len > 0) {
            text_out_adds(out, ": ");
            add_clean(out, event->text, event->text_len);
        }
        text_out_adds(out, "\n");
        break;
    case EVENT_PRIVATE_TO:
    case EVENT_PRIVATE_OF:
        add_private(shard, event, out);
        break;
    case EVENT_MESSAGE:
    case EVENT_ACTION:
    case EVENT_NOTICE:
    case EVENT_REDACTED:
        line_encode(shard, event, 0, out);
        break;
    case EVENT_GONE_FROM:
        if (event->code == GONE_REMOVED) {
            text_out_addf(out, "*** You are not in %s any more; /join ROOM goes elsewhere.\n",
                          event->room);
        }
        break;
    case EVENT_INVITED:
        if (!(event->flags & EVENT_FLAG_WATCHED)) {
            text_out_addf(out, "*** %s invites you: /join %s goes there.\n", event->actor,
                          event->room);
        }
        break;
    case EVENT_INVITING:
        text_out_addf(out, "*** %s is invited.\n", event->target);
        break;
    case EVENT_RENAMED:
        text_out_addf(out, "*** You are now called %s.\n", event->target);
        break;
    case EVENT_REPLY_TOPIC:
        add_reply_topic(shard, event, out);
        break;
    case EVENT_REPLY_WHO:
        text_out_addf(out, "*** In %s (%" PRIu64 "):", event->room, event->count);
        count = add_rows(out, event->text, session_answer_max(&line->base), add_name_row);
        if (count < event->count) {
            text_out_addf(out, " and %" PRIu64 " more", event->count - count);
        }
        text_out_add(out, "\n", 1);
        break;
    case EVENT_REPLY_ROOMS:
        text_out_addf(out, "*** %" PRIu64 " room%s, with people and topic:\n", event->count,
                      event->count == 1 ? "" : "s");
        count = add_rows(out, event->text, session_answer_max(&line->base), add_room_row);
        if (count < event->count) {
            text_out_addf(out, "***   and %" PRIu64 " more\n", event->count - count);
        }
        break;
    case EVENT_ERROR:
        line_add_refusal(event, out);
        break;
    default:
        break;
    }
}

void line_on_event(struct session *session, const struct event *event)
{
    struct line_session *line = (struct line_session *)session;
    struct text_out out = {0};
    add_event(line, event, &out);
    if (out.len > 0) {
        session_write(session, out.data, out.len);
    }
    text_out_finish(&out);
    if (event->type == EVENT_WELCOME) {
        session_log(session, PARTY_LOG_INFO, "is %s", event->actor);
    } else if (event->type == EVENT_RENAMED) {
        session_log(session, PARTY_LOG_INFO, "is now %s", event->target);
    }
    if (event->type == EVENT_GOODBYE) {
        party_stream_finish(session->stream);
    } else if (event->type == EVENT_ENTERED && !line->welcomed) {
        line->welcomed = true;
        line_go_on(line);
    } else if (event->type == EVENT_ECHO) {
        line_command_in_turn(line, event->text, event->text_len);
    }
}
