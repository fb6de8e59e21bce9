/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_SIM_RULES_H
#define CHAT_CORE_SIM_RULES_H

#include "core/sim_model.h"

/*
 * What the model knows of modes, ranks and doors. Each function that returns text returns what is
 * wrong with an event, or NULL.
 */

#define MODEL_RANK_VOICE    1u
#define MODEL_RANK_OPERATOR 2u

bool rules_has_mode(const struct model_room *room, char letter);
/** The session's ranks in the room; NULL when it is not in it. */
uint8_t *rules_ranks(struct model *model, struct model_session *session,
                     const struct model_room *room);

/** Before somebody is counted in: whether it may come in. Sets what a new life begins with. */
const char *rules_enter(struct model *model, const struct model_session *session,
                        struct model_room *room);
/** Nobody is in the room any more. */
void rules_end_life(struct model *model, struct model_room *room);
/** Whether who acts may say this in the room. */
const char *rules_speak(struct model *model, const struct event *event, struct model_room *room);
/** Whether who acts is an operator of the room, or may do as one. */
const char *rules_operate(struct model *model, const struct event *event,
                          const struct model_room *room);

const char *rules_mode(struct model *model, const struct event *event, struct model_room *room);
const char *rules_renamed(struct model *model, const struct event *event, struct model_room *room);
const char *rules_redacted(struct model *model, const struct event *event, struct model_room *room);
const char *rules_sealed(const struct event *event, struct model_room *room);

/** Compares modes and ranks with the hub's answers to the console. */
const char *rules_compare(struct model *model, struct hub *hub);

#endif
