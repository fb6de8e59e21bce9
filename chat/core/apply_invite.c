/* SPDX-License-Identifier: MIT */
#include "core/apply.h"
#include "core/invite.h"

/* Invitations: given, and shown to who has them. */

/* The rooms that the member is invited to and that are still the ones it was invited to. */
static void show_invites(struct apply *apply)
{
    const struct invites *invites = apply->member->invites;
    struct record_out out = {0};
    for (uint32_t i = 0; invites != NULL && i < invites->count; i++) {
        const struct room *room = room_by_id(apply->hub, invites->items[i].room_id);
        if (room != NULL && room->life == invites->items[i].life) {
            record_put(&out, room->label->text, room->label->len);
            record_end(&out);
        }
    }
    struct event_parts parts =
        apply_to_session(apply, EVENT_REPLY_INVITES, apply->command->session);
    apply_yield_records(apply, &parts, &out);
}

static struct event_parts invitation(const struct apply *apply, enum event_type type,
                                     const struct room *room, const struct member *target)
{
    struct event_parts parts = apply_to_session(apply, type, apply->command->session);
    parts_set_room(&parts, room);
    parts_set_actor(&parts, apply->member);
    parts.peer = apply->command->session;
    parts_set_target(&parts, target->label->text, target->label->len);
    return parts;
}

/* Tells those in the room who could have given the invitation: in an open room all of them. */
static void tell_room(struct apply *apply, const struct room *room, const struct member *target)
{
    struct event_parts parts = invitation(apply, EVENT_INVITED, room, target);
    parts.flags |= EVENT_FLAG_WATCHED;
    if (authority_allows(ACT_INVITE, RELATION_MEMBER, room->modes)) {
        parts.audience = AUDIENCE_ROOM;
        apply_yield(apply, &parts);
        return;
    }
    for (uint32_t i = 0; i < room->member_count; i++) {
        const struct member *member = room->members[i];
        const struct membership *membership = member_find_room(member, room, NULL);
        if (member != apply->member && apply_member_may(member, ACT_INVITE, room, membership)) {
            parts.session = member->session;
            apply_yield(apply, &parts);
        }
    }
}

static void refuse_there(struct apply *apply, const struct room *room, const struct member *target)
{
    struct event_parts parts = apply_refusal(apply, ERROR_THERE);
    parts_set_room(&parts, room);
    parts_set_text(&parts, room->label->text, room->label->len);
    parts.extra = target->label->text;
    parts.extra_len = target->label->len;
    apply_yield(apply, &parts);
}

void apply_invite(struct apply *apply)
{
    const struct command *command = apply->command;
    if (command->target_len == 0) {
        show_invites(apply);
        return;
    }
    if (apply_live_room(apply, command->target, command->target_len) == NULL) {
        return;
    }
    struct room *room = apply_room_for(apply, ACT_INVITE);
    if (room == NULL) {
        return;
    }
    struct member *target = member_by_name(apply->hub, command->extra, command->extra_len);
    if (target == NULL) {
        apply_refuse(apply, ERROR_NO_SUCH_NAME, command->extra, command->extra_len, 0);
        return;
    }
    if (member_find_room(target, room, NULL) != NULL) {
        refuse_there(apply, room, target);
        return;
    }
    const struct membership *own = member_find_room(apply->member, room, NULL);
    invite_give(apply->hub, target, room, apply_may_as(apply, ACT_MODE, room, own));
    struct event_parts inviting = invitation(apply, EVENT_INVITING, room, target);
    if (target->away != NULL) {
        inviting.extra = target->away;
        inviting.extra_len = strlen(target->away);
    }
    apply_yield(apply, &inviting);
    struct event_parts invited = invitation(apply, EVENT_INVITED, room, target);
    invited.session = target->session;
    apply_yield(apply, &invited);
    tell_room(apply, room, target);
}
