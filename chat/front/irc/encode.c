/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "front/irc/irc_internal.h"
#include "wire/text.h"

/*
 * What the members of a room see of an event. Capabilities that change that are the encoding; a
 * member gets no tag and no message that its capabilities do not allow.
 */

enum encoding {
    WITH_TIME = 1,      /* server-time */
    WITH_TAGS = 2,      /* message-tags: msgid, client-only tags, bot */
    WITH_ACCOUNT = 4,   /* account-tag */
    WITH_MULTILINE = 8, /* batch and draft/multiline */
    WITH_JOIN = 16,     /* extended-join */
    WITH_AWAY = 32,     /* away-notify */
    WITH_SETNAME = 64,
    WITH_REDACTION = 128,
    WITH_RENAME = 256,
    WITH_INVITE = 512, /* invite-notify */
};

uint16_t irc_encoding_of(uint32_t caps)
{
    const uint32_t multiline = IRC_CAP(BATCH) | IRC_CAP(MULTILINE);
    unsigned encoding = 0;
    encoding |= caps & IRC_CAP(SERVER_TIME) ? WITH_TIME : 0;
    encoding |= caps & IRC_CAP(MESSAGE_TAGS) ? WITH_TAGS : 0;
    encoding |= caps & IRC_CAP(ACCOUNT_TAG) ? WITH_ACCOUNT : 0;
    encoding |= (caps & multiline) == multiline ? WITH_MULTILINE : 0;
    encoding |= caps & IRC_CAP(EXTENDED_JOIN) ? WITH_JOIN : 0;
    encoding |= caps & IRC_CAP(AWAY_NOTIFY) ? WITH_AWAY : 0;
    encoding |= caps & IRC_CAP(SETNAME) ? WITH_SETNAME : 0;
    encoding |= caps & IRC_CAP(REDACTION) ? WITH_REDACTION : 0;
    encoding |= caps & IRC_CAP(CHANNEL_RENAME) ? WITH_RENAME : 0;
    encoding |= caps & IRC_CAP(INVITE_NOTIFY) ? WITH_INVITE : 0;
    return (uint16_t)encoding;
}

/* One event on its way to one encoding. */
struct encode {
    struct shard *shard;
    const struct event *event;
    struct text_out *out;
    struct irc_span batch; /* that the message is part of; absent: none */
    bool is_line;          /* and that batch is the message, which has its tags */
    uint16_t encoding;
    bool is_bare;      /* a further line of a message: no msgid */
    bool is_concat;    /* it goes on the line before */
    uint8_t shortness; /* of the source: 0 nick!user@host, 1 the nick, 2 the server's name */
    bool was_refused;  /* a message did not fit in a line */
    struct irc_writer writer;
};

static void put_client_tags(struct irc_writer *writer, const struct event *event)
{
    struct irc_tag tags[IRC_TAGS_MAX];
    size_t count = 0;
    if (event->tags_len == 0) {
        return;
    }
    (void)irc_tags_parse(irc_span_of(event->tags, event->tags_len), tags, &count);
    for (size_t i = 0; i < count; i++) {
        (void)irc_writer_put_raw_tag(writer, tags[i].key, tags[i].value);
    }
}

/* What can be referred to by a msgid: messages, and what else is stored. */
static bool has_msgid(const struct event *event)
{
    switch (event->type) {
    case EVENT_MESSAGE:
    case EVENT_ACTION:
    case EVENT_NOTICE:
    case EVENT_TAGS:
    case EVENT_PRIVATE_TO:
    case EVENT_PRIVATE_OF:
        return true;
    default:
        return event->number != 0;
    }
}

