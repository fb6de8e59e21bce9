/* SPDX-License-Identifier: MIT */
#include "core/people.h"

#include <string.h>

#include "core/name.h"
#include "core/watch.h"

/* MONITOR: IRCv3, https://ircv3.net/specs/extensions/monitor */

/* The answer to names that are asked for. */
struct monitor_answer {
    struct record_out online, offline;
    struct record_out left; /* what the limit let no room for: bytes without fields */
};

static void put_status(struct monitor_answer *answer, const struct member *member, const char *name,
                       size_t len)
{
    if (member == NULL) {
        record_put(&answer->offline, name, len);
        record_end(&answer->offline);
        return;
    }
    people_put_name(&answer->online, member->label);
    people_put_source(&answer->online, member->source);
    record_end(&answer->online);
}

/* Puts the name, followed by a NUL, at the end. */
static void put_left(struct monitor_answer *answer, const char *name, size_t len)
{
    record_put(&answer->left, name, len);
}

/* Whether the asker watches the name from now on, or did already. */
static bool start_watching(struct apply *apply, const char *name, size_t len,
                           const struct label_key *key)
{
    struct hub *hub = apply->hub;
    struct watch *watch = watch_by_key(hub, key);
    if (watch != NULL && watch_find(apply->member, watch, NULL)) {
        return true;
    }
    if (watch_count(apply->member) >= hub->limits.monitor) {
        return false;
    }
    if (watch == NULL) {
        watch = watch_create(label_create(name, len, key));
        journal_add_watch(hub, watch);
    }
    journal_watch(hub, apply->member, watch);
    return true;
}

/* The clean name and key of a field. Returns: false when nobody can be called so. */
static bool read_name(const struct hub *hub, const struct record_field *field,
                      char clean[NAME_CEILING_BYTES + 1], size_t *ret_len,
                      struct label_key *ret_key)
{
    return name_user(field->text, field->len, NAME_CEILING_BYTES, clean, ret_len) == NAME_OK &&
           label_key_init(ret_key, hub->hash_seed, clean, *ret_len);
}

static void yield_answer(struct apply *apply, struct monitor_answer *answer)
{
    uint64_t session = apply->command->session;
    if (answer->online.count > 0) {
        struct event_parts parts = apply_to_session(apply, EVENT_ONLINE, session);
        parts.flags = EVENT_FLAG_OWN;
        apply_yield_records(apply, &parts, &answer->online);
    }
    if (answer->offline.count > 0) {
        struct event_parts parts = apply_to_session(apply, EVENT_OFFLINE, session);
        parts.flags = EVENT_FLAG_OWN;
        apply_yield_records(apply, &parts, &answer->offline);
    }
    if (answer->left.len > 0) {
        struct event_parts parts = apply_refusal(apply, ERROR_MONITOR_FULL);
        size_t len = answer->left.len - 1;
        for (size_t i = 0; i < len; i++) {
            if (answer->left.bytes[i] == '\0') {
                answer->left.bytes[i] = ',';
            }
        }
        parts.count = apply->hub->limits.monitor;
        parts.extra = answer->left.bytes;
        parts.extra_len = len;
        apply_yield(apply, &parts);
        record_out_finish(&answer->left);
    }
}

static void add_names(struct apply *apply)
{
    struct record_in in = {apply->command->extra, apply->command->extra_len};
    struct record_field field;
    struct monitor_answer answer = {0};
    while (record_next(&in, &field, 1)) {
        char clean[NAME_CEILING_BYTES + 1];
        size_t len;
        struct label_key key;
        if (!read_name(apply->hub, &field, clean, &len, &key)) {
            continue;
        }
        if (start_watching(apply, clean, len, &key)) {
            put_status(&answer, member_by_key(apply->hub, &key), clean, len);
        } else {
            put_left(&answer, clean, len);
        }
        label_key_finish(&key);
    }
    yield_answer(apply, &answer);
}

static void remove_names(struct apply *apply)
{
    struct record_in in = {apply->command->extra, apply->command->extra_len};
    struct record_field field;
    while (record_next(&in, &field, 1)) {
        char clean[NAME_CEILING_BYTES + 1];
        size_t len;
        struct label_key key;
        uint32_t at;
        if (!read_name(apply->hub, &field, clean, &len, &key)) {
            continue;
        }
        const struct watch *watch = watch_by_key(apply->hub, &key);
        if (watch != NULL && watch_find(apply->member, watch, &at)) {
            journal_unwatch(apply->hub, apply->member, at);
        }
        label_key_finish(&key);
    }
}

static const struct member *member_of(const struct hub *hub, const struct label *label)
{
    return member_by_name(hub, label->text, label->len);
}

static void yield_list(struct apply *apply, bool with_status)
{
    const struct member *asker = apply->member;
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_MONITOR, asker->session);
    struct record_out out = {0};
    parts.value = with_status ? 'S' : 'L';
    for (uint32_t i = 0; i < watch_count(asker); i++) {
        const struct label *label = asker->watches->items[i].watch->label;
        const struct member *member = with_status ? member_of(apply->hub, label) : NULL;
        people_put_name(&out, member != NULL ? member->label : label);
        if (with_status) {
            people_put_source(&out, member != NULL ? member->source : NULL);
        }
        record_end(&out);
    }
    apply_yield_records(apply, &parts, &out);
}

void apply_monitor(struct apply *apply)
{
    switch (apply->command->value) {
    case '+':
        add_names(apply);
        break;
    case '-':
        remove_names(apply);
        break;
    case 'C':
        while (watch_count(apply->member) > 0) {
            journal_unwatch(apply->hub, apply->member, watch_count(apply->member) - 1);
        }
        break;
    case 'L':
    case 'S':
        yield_list(apply, apply->command->value == 'S');
        break;
    default:
        break;
    }
}
