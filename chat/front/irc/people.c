/* SPDX-License-Identifier: MIT */
#include "front/irc/irc_internal.h"

const struct irc_command irc_people_commands[] = {
    {.name = NULL},
};

bool irc_people_event(struct irc_session *irc, const struct event *event)
{
    (void)irc;
    (void)event;
    return false;
}
