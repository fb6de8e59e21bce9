/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_SIGHT_H
#define CHAT_CORE_SIGHT_H

#include "core/apply.h"

/*
 * What one member may know of others. Operators of the server see all. Whoever shares a room with
 * somebody sees it; an invisible user (mode i) is hidden from all others, and so are the rooms it
 * is in, as is a secret room from those who are not in it. Who is asked for by its exact name is
 * told of, invisible or not.
 */
struct sight {
    const struct apply *apply;
    const struct member *viewer; /* NULL: the console */
    bool sees_all;
    uint32_t count;
    uint32_t *rooms; /* ids of the viewer's rooms, rising */
};

/** What who asks sees. */
void sight_init(struct sight *sight, const struct apply *apply);
/** What a member sees; also: who shares a room with it. */
void sight_of(struct sight *sight, const struct apply *apply, const struct member *viewer);
void sight_finish(struct sight *sight);

bool sight_shares_room(const struct sight *sight, const struct member *member);
/** Whether the member shows among others. */
bool sight_has_member(const struct sight *sight, const struct member *member);
/** Whether it shows who is in the room. */
bool sight_has_room(const struct sight *sight, const struct room *room);
/** Whether it shows that this member is in this room. */
bool sight_has_both(const struct sight *sight, const struct member *member,
                    const struct room *room);
/** Whether the member's real host shows. */
bool sight_has_host(const struct sight *sight, const struct member *member);

#endif
