/* SPDX-License-Identifier: MIT */
#include "chat_asked.h"

bool chat_asked_add(struct chat_asked *asked, bool own)
{
    if (asked->count == CHAT_ASKED_MAX) {
        return false;
    }
    asked->own |= (uint64_t)own << asked->count++;
    return true;
}

bool chat_asked_take(struct chat_asked *asked)
{
    if (asked->count == 0) {
        return false; /* an answer to nothing: whatever it is, it is shown */
    }
    bool own = (asked->own & 1) != 0;
    asked->own >>= 1;
    asked->count--;
    return own;
}