static void put_tags(struct encode *encode)
{
    const struct event *event = encode->event;
    const struct irc_span none = {NULL, 0};
    char time[IRC_TIME_CAP], msgid[IRC_MSGID_CAP];
    struct irc_writer *writer = &encode->writer;
    irc_writer_init(writer, IRC_TAGS_MAX_BYTES);
    if (encode->batch.text) {
        (void)irc_writer_put_tag(writer, irc_span("batch"), encode->batch);
    }
    if (encode->is_concat) {
        (void)irc_writer_put_tag(writer, irc_span("draft/multiline-concat"), none);
    }
    if (encode->is_line) {
        return; /* the batch has them */
    }
    if (encode->encoding & WITH_TIME) {
        (void)irc_writer_put_tag(writer, irc_span("time"), irc_time_text(event->time_ms, time));
    }
    if (encode->encoding & WITH_ACCOUNT && event->account_len > 0) {
        (void)irc_writer_put_tag(writer, irc_span("account"),
                                 irc_span_of(event->account, event->account_len));
    }
    if (!(encode->encoding & WITH_TAGS)) {
        return;
    }
    if (event->flags & EVENT_FLAG_BOT) {
        (void)irc_writer_put_tag(writer, irc_span("bot"), none);
    }
    if (!encode->is_bare && has_msgid(event)) {
        (void)irc_writer_put_tag(writer, irc_span("msgid"), irc_msgid(event, msgid));
    }
    put_client_tags(writer, event);
}

/* Begins a message of the event's actor, or of the server. */
static struct irc_writer *begin(struct encode *encode, const char *command)
{
    const struct event *event = encode->event;
    struct irc_writer *writer = &encode->writer;
    char source[NAME_CEILING_BYTES + USER_MAX_BYTES + HOST_MAX_BYTES + 8];
    put_tags(encode);
    if (event->source_len > 0 && encode->shortness == 0) {
        int n = snprintf(source, sizeof(source), "%s!%s", event->actor, event->source);
        irc_writer_put_source(
            writer, irc_span_of(source, n < (int)sizeof(source) ? (size_t)n : sizeof(source) - 1));
    } else if ((event->identity != 0 || event->source_len > 0) && event->actor_len > 0 &&
               encode->shortness < 2) {
        irc_writer_put_source(writer, irc_span_of(event->actor, event->actor_len));
    } else {
        irc_writer_put_source(writer, irc_span(shard_settings(encode->shard)->server_name));
    }
    irc_writer_put_command(writer, irc_span(command));
    return writer;
}

static void end(struct encode *encode)
{
    size_t len = irc_writer_end(&encode->writer);
    encode->was_refused |= len == 0;
    text_out_add(encode->out, encode->writer.bytes, len);
}

static void put_channel(struct encode *encode)
{
    char channel[IRC_CHANNEL_CAP];
    irc_writer_put_param(&encode->writer,
                         irc_channel(encode->event->room, encode->event->room_len, channel));
}

static void put_event_text(struct encode *encode)
{
    irc_writer_put_text(&encode->writer, irc_span_of(encode->event->text, encode->event->text_len));
}

/* ---- messages ---- */

/* What a message is sent to: a nick, a channel, or the members of a channel with a mark. */
static struct irc_span target_of(const struct event *event, char ret[IRC_CHANNEL_CAP + 1])
{
    if (event->room_len == 0) {
        return irc_span_of(event->target, event->target_len);
    }
    struct irc_span channel = irc_channel(event->room, event->room_len, ret + 1);
    if (event->value == 0) {
        return channel;
    }
    ret[0] = (char)event->value;
    return irc_span_of(ret, channel.len + 1);
}

static void add_line(struct encode *encode, struct irc_span text)
{
    const struct event *event = encode->event;
    char target[IRC_CHANNEL_CAP + 1], action[IRC_BODY_MAX_BYTES];
    bool is_notice = event->kind == MESSAGE_NOTICE || event->type == EVENT_NOTICE;
    bool is_action = event->kind == MESSAGE_ACTION || event->type == EVENT_ACTION;
    struct irc_writer *writer = begin(encode, is_notice ? "NOTICE" : "PRIVMSG");
    irc_writer_put_param(writer, target_of(event, target));
    if (is_action) {
        /* The end mark must fit too: a client shows what lacks it as it is. */
        size_t room = irc_writer_room(writer);
        text.len = text_cut(text.text, text.len, room > 12 ? room - 12 : 0);
        int n = snprintf(action, sizeof(action), "\001ACTION %.*s\001", (int)text.len, text.text);
        text = irc_span_of(action, n < (int)sizeof(action) ? (size_t)n : sizeof(action) - 1);
    }
    irc_writer_put_text(writer, text);
    end(encode);
}

