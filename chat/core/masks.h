/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_MASKS_H
#define CHAT_CORE_MASKS_H

#include "core/hub_internal.h"
#include "core/mask.h"

/*
 * The lists of a room: bans, exceptions, invite exceptions. An entry is a mask for nick!user@host,
 * which is held against the shown host and the real address, or an extended one:
 *
 *   m:MASK    who matches is muted: it may come in and not speak. As an exception it lifts nothing
 *             but mutes.
 *   a:NAME    a mask for the name of an account. There are no accounts yet, so it matches nobody.
 *
 * A list is replaced as a whole, so that a change can be undone; the entries are counted by
 * reference.
 */

enum mask_kind { MASK_USER, MASK_MUTE, MASK_ACCOUNT };

/* Never changed once it is made. */
struct mask_entry {
    uint32_t refs;
    enum mask_kind kind;
    struct mask pattern;
    int64_t time_ms;
    char *actor; /* who set it: nick!user@host, or the server's name; in text behind the NUL */
    char text[];
};

struct masks {
    uint32_t count;
    struct mask_entry *items[]; /* a reference to each */
};

/**
 * Brings what a user writes into its full form. Returns: bytes written to ret; 0 when it is no
 * mask or has more than cap bytes.
 */
size_t masks_complete(const char *text, size_t len, char *ret, size_t cap);

/**
 * An entry of a completed mask with one reference; actor, source and time_ms are taken from who.
 * NULL when it is not UTF-8.
 */
struct mask_entry *mask_entry_create(const char *text, size_t len, const struct event_parts *who);

/** Whether a completed mask, or one that matches the same, is in the list, and where. */
bool masks_find(const struct masks *masks, const char *text, size_t len, uint32_t *ret_at);
/** Owns: the reference to the entry goes to the list. */
void masks_add(struct hub *hub, struct masks **masks, struct mask_entry *entry);
void masks_remove(struct hub *hub, struct masks **masks, uint32_t at);
/** Of struct masks; NULL is accepted. */
void masks_destroy(void *masks);

enum masks_verdict { MASKS_FREE, MASKS_MUTED, MASKS_BANNED };

/** What the room's bans and exceptions make of a member. Fast when there are no bans. */
enum masks_verdict masks_judge(const struct room *room, const struct member *member);
/** Whether a list has a mask for the member, mutes aside. */
bool masks_are_for(const struct room *room, enum room_list list, const struct member *member);

#endif
