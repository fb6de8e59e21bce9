/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "front/irc/irc_internal.h"

/*
 * REDACT (IRCv3 draft/message-redaction): the log says who wrote the message and where it lies, the
 * hub whether this session may take it back.
 */

static void fail(struct irc_session *irc, enum irc_standard code, const struct irc_message *message)
{
    irc_standard(irc, IRC_FAIL, "REDACT", code, message->params,
                 message->param_count < 2 ? message->param_count : 2);
}

bool irc_do_redact(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    const struct irc_span *params = message->params;
    struct query *query;
    uint64_t number;
    if (!(irc->caps & IRC_CAP(REDACTION))) {
        irc_reply(irc, IRC_ERR_UNKNOWNCOMMAND, message->command);
        return true;
    }
    if (message->param_count < 2) {
        fail(irc, IRC_STANDARD_NEED_MORE_PARAMS, message);
        return true;
    }
    struct irc_target target = irc_target_parse(params[0], "");
    const struct room_view *room =
        target.kind == IRC_TARGET_CHANNEL ? irc_own_room(irc, target.name) : NULL;
    if (!room && target.kind != IRC_TARGET_NICK) {
        irc_fail(irc, "REDACT", IRC_STANDARD_INVALID_TARGET, params[0]);
        return true;
    }
    if (!irc_parse_msgid(params[1], &number)) {
        fail(irc, IRC_STANDARD_UNKNOWN_MSGID, message);
        return true;
    }
    query = query_create(irc->base.id);
    query->kind = QUERY_MESSAGE;
    query->message.room_id = room ? room->id : 0;
    query->message.number = number;
    query->message.identity = irc->identity;
    if (!irc_wait_for(irc, line, query)) {
        fail(irc, IRC_STANDARD_INTERNAL_ERROR, message);
    }
    return true;
}

void irc_redact_found(struct irc_session *irc, const struct irc_message *message,
                      const struct query *query)
{
    const struct irc_span *params = message->params;
    struct record_in in = {query->records.bytes, query->records.len};
    struct record_field fields[6];
    bool is_found = query->fault == LOG_OK && record_next(&in, fields, 6) && fields[5].len == 0;
    if (query->fault != LOG_OK && query->fault != LOG_UNKNOWN) {
        fail(irc, IRC_STANDARD_INTERNAL_ERROR, message);
        return;
    }
    if (!is_found) {
        fail(irc, IRC_STANDARD_UNKNOWN_MSGID, message);
        return;
    }
    struct irc_span target = irc_name_is_channel(params[0]) ? irc_room_of(params[0]) : params[0];
    struct irc_span reason = message->param_count > 2 ? params[2] : irc_span("");
    irc_submit(irc, &(struct command_parts){
                        .type = COMMAND_REDACT,
                        .value = query->message.number,
                        .target = target.text,
                        .target_len = target.len,
                        .text = reason.text,
                        .text_len = reason.len,
                        .extra = query->records.bytes,
                        .extra_len = query->records.len,
                    });
}
