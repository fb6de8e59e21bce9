/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_FLOOD_H
#define CHAT_FRONT_FLOOD_H

#include "front/session.h"

/*
 * How fast lines are taken: a bucket of flood_burst lines that fills at flood_rate a second. A line
 * beyond it is not lost: reading pauses until there is room again, and TCP slows the sender down.
 * A session's bucket is one number, session->flood_ns.
 */

/** How long until the next line may be taken; 0: at once, as always without flood control. */
int64_t flood_wait_ns(const struct session *session);
/** Takes the tokens of a line out of the bucket. */
void flood_charge(struct session *session, unsigned cost);
/** Whether the bucket has been full for as long as one line takes. */
bool flood_is_over(const struct session *session);

/**
 * Reads no more for wait_ns: session->timer is set until then. on_end must call flood_ended.
 * Without memory for a timer the session is closed. Ignored while it waits already, or closes.
 */
void flood_pause(struct session *session, int64_t wait_ns, party_timer_fn on_end);
/** The timer has run out and is freed; reading goes on when the front says so. */
void flood_ended(struct session *session);

#endif
