/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_SIM_PEOPLE_H
#define CHAT_CORE_SIM_PEOPLE_H

#include "core/sim_model.h"

/*
 * What the model knows of people: their modes, why they are away and whom they watch. Each function
 * that returns text returns what is wrong with an event, or NULL.
 */

/** Whether who asks is an operator of the server. */
bool people_asker_serves(const struct model *model);

/** A session has this name from now on, or no longer: who watches it has to be told. */
void people_expect_online(struct model *model, const char *name);
void people_expect_offline(struct model *model, const char *name);
/** A session is called otherwise. */
void people_expect_rename(struct model *model, const char *old_name, const char *name);

const char *people_follow(struct model *model, const struct event *event);
/** After the last event of a command: whether all were told who had to be. */
const char *people_end(struct model *model);

#endif
