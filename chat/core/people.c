/* SPDX-License-Identifier: MIT */
#include "core/people.h"

#include <string.h>

/* Fields of answers about people. */

void people_put_name(struct record_out *out, const struct label *label)
{
    record_put(out, label->text, label->len);
}

void people_put_source(struct record_out *out, const char *source)
{
    if (source == NULL) {
        source = "";
    }
    size_t user_len = strcspn(source, "@");
    record_put(out, source, user_len);
    record_puts(out, source[user_len] == '@' ? source + user_len + 1 : "");
}

void people_put_host(struct record_out *out, const struct member *member, bool is_seen)
{
    const char *host = is_seen ? member->host : "";
    size_t len = strlen(host);
    const char *colon = memrchr(host, ':', len);
    /* "192.0.2.1:4000", "[2001:db8::1]:4000"; what has no port has no brackets either. */
    if (colon != NULL && host[0] == '[' && colon[-1] == ']') {
        host++;
        len = (size_t)(colon - 1 - host);
    } else if (colon != NULL && memchr(host, ':', len) == colon) {
        len = (size_t)(colon - host);
    }
    record_put(out, host, len);
}

void people_put_text(struct record_out *out, const char *text)
{
    record_puts(out, text != NULL ? text : "");
}

uint64_t people_idle_s(const struct apply *apply, const struct member *member)
{
    int64_t since_ms = member->spoke_ms > member->since_ms ? member->spoke_ms : member->since_ms;
    return apply->time_ms > since_ms ? (uint64_t)(apply->time_ms - since_ms) / 1000 : 0;
}

/* ---- short answers ---- */

void apply_userhost(struct apply *apply)
{
    const struct command *command = apply->command;
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_USERHOST, command->session);
    struct record_in in = {command->extra, command->extra_len};
    struct record_field name;
    struct record_out out = {0};
    while (record_next(&in, &name, 1)) {
        const struct member *member = member_by_name(apply->hub, name.text, name.len);
        if (member == NULL) {
            continue;
        }
        people_put_name(&out, member->label);
        record_puts(&out, (member->modes & USER_OPERATOR) != 0 ? "*" : "");
        record_puts(&out, member->away != NULL ? "-" : "+");
        people_put_source(&out, member->source);
        record_end(&out);
    }
    apply_yield_records(apply, &parts, &out);
}

void apply_ison(struct apply *apply)
{
    const struct command *command = apply->command;
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_ISON, command->session);
    struct record_in in = {command->extra, command->extra_len};
    struct record_field name;
    struct record_out out = {0};
    while (record_next(&in, &name, 1)) {
        const struct member *member = member_by_name(apply->hub, name.text, name.len);
        if (member != NULL) {
            people_put_name(&out, member->label);
            record_end(&out);
        }
    }
    apply_yield_records(apply, &parts, &out);
}

void apply_lusers(struct apply *apply)
{
    const struct hub *hub = apply->hub;
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_LUSERS, apply->command->session);
    struct record_out out = {0};
    record_put_number(&out, hub->member_count);
    record_put_number(&out, hub->invisible_count);
    record_put_number(&out, hub->operator_count);
    record_put_number(&out, hub->live_room_count);
    record_put_number(&out, hub->member_most);
    record_end(&out);
    apply_yield_records(apply, &parts, &out);
}
