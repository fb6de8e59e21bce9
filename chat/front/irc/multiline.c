/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "front/irc/irc_internal.h"

bool irc_multiline_take(struct irc_session *irc, const struct irc_line *line)
{
    (void)irc;
    (void)line;
    return false;
}

void irc_multiline_free(struct irc_multiline *multiline)
{
    free(multiline);
}
