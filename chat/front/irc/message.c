/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/irc/irc_internal.h"

/*
 * PRIVMSG, NOTICE and TAGMSG: to channels, to members of a channel with a mark (STATUSMSG), and to
 * users. A NOTICE is never answered, whatever is wrong with it (RFC 2812 3.3.2).
 */

struct sending {
    enum message_kind kind;
    struct irc_span text;
    struct text_out tags; /* client-only tags as they came */
};

size_t irc_client_tags(const struct irc_session *irc, const struct irc_message *message,
                       struct text_out *out)
{
    struct irc_tag tags[IRC_TAGS_MAX];
    size_t count = 0, found = 0;
    if (!(irc->caps & IRC_CAP(MESSAGE_TAGS)) || !message->tags.text) {
        return 0;
    }
    (void)irc_tags_parse(message->tags, tags, &count);
    for (size_t i = 0; i < count; i++) {
        if (!irc_tag_is_client_only(tags[i].key)) {
            continue;
        }
        text_out_add(out, ";", found++ > 0 ? 1 : 0);
        text_out_add(out, tags[i].key.text, tags[i].key.len);
        if (tags[i].value.len > 0) {
            text_out_add(out, "=", 1);
            text_out_add(out, tags[i].value.text, tags[i].value.len);
        }
    }
    return found;
}

struct irc_span irc_take_action(struct irc_span text, enum message_kind *kind)
{
    static const char mark[] = "\001ACTION ";
    const size_t mark_len = sizeof(mark) - 1;
    if (*kind != MESSAGE_TEXT || text.len < mark_len || memcmp(text.text, mark, mark_len) != 0) {
        return text;
    }
    struct irc_span inner = irc_span_of(text.text + mark_len, text.len - mark_len);
    if (inner.len > 0 && inner.text[inner.len - 1] == '\001') {
        inner.len--; /* some clients leave it out */
    }
    if (inner.len == 0 || memchr(inner.text, '\001', inner.len)) {
        return text;
    }
    *kind = MESSAGE_ACTION;
    return inner;
}

/* Whether a name is among those of the list, one a line. */
static bool is_listed(const char *list, struct irc_span name)
{
    while (*list) {
        size_t len = strcspn(list, "\n");
        if (len == name.len && memcmp(list, name.text, len) == 0) {
            return true;
        }
        list += len + (list[len] == '\n');
    }
    return false;
}

/* Whether a message of tags alone is one that history keeps. */
static bool keeps_tags(const struct irc_session *irc, struct irc_span tags)
{
    const struct front_settings *settings = shard_settings(irc->base.shard);
    struct irc_tag items[IRC_TAGS_MAX];
    size_t count = 0;
    if (!settings->persist_tags) {
        return false;
    }
    (void)irc_tags_parse(tags, items, &count);
    for (size_t i = 0; i < count; i++) {
        if (settings->persist_tag_list[0] == '\0'
                ? !irc_span_is(items[i].key, "+typing")
                : is_listed(settings->persist_tag_list, items[i].key)) {
            return true;
        }
    }
    return false;
}

void irc_send_to(struct irc_session *irc, const struct irc_target *target, enum message_kind kind,
                 struct irc_span text, struct irc_span tags)
{
    bool is_room = target->kind != IRC_TARGET_NICK;
    struct irc_span name = is_room ? irc_room_of(target->name) : target->name;
    bool keeps = kind == MESSAGE_TAGS && keeps_tags(irc, tags);
    irc_submit(irc, &(struct command_parts){
                        .type = is_room ? COMMAND_SAY : COMMAND_PRIVATE,
                        .kind = (uint8_t)kind,
                        .flags = keeps ? COMMAND_FLAG_KEEP : 0,
                        .value = (unsigned char)target->prefix,
                        .target = name.text,
                        .target_len = name.len,
                        .text = text.text,
                        .text_len = text.len,
                        .tags = tags.text,
                        .tags_len = tags.len,
                    });
}

static size_t count_targets(struct irc_span list)
{
    struct irc_span item;
    size_t count = 0;
    while (irc_name_next(&list, &item)) {
        count++;
    }
    return count;
}

