/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_IRC_CHANNEL_H
#define CHAT_FRONT_IRC_CHANNEL_H

#include "front/irc/irc_internal.h"

/* Inside the channel family. Targets go to the hub with their '#', which it takes off itself. */

/** The longest beginning of a text of at most max bytes that ends between characters. */
struct irc_span irc_fit(struct irc_span text, size_t max);

/* ---- channel_mode.c ---- */

bool irc_mode_command(struct irc_session *irc, const struct irc_line *line);
/** EVENT_REPLY_MODE: 324 and 329. */
void irc_modes_reply(struct irc_session *irc, const struct event *event);
/** EVENT_REPLY_MASKS: one of the lists. */
void irc_masks_reply(struct irc_session *irc, const struct event *event);
/** EVENT_USER_MODE */
void irc_user_mode(struct irc_session *irc, const struct event *event);

/* ---- channel_list.c ---- */

bool irc_list_command(struct irc_session *irc, const struct irc_line *line);
/** EVENT_REPLY_LIST: 322 for each room that its conditions hold for. */
void irc_list_reply(struct irc_session *irc, const struct event *event);

#endif
