/* SPDX-License-Identifier: MIT */
#include "core/people.h"

#include <string.h>

#include "core/sight.h"
#include "core/watch.h"
#include "core/whowas.h"

static void yield_to_watchers(struct apply *apply, const struct watch *watch, enum event_type type,
                              struct record_out *record)
{
    for (uint32_t i = 0; i < watch->count; i++) {
        struct event_parts parts = apply_to_session(apply, type, watch->watchers[i]->session);
        parts.count = 1;
        parts.extra = record->bytes;
        parts.extra_len = record->len;
        apply_yield(apply, &parts);
    }
}

static void tell_online(struct apply *apply, const struct member *member)
{
    const struct watch *watch = watch_by_label(apply->hub, member->label);
    if (watch == NULL) {
        return;
    }
    struct record_out record = {0};
    people_put_name(&record, member->label);
    people_put_source(&record, member->source);
    record_end(&record);
    yield_to_watchers(apply, watch, EVENT_ONLINE, &record);
    record_out_finish(&record);
}

static void tell_offline(struct apply *apply, const struct label *label)
{
    const struct watch *watch = watch_by_label(apply->hub, label);
    if (watch == NULL) {
        return;
    }
    struct record_out record = {0};
    people_put_name(&record, label);
    record_end(&record);
    yield_to_watchers(apply, watch, EVENT_OFFLINE, &record);
    record_out_finish(&record);
}

void people_arrived(struct apply *apply, struct member *member)
{
    struct hub *hub = apply->hub;
    if (hub->member_count > hub->member_most) {
        journal_save(hub, &hub->member_most, sizeof(hub->member_most));
        hub->member_most = hub->member_count;
    }
    tell_online(apply, member);
}

void people_left(struct apply *apply, struct member *member)
{
    while (watch_count(member) > 0) {
        journal_unwatch(apply->hub, member, watch_count(member) - 1);
    }
    people_set_modes(apply, member, 0);
    whowas_add(apply->hub, member, member->label, apply->time_ms);
    tell_offline(apply, member->label);
}

void people_renamed(struct apply *apply, struct member *member, const struct label *old_label)
{
    if (label_compare(old_label, member->label) == 0) {
        return;
    }
    whowas_add(apply->hub, member, old_label, apply->time_ms);
    tell_offline(apply, old_label);
    tell_online(apply, member);
}

void people_tell(struct apply *apply, struct member *member, struct event_parts *parts)
{
    apply_yield_to_rooms(apply, member, parts);
    const struct watch *watch = watch_by_label(apply->hub, member->label);
    if (watch == NULL) {
        return;
    }
    struct sight sight;
    sight_of(&sight, apply, member);
    parts->audience = AUDIENCE_SESSION;
    parts->rooms = NULL;
    parts->room_count = 0;
    parts->flags |= EVENT_FLAG_WATCHED;
    for (uint32_t i = 0; i < watch->count; i++) {
        const struct member *watcher = watch->watchers[i];
        if (watcher != member && !sight_shares_room(&sight, watcher)) {
            parts->session = watcher->session;
            apply_yield(apply, parts);
        }
    }
    sight_finish(&sight);
}
