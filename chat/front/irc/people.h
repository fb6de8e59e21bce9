/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_IRC_PEOPLE_H
#define CHAT_FRONT_IRC_PEOPLE_H

#include "front/irc/irc_internal.h"

/* Inside the people family. */

/* ---- people_who.c ---- */

bool irc_who_command(struct irc_session *irc, const struct irc_line *line);
/** EVENT_REPLY_WHOX: 352 or 354 for each, then 315. */
void irc_who_reply(struct irc_session *irc, const struct event *event);

/* ---- people_whois.c ---- */

bool irc_whois_command(struct irc_session *irc, const struct irc_line *line);
bool irc_whowas_command(struct irc_session *irc, const struct irc_line *line);
/** EVENT_REPLY_WHOIS: all but 318. */
void irc_whois_reply(struct irc_session *irc, const struct event *event);
/** EVENT_REPLY_WHOWAS: 314 and 312 for each, or 406, then 369. */
void irc_whowas_reply(struct irc_session *irc, const struct event *event);

/* ---- people_monitor.c ---- */

bool irc_monitor_command(struct irc_session *irc, const struct irc_line *line);
/** EVENT_ONLINE, EVENT_OFFLINE, EVENT_REPLY_MONITOR. */
void irc_monitor_event(struct irc_session *irc, const struct event *event);

#endif
