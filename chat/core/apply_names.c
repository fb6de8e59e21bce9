/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <stdlib.h>
#include <string.h>

/* Who is in a room, and which rooms there are, as records. */

const char *apply_prefixes(uint8_t ranks)
{
    static const char *const prefixes[] = {"", "+", "@", "@+"};
    return prefixes[ranks & (RANK_VOICE | RANK_OPERATOR)];
}

static void put_name(struct record_out *out, const struct member *member, const struct room *room)
{
    const char *at = strchr(member->source, '@');
    record_puts(out, apply_prefixes(member_find_room(member, room, NULL)->ranks));
    record_put(out, member->label->text, member->label->len);
    record_put(out, member->source, (size_t)(at - member->source));
    record_puts(out, at + 1);
    record_end(out);
}

void apply_yield_names(struct apply *apply, const struct room *room)
{
    bool is_inside = apply->member == NULL || member_find_room(apply->member, room, NULL) != NULL ||
                     apply_may_serve(apply);
    struct record_out out = {0};
    struct member **sorted = apply_sort_members(room);
    for (uint32_t i = 0; i < room->member_count; i++) {
        if (is_inside || (sorted[i]->modes & USER_INVISIBLE) == 0) {
            put_name(&out, sorted[i], room);
        }
    }
    free(sorted);
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_NAMES, apply->command->session);
    parts_set_room(&parts, room);
    parts_set_target(&parts, apply->command->target, apply->command->target_len);
    parts.flags = (room->modes & ROOM_SECRET) != 0 ? EVENT_FLAG_SECRET : 0;
    apply_yield_records(apply, &parts, &out);
}

void apply_names(struct apply *apply)
{
    const struct command *command = apply->command;
    const struct room *room = room_by_name(apply->hub, command->target, command->target_len);
    if (room != NULL && room->member_count > 0 && apply_may(apply, ACT_NAMES, room)) {
        apply_yield_names(apply, room);
        return;
    }
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_NAMES, command->session);
    parts_set_target(&parts, command->target, command->target_len);
    apply_yield(apply, &parts);
}

static void put_room(const struct apply *apply, struct record_out *out, const struct room *room)
{
    if (room->member_count == 0 || !apply_may(apply, ACT_LIST, room)) {
        return;
    }
    const struct topic *topic = room->topic;
    record_put(out, room->label->text, room->label->len);
    record_put_number(out, room->member_count);
    record_put(out, topic != NULL ? topic->text : "", topic != NULL ? topic->len : 0);
    record_put_number(out, (uint64_t)room->made_ms / 1000);
    record_put_number(out, topic != NULL ? (uint64_t)topic->time_ms / 1000 : 0);
    record_end(out);
}

void apply_list(struct apply *apply)
{
    const struct command *command = apply->command;
    const struct hub *hub = apply->hub;
    struct record_out out = {0};
    if (command->target_len > 0) {
        const struct room *room = room_by_name(hub, command->target, command->target_len);
        if (room != NULL) {
            put_room(apply, &out, room);
        }
    } else {
        for (uint32_t i = 0; i < hub->room_count; i++) {
            put_room(apply, &out, hub->rooms[i]);
        }
    }
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_LIST, command->session);
    apply_yield_records(apply, &parts, &out);
}
