/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "front/irc/irc_internal.h"

/* What is written to one session. */

/* So much is sent at once, past the queue, when nothing is in that: see party_stream_write. */
#define BULK_BYTES 32768

struct irc_span irc_span_of(const char *text, size_t len)
{
    return (struct irc_span){text, len};
}

struct irc_span irc_field(const struct record_field *field)
{
    return (struct irc_span){field->text, field->len};
}

struct irc_span irc_server_name(const struct irc_session *irc)
{
    return irc_span(shard_settings(irc->base.shard)->server_name);
}

struct irc_span irc_nick(const struct irc_session *irc)
{
    /* Before registration the nick is a wish; servers say '*'. */
    return irc_span(irc->registered && irc->nick ? irc->nick : IRC_NO_NAME);
}

bool irc_has_room(const struct irc_session *irc)
{
    /* For the line that goes past it, for what ends the answer, and for what comes meanwhile. */
    const size_t least_reserve = 1024, most_reserve = 16384;
    size_t limit = shard_settings(irc->base.shard)->stream.output_max_bytes;
    size_t reserve = limit == 0 || limit / 4 > most_reserve ? most_reserve : limit / 4;
    size_t taken = reserve > least_reserve ? reserve : least_reserve;
    taken += irc->bulk ? irc->bulk->len : 0;
    taken += irc->label ? irc_label_bytes(irc->label) : 0;
    return party_stream_output_room(irc->base.stream) > taken;
}

void irc_bulk_begin(struct irc_session *irc)
{
    if (!irc->bulk) {
        irc->bulk = xcalloc(1, sizeof(*irc->bulk));
    }
}

void irc_bulk_end(struct irc_session *irc)
{
    struct text_out *bulk = irc->bulk;
    if (bulk) {
        irc->bulk = NULL;
        if (bulk->len > 0) {
            session_write(&irc->base, bulk->data, bulk->len);
        }
        text_out_finish(bulk);
        free(bulk);
    }
}

static void add_to_bulk(struct irc_session *irc, const char *bytes, size_t len)
{
    text_out_add(irc->bulk, bytes, len);
    if (irc->bulk->len >= BULK_BYTES) {
        session_write(&irc->base, irc->bulk->data, irc->bulk->len);
        irc->bulk->len = 0;
    }
}

void irc_write(struct irc_session *irc, const char *bytes, size_t len)
{
    if (irc->label) {
        irc_label_hold(irc->label, bytes, len);
    } else if (irc->bulk) {
        add_to_bulk(irc, bytes, len);
    } else {
        session_write(&irc->base, bytes, len);
    }
}

void irc_start(const struct irc_session *irc, struct irc_writer *writer)
{
    (void)irc;
    irc_writer_init(writer, IRC_TAGS_MAX_BYTES);
}

void irc_send(struct irc_session *irc, struct irc_writer *writer)
{
    size_t len = irc_writer_end(writer);
    if (len > 0) {
        irc_write(irc, writer->bytes, len);
    }
}

/* With names as long as they may be there is not always room for the nick of who is told. */
static void start_numeric(struct irc_session *irc, struct irc_writer *writer,
                          enum irc_numeric numeric, const struct irc_span *params, size_t count)
{
    const struct irc_span clients[] = {irc_nick(irc), irc_span(IRC_NO_NAME)};
    for (int i = 0; i == 0 || (i < 2 && (writer->is_refused || irc_writer_room(writer) < 2)); i++) {
        irc_start(irc, writer);
        irc_numeric_start(writer, irc_server_name(irc), numeric, clients[i]);
        for (size_t at = 0; at < count; at++) {
            irc_writer_put_echo(writer, params[at], IRC_ECHO_MAX);
        }
    }
}

void irc_numeric(struct irc_session *irc, enum irc_numeric numeric, const struct irc_span *params,
                 size_t count)
{
    irc_numeric_values(irc, numeric, params, count, NULL, 0);
}

