/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_AUTHORITY_H
#define CHAT_CORE_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Who may do what: one table, asked by every rule of the hub. What the table does not allow is
 * refused. It knows nothing of commands or objects: an act, how the one who asks stands to the
 * room, and the modes of the room.
 *
 * A server operator inside a room may do what either of its two columns allows. It may do all that
 * a room's operators may, from outside too, with two exceptions: it does not read a room's history
 * without entering, and it enters by the same door as everybody.
 *
 * Beside the table stand the conditions that are no modes: to enter, a room's bans, key and limit,
 * and invitations and invite exceptions, which stand for ACT_ENTER of an invite-only room; to
 * speak, bans, which ACT_SPEAK_BANNED sets aside; what is one's own (ACT_REDACT_OWN).
 */

enum act {
    ACT_LIST,         /* see that the room is there, and how many are in it */
    ACT_NAMES,        /* see who is in it */
    ACT_ASK,          /* see its topic and its modes */
    ACT_ASK_BANS,     /* see its bans */
    ACT_ASK_LISTS,    /* see its exceptions and invite exceptions */
    ACT_SEE_KEY,      /* see its key */
    ACT_READ,         /* read its history, as far as it is not sealed */
    ACT_ENTER,        /* come in */
    ACT_SPEAK,        /* say something */
    ACT_SPEAK_BANNED, /* say something although a ban matches */
    ACT_CTCP,         /* say a CTCP request other than an action */
    ACT_TOPIC,        /* set the topic */
    ACT_MODE,         /* change modes, ranks and lists */
    ACT_INVITE,       /* invite somebody */
    ACT_REMOVE,       /* put somebody out */
    ACT_RENAME,       /* give the room another name */
    ACT_REDACT_OWN,   /* take back what one said oneself */
    ACT_REDACT,       /* take back what another one said */
    ACT_SERVE,        /* give the commands of the server's operators; no room is meant */
    ACT_COUNT,
};

/* How somebody stands to a room. */
enum relation {
    RELATION_OUTSIDER,
    RELATION_MEMBER,
    RELATION_VOICE,
    RELATION_OPERATOR, /* of the room */
    RELATION_SERVER,   /* operator of the server, in the room or not */
    RELATION_CONSOLE,  /* the server's own console */
    RELATION_COUNT,
};

/** Whether the act is allowed in a room of these modes (ROOM_). */
bool authority_allows(enum act act, enum relation relation, uint32_t modes);

#endif
