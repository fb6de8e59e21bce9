/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_LIMIT_H
#define CHAT_CORE_LIMIT_H

/*
 * What a user can make grow, and how far: the defaults. Those with a key in the configuration are
 * members of hub_limits or of the service's settings; the others are fixed.
 */

#define NAME_MAX_BYTES          32  /* limits.nick: a user's name */
#define NAME_CEILING_BYTES      128 /* the most limits.nick may be */
#define ALIKE_MAX               32  /* names of ASCII with one skeleton: "l1", "1l", "Il" */
#define ROOM_NAME_MAX_BYTES     50  /* limits.channel */
#define ROOM_NAME_CEILING_BYTES 200
#define HOST_MAX_BYTES          128  /* a session's host and port; the rest is cut */
#define TEXT_MAX_BYTES          1024 /* limits.line: one message */
#define TEXT_CEILING_BYTES      8192 /* the most limits.line may be */
#define TOPIC_MAX_BYTES         390  /* limits.topic */
#define REASON_MAX_BYTES        260  /* limits.kick: the reason of a kick or a quit */
#define AWAY_MAX_BYTES          390  /* limits.away */
#define REAL_NAME_MAX_BYTES     128  /* a user's real name; the rest is cut */
#define USER_MAX_BYTES          16   /* the user of nick!user@host; the rest is cut */
#define KEY_MAX_BYTES           64   /* a room's key */
#define MASK_MAX_BYTES          256  /* one ban, exception or invite exception */
#define MASKS_MAX               100  /* in the three lists of a room together */
#define MONITOR_MAX             100  /* limits.monitor: names one user may watch */
#define WHOWAS_MAX              1000 /* limits.whowas: users remembered who left */
#define WHOWAS_CEILING          1000000
#define INVITES_MAX             64    /* rooms one user is invited to at once; the oldest goes */
#define MULTILINE_MAX_BYTES     4096  /* limits.multiline_bytes: a message of several lines */
#define MULTILINE_MAX_LINES     24    /* limits.multiline_lines */
#define ROOMS_MAX               10000 /* limits.rooms: rooms known at once */
#define ROOMS_PER_MEMBER_MAX    100   /* limits.channels: rooms one user may be in */
#define RECENT_DEFAULT          20    /* history.on_join: last lines shown to who enters */
#define RECENT_CEILING          200
#define RECENT_MEAN_BYTES       1024 /* memory that one of them may take on the average */
#define ANNOUNCE_MAX_MEMBERS                                                                       \
    100 /* limits.announce: above this many in a room, joins are not told */

#endif