void irc_numeric_values(struct irc_session *irc, enum irc_numeric numeric,
                        const struct irc_span *params, size_t count, const struct irc_span *values,
                        size_t value_count)
{
    struct irc_writer writer;
    const struct irc_numeric_info *info = irc_numeric_find((int)numeric);
    start_numeric(irc, &writer, numeric, params, count);
    if (info && info->text) {
        irc_numeric_put_text(&writer, numeric, values, value_count);
    }
    irc_send(irc, &writer);
}

void irc_numeric_text(struct irc_session *irc, enum irc_numeric numeric,
                      const struct irc_span *params, size_t count, struct irc_span text)
{
    struct irc_writer writer;
    start_numeric(irc, &writer, numeric, params, count);
    irc_writer_put_text(&writer, text);
    irc_send(irc, &writer);
}

void irc_standard(struct irc_session *irc, enum irc_standard_verb verb, const char *command,
                  enum irc_standard code, const struct irc_span *context, size_t count)
{
    struct irc_writer writer;
    irc_start(irc, &writer);
    irc_standard_start(&writer, irc_server_name(irc), verb, irc_span(command), code);
    for (size_t i = 0; i < count; i++) {
        irc_writer_put_echo(&writer, context[i], IRC_ECHO_MAX);
    }
    irc_writer_put_text(&writer, irc_span(irc_standard_text(code)));
    irc_send(irc, &writer);
}

void irc_notice(struct irc_session *irc, const char *format, ...)
{
    char text[IRC_BODY_MAX_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct irc_writer writer;
    irc_start(irc, &writer);
    irc_writer_put_source(&writer, irc_server_name(irc));
    irc_writer_put_command(&writer, irc_span("NOTICE"));
    irc_writer_put_param(&writer, irc_nick(irc));
    irc_writer_put_text(&writer,
                        irc_span_of(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1));
    irc_send(irc, &writer);
}

struct irc_span irc_time_text(int64_t time_ms, char ret[IRC_TIME_CAP])
{
    int64_t time_s = time_ms >= 0 ? time_ms / 1000 : (time_ms - 999) / 1000;
    time_t t = (time_t)time_s;
    struct tm tm;
    size_t len = 0;
    if (gmtime_r(&t, &tm)) {
        len = strftime(ret, IRC_TIME_CAP, "%Y-%m-%dT%H:%M:%S", &tm);
    }
    int n = snprintf(ret + len, IRC_TIME_CAP - len, ".%03dZ", (int)(time_ms - time_s * 1000));
    return irc_span_of(ret, len + (n > 0 ? (size_t)n : 0));
}

struct irc_span irc_msgid(const struct event *event, char ret[IRC_MSGID_CAP])
{
    int n = event->number != 0 ? snprintf(ret, IRC_MSGID_CAP, "m%" PRIu64, event->number)
                               : snprintf(ret, IRC_MSGID_CAP, "t%" PRId64 "-%" PRIu64,
                                          event->time_ms, event->count);
    return irc_span_of(ret, (size_t)n);
}

struct irc_span irc_channel(const char *name, size_t len, char ret[IRC_CHANNEL_CAP])
{
    if (len > IRC_CHANNEL_CAP - 2) {
        len = IRC_CHANNEL_CAP - 2;
    }
    ret[0] = IRC_CHANNEL_TYPE;
    memcpy(ret + 1, name, len);
    ret[len + 1] = '\0';
    return irc_span_of(ret, len + 1);
}

void irc_submit(struct irc_session *irc, const struct command_parts *parts)
{
    irc->submitted++;
    (void)session_submit_parts(&irc->base, parts);
}

void irc_ask(struct irc_session *irc, enum command_type type, struct irc_span target,
             struct irc_span text)
{
    irc_submit(irc, &(struct command_parts){.type = type,
                                            .target = target.text,
                                            .target_len = target.len,
                                            .text = text.text,
                                            .text_len = text.len});
}

struct irc_span irc_room_of(struct irc_span channel)
{
    if (!irc_name_is_channel(channel)) {
        return (struct irc_span){NULL, 0};
    }
    return irc_span_of(channel.text + 1, channel.len - 1);
}
