/* SPDX-License-Identifier: MIT */
#include "core/sight.h"

#include <stdlib.h>

#include "base/xalloc.h"

static int compare_ids(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a;
    uint32_t second = *(const uint32_t *)b;
    return (first > second) - (first < second);
}

void sight_of(struct sight *sight, const struct apply *apply, const struct member *viewer)
{
    *sight = (struct sight){.apply = apply, .viewer = viewer};
    if (viewer == NULL || viewer->room_count == 0) {
        return;
    }
    sight->count = viewer->room_count;
    sight->rooms = xcalloc(sight->count, sizeof(*sight->rooms));
    for (uint32_t i = 0; i < sight->count; i++) {
        sight->rooms[i] = member_room(viewer, i)->room->id;
    }
    qsort(sight->rooms, sight->count, sizeof(*sight->rooms), compare_ids);
}

void sight_init(struct sight *sight, const struct apply *apply)
{
    sight_of(sight, apply, apply->member);
    sight->sees_all = apply_may_serve(apply);
}

void sight_finish(struct sight *sight)
{
    free(sight->rooms);
}

static bool is_in(const struct sight *sight, const struct room *room)
{
    return sight->count > 0 && bsearch(&room->id, sight->rooms, sight->count, sizeof(*sight->rooms),
                                       compare_ids) != NULL;
}

bool sight_shares_room(const struct sight *sight, const struct member *member)
{
    for (uint32_t i = 0; sight->count > 0 && i < member->room_count; i++) {
        if (is_in(sight, member_room(member, i)->room)) {
            return true;
        }
    }
    return false;
}

bool sight_has_member(const struct sight *sight, const struct member *member)
{
    return sight->sees_all || member == sight->viewer || (member->modes & USER_INVISIBLE) == 0 ||
           sight_shares_room(sight, member);
}

bool sight_has_room(const struct sight *sight, const struct room *room)
{
    return sight->sees_all || is_in(sight, room) || apply_may(sight->apply, ACT_NAMES, room);
}

bool sight_has_both(const struct sight *sight, const struct member *member, const struct room *room)
{
    if (sight->sees_all || is_in(sight, room) || member == sight->viewer) {
        return true;
    }
    return (member->modes & USER_INVISIBLE) == 0 && sight_has_room(sight, room);
}

bool sight_has_host(const struct sight *sight, const struct member *member)
{
    return sight->sees_all || member == sight->viewer;
}
