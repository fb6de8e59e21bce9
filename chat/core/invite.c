/* SPDX-License-Identifier: MIT */
#include "core/invite.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static bool is_for(const struct invite *invite, const struct room *room)
{
    return invite->room_id == room->id && invite->life == room->life;
}

static const struct invite *find(const struct member *member, const struct room *room)
{
    for (uint32_t i = 0; member->invites != NULL && i < member->invites->count; i++) {
        if (is_for(&member->invites->items[i], room)) {
            return &member->invites->items[i];
        }
    }
    return NULL;
}

bool invite_is_there(const struct member *member, const struct room *room)
{
    return find(member, room) != NULL;
}

bool invite_is_strong(const struct member *member, const struct room *room)
{
    const struct invite *invite = find(member, room);
    return invite != NULL && invite->is_strong;
}

/* The member's invitations but the ones from the place `from` on that are for the room, with space
 * for one more. */
static struct invites *copy_others(const struct member *member, const struct room *room,
                                   uint32_t from)
{
    uint32_t count = member->invites != NULL ? member->invites->count : 0;
    struct invites *copy = xmalloc(sizeof(*copy) + (count + 1) * sizeof(copy->items[0]));
    copy->count = 0;
    for (uint32_t i = from; i < count; i++) {
        if (!is_for(&member->invites->items[i], room)) {
            copy->items[copy->count++] = member->invites->items[i];
        }
    }
    return copy;
}

void invite_give(struct hub *hub, struct member *member, const struct room *room, bool is_strong)
{
    const struct invite *old = find(member, room);
    if (old != NULL && (old->is_strong || !is_strong)) {
        return;
    }
    bool is_full = old == NULL && member->invites != NULL && member->invites->count == INVITES_MAX;
    struct invites *invites = copy_others(member, room, is_full ? 1 : 0);
    invites->items[invites->count++] =
        (struct invite){.room_id = room->id, .life = room->life, .is_strong = is_strong};
    journal_replace(hub, (void **)&member->invites, invites, free);
}

void invite_take_back(struct hub *hub, struct member *member, const struct room *room)
{
    if (!invite_is_there(member, room)) {
        return;
    }
    struct invites *invites = copy_others(member, room, 0);
    if (invites->count == 0) {
        free(invites);
        invites = NULL;
    }
    journal_replace(hub, (void **)&member->invites, invites, free);
}
