/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_IRC_FUZZ_SCENE_LOG_H
#define CHAT_FRONT_IRC_FUZZ_SCENE_LOG_H

#include "front/query.h"

/** Answers a query from the list of all durable events, as the reader does from the log. */
void scene_log_answer(const struct event_list *log, struct query *query);

#endif
