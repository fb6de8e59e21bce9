/* SPDX-License-Identifier: MIT */
#include "chat_clock.h"

#include <limits.h>
#include <time.h>

int64_t chat_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int chat_wait_ms(int64_t until_ms)
{
    if (until_ms < 0) {
        return -1;
    }
    int64_t left = until_ms - chat_now_ms();
    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}
