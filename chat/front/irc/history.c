/* SPDX-License-Identifier: MIT */
#include "front/irc/irc_internal.h"

const struct irc_command irc_history_commands[] = {
    {.name = NULL},
};

void irc_on_answer(struct session *session, const struct query *query)
{
    (void)session;
    (void)query;
}
