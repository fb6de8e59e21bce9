/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_LIMIT_H
#define CHAT_CORE_LIMIT_H

/*
 * What a user can make grow, and how far: the defaults. Those with a key in the configuration are
 * members of hub_limits or of the service's settings; the others are fixed.
 */

#define NAME_MAX_BYTES          32  /* limits.nick: a user's name */
#define NAME_CEILING_BYTES      128 /* the most limits.nick may be */
#define ROOM_NAME_MAX_BYTES     50  /* limits.channel */
#define ROOM_NAME_CEILING_BYTES 200
#define HOST_MAX_BYTES          128   /* a session's host and port; the rest is cut */
#define TEXT_MAX_BYTES          1024  /* limits.line: one message */
#define TEXT_CEILING_BYTES      8192  /* the most limits.line may be */
#define TOPIC_MAX_BYTES         390   /* limits.topic */
#define REASON_MAX_BYTES        260   /* limits.kick: the reason of a kick or a quit */
#define ROOMS_MAX               10000 /* limits.rooms: rooms known at once */
#define ROOMS_PER_MEMBER_MAX    100   /* rooms one user may be in */
#define RECENT_DEFAULT          20    /* history.on_join: last lines shown to who enters */
#define RECENT_CEILING          200
#define ANNOUNCE_MAX_MEMBERS                                                                       \
    100 /* limits.announce: above this many in a room, joins are not told */

#endif
