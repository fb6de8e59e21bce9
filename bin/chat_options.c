/* SPDX-License-Identifier: MIT */
#include "chat_options.h"

#include <stdarg.h>
#include <stdio.h>

void chat_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("partyline chat: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

const char *chat_options_room(const struct chat_options *options)
{
    if (options->room_count == 0) {
        return NULL;
    }
    const char *room = options->rooms[0];
    return room[0] == '#' ? room + 1 : room;
}