/* The next part of a text: up to a '\n', which ends a line, or a '\r', behind which it goes on. */
static bool next_part(struct irc_span *text, struct irc_span *ret_part, bool *ret_goes_on)
{
    if (!text->text) {
        return false;
    }
    size_t len = 0;
    while (len < text->len && text->text[len] != '\n' && text->text[len] != '\r') {
        len++;
    }
    *ret_part = irc_span_of(text->text, len);
    *ret_goes_on = len < text->len && text->text[len] == '\r';
    *text = len < text->len ? irc_span_of(text->text + len + 1, text->len - len - 1)
                            : irc_span_of(NULL, 0);
    return true;
}

/* For who has no multiline: a message for each part that is not empty, the first with the msgid. */
static void add_lines(struct encode *encode, struct irc_span text)
{
    struct irc_span part;
    bool goes_on;
    while (next_part(&text, &part, &goes_on)) {
        if (part.len > 0) {
            add_line(encode, part);
            encode->is_bare = true;
        }
    }
}

/* draft/multiline: the batch has what the message has, its lines have the text. */
static void add_batch(struct encode *encode, struct irc_span text)
{
    const struct event *event = encode->event;
    char name[IRC_MSGID_CAP + 1] = "+", target[IRC_CHANNEL_CAP + 1];
    struct irc_span part, id = irc_msgid(event, name + 1), outer = encode->batch;
    bool goes_on;
    struct irc_writer *writer = begin(encode, "BATCH");
    irc_writer_put_param(writer, irc_span_of(name, id.len + 1));
    irc_writer_put_param(writer, irc_span("draft/multiline"));
    irc_writer_put_param(writer, target_of(event, target));
    end(encode);
    encode->batch = id;
    encode->is_line = true;
    while (next_part(&text, &part, &goes_on)) {
        add_line(encode, part);
        encode->is_concat = goes_on;
    }
    encode->is_concat = false;
    encode->batch = outer;
    name[0] = '-';
    irc_writer_init(&encode->writer, IRC_TAGS_MAX_BYTES);
    if (outer.text) {
        (void)irc_writer_put_tag(&encode->writer, irc_span("batch"), outer);
    }
    irc_writer_put_source(&encode->writer, irc_span(shard_settings(encode->shard)->server_name));
    irc_writer_put_command(&encode->writer, irc_span("BATCH"));
    irc_writer_put_param(&encode->writer, irc_span_of(name, id.len + 1));
    end(encode);
}

static void encode_message(struct encode *encode)
{
    struct irc_span text = irc_span_of(encode->event->text, encode->event->text_len);
    if (!memchr(text.text, '\n', text.len) && !memchr(text.text, '\r', text.len)) {
        add_line(encode, text);
    } else if (encode->encoding & WITH_MULTILINE) {
        add_batch(encode, text);
    } else {
        add_lines(encode, text);
    }
}

static void encode_tags(struct encode *encode)
{
    char target[IRC_CHANNEL_CAP + 1];
    if (encode->encoding & WITH_TAGS) {
        irc_writer_put_param(begin(encode, "TAGMSG"), target_of(encode->event, target));
        end(encode);
    }
}

/* ---- what happens in rooms ---- */

static void encode_away(struct encode *encode);

static void encode_join(struct encode *encode)
{
    const struct event *event = encode->event;
    struct irc_writer *writer = begin(encode, "JOIN");
    put_channel(encode);
    if (encode->encoding & WITH_JOIN) {
        irc_writer_put_param(writer, event->account_len > 0
                                         ? irc_span_of(event->account, event->account_len)
                                         : irc_span("*"));
        irc_writer_put_text(writer, irc_span_of(event->extra, event->extra_len));
    }
    end(encode);
    if (event->type == EVENT_JOINED && event->text_len > 0) {
        encode_away(encode); /* away-notify: told with who comes in while away */
    }
}

static void encode_part(struct encode *encode)
{
    (void)begin(encode, "PART");
    put_channel(encode);
    if (encode->event->text_len > 0) {
        put_event_text(encode);
    }
    end(encode);
}

