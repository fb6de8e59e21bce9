/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "front/irc/irc_internal.h"
#include "wire/irc_cap.h"

/* CAP (IRCv3 capability negotiation 302). */

static const char *const names[] = {
#define CAP_NAME(name, wire) wire,
    IRC_CAPS(CAP_NAME)
#undef CAP_NAME
};

#define VALUE_CAP 64

/* The value a capability is offered with. */
static struct irc_span value_of(const struct irc_session *irc, unsigned index, char ret[VALUE_CAP])
{
    const struct front_settings *settings = shard_settings(irc->base.shard);
    if (index == IRC_CAP_INDEX_MULTILINE) {
        int n = snprintf(ret, VALUE_CAP, "max-bytes=%u,max-lines=%u", settings->multiline_bytes,
                         settings->multiline_lines);
        return irc_span_of(ret, (size_t)n);
    }
    return irc_span_of(NULL, 0);
}

static bool is_offered(const struct irc_session *irc, unsigned index)
{
    const struct front_settings *settings = shard_settings(irc->base.shard);
    if (index == IRC_CAP_INDEX_CHATHISTORY || index == IRC_CAP_INDEX_EVENT_PLAYBACK) {
        return settings->history_enabled;
    }
    return true;
}

static void send_list(struct irc_session *irc, const char *subcommand, uint32_t set)
{
    struct irc_cap caps[IRC_CAP_INDEX_COUNT];
    char values[IRC_CAP_INDEX_COUNT][VALUE_CAP];
    bool is_302 = irc->cap_version >= 302;
    struct irc_cap_list list = {
        .source = irc_server_name(irc),
        .client = irc_nick(irc),
        .subcommand = subcommand,
        .caps = caps,
        .has_values = is_302 && strcmp(subcommand, "LS") == 0,
        .is_continued = is_302,
    };
    for (unsigned i = 0; i < IRC_CAP_INDEX_COUNT; i++) {
        if (set >> i & 1 && is_offered(irc, i)) {
            caps[list.count++] =
                (struct irc_cap){.name = irc_span(names[i]), .value = value_of(irc, i, values[i])};
        }
    }
    size_t at = 0;
    bool more;
    do {
        struct irc_writer writer;
        irc_start(irc, &writer);
        more = irc_cap_put(&writer, &list, &at);
        irc_send(irc, &writer);
    } while (more);
}

/* The set after a list of changes. Returns: false when one of them is not known, or may not go. */
static bool apply(const struct irc_session *irc, struct irc_span list, uint32_t *set)
{
    struct irc_cap cap;
    while (irc_cap_next(&list, &cap)) {
        unsigned index = 0;
        while (index < IRC_CAP_INDEX_COUNT && !irc_span_is(cap.name, names[index])) {
            index++;
        }
        if (index == IRC_CAP_INDEX_COUNT || !is_offered(irc, index)) {
            return false;
        }
        /* Implicit for clients of version 302, who cannot be without it. */
        if (cap.is_off && index == IRC_CAP_INDEX_CAP_NOTIFY && irc->cap_version >= 302) {
            return false;
        }
        *set = cap.is_off ? *set & ~(UINT32_C(1) << index) : *set | UINT32_C(1) << index;
    }
    return true;
}

static void request(struct irc_session *irc, struct irc_span list)
{
    uint32_t set = irc->caps;
    bool is_done = apply(irc, list, &set);
    struct irc_writer writer;
    irc_start(irc, &writer);
    irc_writer_put_source(&writer, irc_server_name(irc));
    irc_writer_put_command(&writer, irc_span("CAP"));
    irc_writer_put_param(&writer, irc_nick(irc));
    irc_writer_put_param(&writer, irc_span(is_done ? "ACK" : "NAK"));
    irc_writer_put_text(&writer, list);
    irc_send(irc, &writer);
    if (is_done) {
        irc->caps = set;
        session_set_encoding(&irc->base, irc_encoding_of(set));
    }
}

bool irc_cap_command(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span word = message->params[0];
    if (irc_span_is_nocase(word, "LS")) {
        unsigned version =
            irc_cap_version(message->param_count > 1 ? message->params[1] : irc_span_of(NULL, 0));
        if (version > irc->cap_version) {
            irc->cap_version = (uint16_t)version;
        }
        if (irc->cap_version >= 302) {
            irc->caps |= IRC_CAP(CAP_NOTIFY);
        }
        irc->in_negotiation = !irc->registered;
        send_list(irc, "LS", UINT32_MAX);
    } else if (irc_span_is_nocase(word, "LIST")) {
        send_list(irc, "LIST", irc->caps);
    } else if (irc_span_is_nocase(word, "REQ")) {
        irc->in_negotiation = !irc->registered;
        request(irc, message->param_count > 1 ? message->params[1] : irc_span(""));
    } else if (irc_span_is_nocase(word, "END")) {
        irc->in_negotiation = false;
        irc_register_when_ready(irc);
    } else {
        irc_reply(irc, IRC_ERR_INVALIDCAPCMD, word);
    }
    return true;
}
