/* SPDX-License-Identifier: MIT */
#include "front/flood.h"

#include <stdlib.h>

#include "base/xalloc.h"

static int64_t interval_ns(const struct session *session)
{
    const struct front_settings *settings = shard_settings(session->shard);
    return settings->flood_rate > 0 ? (int64_t)(1e9 / settings->flood_rate) : 0;
}

static int64_t now_ns(const struct session *session)
{
    return party_loop_now_ns(shard_loop(session->shard));
}

int64_t flood_wait_ns(const struct session *session)
{
    const struct front_settings *settings = shard_settings(session->shard);
    if (settings->flood_burst == 0) {
        return 0;
    }
    int64_t depth_ns = interval_ns(session) * ((int64_t)settings->flood_burst - 1);
    int64_t wait_ns = session->flood_ns - depth_ns - now_ns(session);
    return wait_ns > 0 ? wait_ns : 0;
}

void flood_charge(struct session *session, unsigned cost)
{
    int64_t now = now_ns(session);
    if (session->flood_ns < now) {
        session->flood_ns = now;
    }
    session->flood_ns += cost * interval_ns(session);
}

bool flood_is_over(const struct session *session)
{
    return session->flood_ns + interval_ns(session) <= now_ns(session);
}

void flood_pause(struct session *session, int64_t wait_ns, party_timer_fn on_end)
{
    if (session->timer || party_stream_is_closing(session->stream)) {
        return;
    }
    struct party_timer *timer = xcalloc(1, sizeof(*timer));
    int r = party_timer_start(shard_loop(session->shard), timer, wait_ns, on_end, session);
    if (r < 0) {
        free(timer);
        party_stream_close(session->stream);
        return;
    }
    session->timer = timer;
    party_stream_pause(session->stream);
}

void flood_ended(struct session *session)
{
    free(session->timer);
    session->timer = NULL;
}