static void encode_removed(struct encode *encode)
{
    const struct event *event = encode->event;
    struct irc_writer *writer = begin(encode, "KICK");
    put_channel(encode);
    irc_writer_put_param(writer, irc_span_of(event->target, event->target_len));
    /* Without a reason the kicker's nick stands for it, as servers have it. */
    irc_writer_put_text(writer, event->text_len > 0 ? irc_span_of(event->text, event->text_len)
                                                    : irc_span_of(event->actor, event->actor_len));
    end(encode);
}

static void encode_topic(struct encode *encode)
{
    (void)begin(encode, "TOPIC");
    put_channel(encode);
    put_event_text(encode);
    end(encode);
}

static size_t read_changes(const struct event *event, struct irc_mode_change *ret, size_t cap)
{
    const struct irc_mode_types types = {
        .list = IRC_LIST_MODES,
        .always = IRC_ALWAYS_MODES,
        .when_on = IRC_WHEN_ON_MODES,
        .flag = IRC_FLAG_MODES,
        .member = IRC_MEMBER_MODES,
    };
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[2];
    size_t count = 0;
    while (count < cap && record_next(&in, fields, 2)) {
        if (fields[0].len == 2) {
            ret[count++] = (struct irc_mode_change){
                .is_on = fields[0].text[0] == '+',
                .letter = fields[0].text[1],
                .type = irc_mode_type_of(&types, fields[0].text[1]),
                .param = fields[1].len > 0 ? irc_field(&fields[1]) : irc_span_of(NULL, 0),
            };
        }
    }
    return count;
}

/* As many messages as the changes take. */
static void encode_mode(struct encode *encode)
{
    struct irc_mode_change changes[IRC_MODE_CHANGES_MAX];
    size_t count = read_changes(encode->event, changes, IRC_MODE_CHANGES_MAX);
    size_t at = 0;
    while (at < count) {
        size_t put = 0;
        (void)begin(encode, "MODE");
        if (encode->event->type == EVENT_USER_MODE) {
            irc_writer_put_param(&encode->writer,
                                 irc_span_of(encode->event->target, encode->event->target_len));
        } else {
            put_channel(encode);
        }
        size_t done =
            irc_mode_put(&encode->writer, changes + at, count - at, IRC_MODES_A_LINE, &put);
        encode->was_refused |= put < done;
        if (done == 0) {
            return;
        }
        at += done;
        if (put > 0) {
            end(encode);
        }
    }
}

static void encode_renamed(struct encode *encode)
{
    const struct event *event = encode->event;
    irc_writer_put_param(begin(encode, "NICK"), irc_span_of(event->target, event->target_len));
    end(encode);
}

static void encode_quit(struct encode *encode)
{
    (void)begin(encode, "QUIT");
    put_event_text(encode);
    end(encode);
}

static void encode_away(struct encode *encode)
{
    if (encode->encoding & WITH_AWAY) {
        (void)begin(encode, "AWAY");
        if (encode->event->text_len > 0) {
            put_event_text(encode);
        }
        end(encode);
    }
}

static void encode_setname(struct encode *encode)
{
    if (encode->encoding & WITH_SETNAME) {
        (void)begin(encode, "SETNAME");
        put_event_text(encode);
        end(encode);
    }
}

static void encode_redacted(struct encode *encode)
{
    const struct event *event = encode->event;
    char target[IRC_CHANNEL_CAP + 1], msgid[IRC_MSGID_CAP];
    if (!(encode->encoding & WITH_REDACTION)) {
        return;
    }
    int n = snprintf(msgid, sizeof(msgid), "m%llu", (unsigned long long)event->value);
    struct event named = *event;
    named.value = 0; /* a rank in messages; here a number */
    struct irc_writer *writer = begin(encode, "REDACT");
    irc_writer_put_param(writer, target_of(&named, target));
    irc_writer_put_param(writer, irc_span_of(msgid, (size_t)n));
    if (event->text_len > 0) {
        put_event_text(encode);
    }
    end(encode);
}

