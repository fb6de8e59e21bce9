/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_INVITE_H
#define CHAT_CORE_INVITE_H

#include "core/hub_internal.h"

/*
 * Which rooms a member is invited to. An invitation is used up by entering, and ends with the
 * room's life: when nobody is in it any more.
 */

bool invite_is_there(const struct member *member, const struct room *room);

/** Whether the member has an invitation that passes a ban and the limit. */
bool invite_is_strong(const struct member *member, const struct room *room);
/** Invites; the oldest of INVITES_MAX goes. Once more is as good as once. */
void invite_give(struct hub *hub, struct member *member, const struct room *room, bool is_strong);
void invite_take_back(struct hub *hub, struct member *member, const struct room *room);

#endif
