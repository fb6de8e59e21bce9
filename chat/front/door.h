/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_DOOR_H
#define CHAT_FRONT_DOOR_H

#include "front/session.h"

/*
 * The front door: holds a new connection until its first bytes tell which front it wants, once, for
 * at most SNIFF_MAX_BYTES and settings.sniff_wait_ms. Silence and anything unknown is a line user.
 */

/** Takes a connection. Owns: fd. */
void door_open(struct shard *shard, int fd, const struct origin *origin, enum shard_entry entry);

/** Closes the connections that are not decided yet. */
void doors_close(struct shard *shard);

#endif