static void encode_room_renamed(struct encode *encode)
{
    const struct event *event = encode->event;
    char channel[IRC_CHANNEL_CAP];
    if (!(encode->encoding & WITH_RENAME)) {
        return; /* each of these is told by itself what it can understand: irc_channel_event */
    }
    struct irc_writer *writer = begin(encode, "RENAME");
    put_channel(encode);
    irc_writer_put_param(writer, irc_channel(event->target, event->target_len, channel));
    put_event_text(encode);
    end(encode);
}

static void encode_invited(struct encode *encode)
{
    const struct event *event = encode->event;
    if (event->flags & EVENT_FLAG_WATCHED && !(encode->encoding & WITH_INVITE)) {
        return;
    }
    irc_writer_put_param(begin(encode, "INVITE"), irc_span_of(event->target, event->target_len));
    put_channel(encode);
    end(encode);
}

static void encode_wallops(struct encode *encode)
{
    (void)begin(encode, "WALLOPS");
    put_event_text(encode);
    end(encode);
}

typedef void (*encode_fn)(struct encode *encode);

static const encode_fn encoders[EVENT_TYPE_COUNT] = {
    [EVENT_MESSAGE] = encode_message,   [EVENT_ACTION] = encode_message,
    [EVENT_NOTICE] = encode_message,    [EVENT_TAGS] = encode_tags,
    [EVENT_JOINED] = encode_join,       [EVENT_ENTERED] = encode_join,
    [EVENT_LEFT] = encode_part,         [EVENT_GONE_FROM] = encode_part,
    [EVENT_REMOVED] = encode_removed,   [EVENT_TOPIC] = encode_topic,
    [EVENT_MODE] = encode_mode,         [EVENT_USER_MODE] = encode_mode,
    [EVENT_QUIT] = encode_quit,         [EVENT_RENAMED] = encode_renamed,
    [EVENT_AWAY] = encode_away,         [EVENT_SETNAME] = encode_setname,
    [EVENT_REDACTED] = encode_redacted, [EVENT_ROOM_RENAMED] = encode_room_renamed,
    [EVENT_INVITED] = encode_invited,   [EVENT_WALLOPS] = encode_wallops,
};

static encode_fn encoder_of(const struct event *event)
{
    if (event->type == EVENT_PRIVATE_TO || event->type == EVENT_PRIVATE_OF) {
        return event->kind == MESSAGE_TAGS ? encode_tags : encode_message;
    }
    return encoders[event->type];
}

/* Returns: false when some of it did not fit. */
static bool encode_with(struct encode *encode, encode_fn encoder, uint8_t shortness)
{
    encode->shortness = shortness;
    encode->was_refused = encode->is_bare = encode->is_line = false;
    encoder(encode);
    return !encode->was_refused;
}

/*
 * With names as long as they may be a line is too short for some events with nick!user@host, and a
 * channel's new name even for the nick; what becomes of a room is to be known all the same. What
 * fits in no line at all is left out.
 */
void irc_encode_in_batch(struct shard *shard, const struct event *event, uint16_t encoding,
                         struct irc_span batch, struct text_out *out)
{
    const size_t before = out->len;
    const encode_fn encoder = encoder_of(event);
    struct encode encode = {
        .shard = shard, .event = event, .out = out, .batch = batch, .encoding = encoding};
    if (!encoder || encode_with(&encode, encoder, 0)) {
        return;
    }
    for (uint8_t shortness = 1; shortness <= 2; shortness++) {
        out->len = before;
        if (encode_with(&encode, encoder, shortness)) {
            return;
        }
    }
    out->len = before;
    (void)encode_with(&encode, encoder, 0);
}

void irc_encode(struct shard *shard, const struct event *event, uint16_t encoding,
                struct text_out *out)
{
    irc_encode_in_batch(shard, event, encoding, irc_span_of(NULL, 0), out);
}

void irc_write_event(struct irc_session *irc, const struct event *event)
{
    struct text_out out = {0};
    irc_encode(irc->base.shard, event, irc->base.encoding, &out);
    if (out.len > 0) {
        irc_write(irc, out.data, out.len);
    }
    text_out_finish(&out);
}