/* Why nothing can be sent; with in_turn it is told. */
static bool is_sendable(struct irc_session *irc, const struct irc_line *line,
                        enum message_kind kind)
{
    const struct irc_message *message = &line->message;
    bool has_target = message->param_count > 0 && count_targets(message->params[0]) > 0;
    bool has_text =
        kind == MESSAGE_TAGS || (message->param_count > 1 && message->params[1].len > 0);
    bool is_many = has_target && count_targets(message->params[0]) > IRC_TARGETS_MAX;
    if (has_target && has_text && !is_many) {
        return true;
    }
    if (!line->in_turn || kind == MESSAGE_NOTICE) {
        return false;
    }
    if (!has_target && kind == MESSAGE_TAGS) {
        irc_reply(irc, IRC_ERR_NEEDMOREPARAMS, message->command);
    } else if (!has_target) {
        irc_numeric_values(irc, IRC_ERR_NORECIPIENT, NULL, 0, IRC_SPANS(message->command));
    } else if (!has_text) {
        irc_reply0(irc, IRC_ERR_NOTEXTTOSEND);
    } else {
        irc_reply(irc, IRC_ERR_TOOMANYTARGETS, message->params[0]);
    }
    return false;
}

/* Whether all targets are such that the hub knows what to say of them. */
static bool are_targets(struct irc_span list)
{
    struct irc_span item;
    while (irc_name_next(&list, &item)) {
        if (irc_target_parse(item, IRC_MEMBER_MARKS).kind == IRC_TARGET_BAD) {
            return false;
        }
    }
    return true;
}

static void send_all(struct irc_session *irc, const struct irc_line *line, enum message_kind kind)
{
    const struct irc_message *message = &line->message;
    struct irc_span list = message->params[0], item;
    struct irc_span text = kind == MESSAGE_TAGS ? irc_span("") : message->params[1];
    struct text_out tags = {0};
    enum message_kind found = kind;
    text = irc_take_action(text, &found);
    (void)irc_client_tags(irc, message, &tags);
    while (irc_name_next(&list, &item)) {
        struct irc_target target = irc_target_parse(item, IRC_MEMBER_MARKS);
        if (target.kind != IRC_TARGET_BAD) {
            irc_send_to(irc, &target, found, text, irc_span_of(tags.data, tags.len));
        } else if (kind != MESSAGE_NOTICE) {
            irc_reply(irc, IRC_ERR_NOSUCHNICK, item);
        }
    }
    text_out_finish(&tags);
}

static bool send_message(struct irc_session *irc, const struct irc_line *line,
                         enum message_kind kind)
{
    if (!is_sendable(irc, line, kind) ||
        (!line->in_turn && !are_targets(line->message.params[0]))) {
        return false;
    }
    send_all(irc, line, kind);
    return true;
}

static bool do_privmsg(struct irc_session *irc, const struct irc_line *line)
{
    return send_message(irc, line, MESSAGE_TEXT);
}

static bool do_notice(struct irc_session *irc, const struct irc_line *line)
{
    return send_message(irc, line, MESSAGE_NOTICE);
}

static bool do_tagmsg(struct irc_session *irc, const struct irc_line *line)
{
    if (!(irc->caps & IRC_CAP(MESSAGE_TAGS))) {
        if (line->in_turn) {
            irc_reply(irc, IRC_ERR_UNKNOWNCOMMAND, line->message.command);
        }
        return false;
    }
    return send_message(irc, line, MESSAGE_TAGS);
}

const struct irc_command irc_message_commands[] = {
    {.name = "PRIVMSG", .fn = do_privmsg, .when = IRC_AFTER, .cost = 1, .list = 1},
    {.name = "NOTICE", .fn = do_notice, .when = IRC_AFTER, .cost = 1, .list = 1},
    {.name = "TAGMSG", .fn = do_tagmsg, .when = IRC_AFTER, .cost = 1, .list = 1},
    {.name = NULL},
};

/* The sender's own view of a private message. */
static void private_sent(struct irc_session *irc, const struct event *event)
{
    if (irc->caps & IRC_CAP(ECHO_MESSAGE)) {
        irc_write_event(irc, event);
    }
    if (event->extra_len > 0) {
        irc_numeric_text(irc, IRC_RPL_AWAY,
                         IRC_SPANS(irc_span_of(event->target, event->target_len)),
                         irc_span_of(event->extra, event->extra_len));
    }
}

bool irc_message_event(struct irc_session *irc, const struct event *event)
{
    switch (event->type) {
    case EVENT_PRIVATE_TO:
    case EVENT_REDACTED:
        irc_write_event(irc, event);
        return true;
    case EVENT_PRIVATE_OF:
        private_sent(irc, event);
        return true;
    case EVENT_MESSAGE:
    case EVENT_ACTION:
    case EVENT_NOTICE:
    case EVENT_TAGS:
        if (!(event->flags & EVENT_FLAG_OWN) || irc->caps & IRC_CAP(ECHO_MESSAGE)) {
            irc_write_event(irc, event);
        }
        return true;
    default:
        return false;
    }
}
