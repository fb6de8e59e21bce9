/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/irc/people.h"

/* WHO, and WHOX (IRCv3): "WHO <mask> [o][%fields[,token]]". */

#define WHOX_FIELDS    "tcuihsnfdlaor" /* in the order they are answered in */
#define WHOX_TOKEN_MAX 3

/* What of a user the hub tells. */
enum {
    FIELD_ROOM,
    FIELD_USER,
    FIELD_SHOWN,
    FIELD_REAL,
    FIELD_NAME,
    FIELD_STATE,
    FIELD_ACCOUNT,
    FIELD_IDLE,
    FIELD_REAL_NAME,
    FIELD_COUNT
};

bool irc_who_command(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span mask = message->params[0];
    struct irc_span options = message->param_count > 1 ? message->params[1] : irc_span("");
    const char *fields = options.len > 0 ? memchr(options.text, '%', options.len) : NULL;
    size_t flags_len = fields ? (size_t)(fields - options.text) : options.len;
    bool is_opers = flags_len > 0 && memchr(options.text, 'o', flags_len);
    if (fields) {
        irc_note(irc, IRC_NOTE_WHO, irc_span_of(fields + 1, options.len - flags_len - 1));
    }
    irc_submit(irc, &(struct command_parts){.type = COMMAND_WHOX,
                                            .flags = is_opers ? COMMAND_FLAG_OPERS : 0,
                                            .target = mask.text,
                                            .target_len = mask.len});
    return true;
}

/* H or G, then * for operators and B for bots, then of the prefixes all, or the highest. */
static struct irc_span state_of(const struct irc_session *irc, const struct record_field *field)
{
    size_t len = strcspn(field->text, IRC_MEMBER_MARKS);
    bool is_all = (irc->caps & IRC_CAP(MULTI_PREFIX)) != 0;
    return irc_span_of(field->text, is_all || len == field->len ? field->len : len + 1);
}

static struct irc_span room_of(const struct record_field *field, char ret[IRC_CHANNEL_CAP])
{
    if (strcmp(field->text, "*") == 0) {
        return irc_span("*");
    }
    return irc_channel(field->text, field->len, ret);
}

static struct irc_span or_else(const struct record_field *field, const char *other)
{
    return field->len > 0 ? irc_field(field) : irc_span(other);
}

/* 352: channel, user, host, server, nick, flags, hops and real name. */
static void who_line(struct irc_session *irc, const struct record_field fields[FIELD_COUNT])
{
    char channel[IRC_CHANNEL_CAP], text[REAL_NAME_MAX_BYTES + 8];
    int n = snprintf(text, sizeof(text), "0 %s", fields[FIELD_REAL_NAME].text);
    irc_numeric_text(irc, IRC_RPL_WHOREPLY,
                     IRC_SPANS(room_of(&fields[FIELD_ROOM], channel),
                               irc_field(&fields[FIELD_USER]), irc_field(&fields[FIELD_SHOWN]),
                               irc_server_name(irc), irc_field(&fields[FIELD_NAME]),
                               state_of(irc, &fields[FIELD_STATE])),
                     irc_span_of(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1));
}

/* One field of 354 but for the real name, which is text. */
static struct irc_span whox_field(const struct irc_session *irc, char letter, struct irc_span token,
                                  const struct record_field fields[FIELD_COUNT],
                                  char ret[HOST_MAX_BYTES + IRC_CHANNEL_CAP])
{
    switch (letter) {
    case 't':
        return token;
    case 'c':
        return room_of(&fields[FIELD_ROOM], ret);
    case 'u':
        return irc_field(&fields[FIELD_USER]);
    case 'i': { /* the address, of whom it may be seen */
        struct irc_span host = or_else(&fields[FIELD_REAL], "255.255.255.255");
        return irc_span_of(ret, irc_name_write_host(host, ret));
    }
    case 'h':
        return irc_field(&fields[FIELD_SHOWN]);
    case 's':
        return irc_server_name(irc);
    case 'n':
        return irc_field(&fields[FIELD_NAME]);
    case 'f':
        return state_of(irc, &fields[FIELD_STATE]);
    case 'd': /* hops */
        return irc_span("0");
    case 'l':
        return irc_field(&fields[FIELD_IDLE]);
    case 'a':
        return or_else(&fields[FIELD_ACCOUNT], "0");
    default: /* o: the level of a channel's operator, which there is none of */
        return irc_span("n/a");
    }
}

static void whox_line(struct irc_session *irc, const char *letters, struct irc_span token,
                      const struct record_field fields[FIELD_COUNT])
{
    struct irc_writer writer;
    char scratch[HOST_MAX_BYTES + IRC_CHANNEL_CAP];
    irc_start(irc, &writer);
    irc_numeric_start(&writer, irc_server_name(irc), IRC_RPL_WHOSPCRPL, irc_nick(irc));
    for (const char *letter = WHOX_FIELDS; *letter != 'r'; letter++) {
        if (strchr(letters, *letter)) {
            irc_writer_put_param(&writer, whox_field(irc, *letter, token, fields, scratch));
        }
    }
    if (strchr(letters, 'r')) {
        irc_writer_put_text(&writer, irc_field(&fields[FIELD_REAL_NAME]));
    }
    irc_send(irc, &writer);
}

/* Takes the token off "fields,token"; "0" stands for one that is none. */
static struct irc_span take_token(char *note)
{
    char *comma = strchr(note, ',');
    if (!comma) {
        return irc_span("0");
    }
    *comma = '\0';
    size_t len = strspn(comma + 1, "0123456789");
    bool is_token = len > 0 && len <= WHOX_TOKEN_MAX && comma[1 + len] == '\0';
    return is_token ? irc_span(comma + 1) : irc_span("0");
}

void irc_who_reply(struct irc_session *irc, const struct event *event)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[FIELD_COUNT];
    struct irc_span mask = irc_span_of(event->target, event->target_len);
    char *note = irc_take_note(irc, IRC_NOTE_WHO);
    struct irc_span token = note ? take_token(note) : irc_span("0");
    irc_bulk_begin(irc);
    while (record_next(&in, fields, FIELD_COUNT)) {
        if (!irc_has_room(irc)) {
            irc_reply(irc, IRC_ERR_TOOMANYMATCHES, irc_span("WHO"), mask);
            break;
        }
        if (note) {
            whox_line(irc, note, token, fields);
        } else {
            who_line(irc, fields);
        }
    }
    irc_reply(irc, IRC_RPL_ENDOFWHO, mask);
    irc_bulk_end(irc);
    free(note);
}
