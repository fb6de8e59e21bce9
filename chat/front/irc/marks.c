/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "front/irc/irc_internal.h"

void irc_marks_tell(struct irc_session *irc, struct irc_span target)
{
    (void)irc;
    (void)target;
}

void irc_marks_free(struct irc_marks *marks)
{
    free(marks);
}
