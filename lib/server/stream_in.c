/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/require.h"
#include "loop/loop_internal.h"
#include "server/stream_internal.h"

/*
 * The input of a stream: from the socket to on_data. What on_data leaves is kept and comes first
 * when reading goes on, so the order of the bytes never changes; the peer's end comes after all.
 */

/* Keeps what the front did not take. */
static void keep(struct party_stream *s, const uint8_t *data, size_t len)
{
    if (party_stream_unread(s, data, len) < 0) {
        party__stream_die(s, -ENOMEM);
        return;
    }
    s->paused = true;
}

void party__stream_hand_over(struct party_stream *s, const uint8_t *data, size_t len)
{
    bool plain = !s->tls;
    size_t taken = s->ops->on_data(s, data, len, s->user);
    if (s->state == STREAM_CLOSED || taken >= len) {
        return;
    }
    if (plain && s->tls) {
        /* Behind the words that began TLS. Plain text they must never be taken for: whoever is in
           between could have put them there (CVE-2011-0411). A stream that finishes by now needs
           them too, to say its last words. */
        (void)party__stream_tls_keep(s, data + taken, len - taken);
    } else if (s->state == STREAM_OPEN) {
        keep(s, data + taken, len - taken);
        party__stream_update_watch(s);
    }
}

/* What waited may be a password. */
static void free_wiped(uint8_t *kept, size_t len)
{
    if (kept) {
        explicit_bzero(kept, len);
        free(kept);
    }
}

void party__stream_drop_kept(struct party_stream *s)
{
    free_wiped(s->kept, s->kept_len);
    s->kept = NULL;
    s->kept_len = 0;
}

void party__stream_hand_over_kept(struct party_stream *s)
{
    uint8_t *kept = s->kept;
    size_t len = s->kept_len;
    s->kept = NULL;
    s->kept_len = 0;
    party__stream_hand_over(s, kept, len);
    free_wiped(kept, len);
}

/* The end of input comes after all input: not while some is kept or reading is paused. */
void party__stream_tell_end(struct party_stream *s)
{
    if (!s->ended || s->end_told || s->kept || s->paused || s->state != STREAM_OPEN) {
        return;
    }
    s->end_told = true;
    if (s->ops->on_end) {
        s->ops->on_end(s, s->user);
    } else {
        party_stream_finish(s);
    }
}

void party__stream_peer_end(struct party_stream *s)
{
    s->ended = true;
    if (s->state == STREAM_FINISHING && s->shut) {
        party__stream_die(s, 0);
        return;
    }
    party__stream_tell_end(s);
    party__stream_update_watch(s);
}

void party__stream_read(struct party_stream *s)
{
    if (s->kept || (s->tls && s->tls->stopped)) {
        return; /* they come first, in this turn's phase 6 */
    }
    uint8_t *bytes = s->loop->scratch;
    size_t max = s->limits->read_max_bytes ? s->limits->read_max_bytes : PARTY__READ_MAX_DEFAULT;
    if (max > PARTY__SCRATCH_BYTES) {
        max = PARTY__SCRATCH_BYTES;
    }
    bool limited = s->limits->read_rate_bytes != 0 && s->state == STREAM_OPEN;
    if (limited) {
        max = party__stream_rate_in(s, max);
        if (max == 0) {
            return;
        }
    }
    ssize_t n = recv(s->fd, bytes, max, MSG_DONTWAIT);
    if (n > 0) {
        if (limited) {
            party__stream_rate_came(s, (size_t)n);
        }
        s->input_ns = party_loop_now_ns(s->loop);
        party__stream_arm(s); /* the limits may have changed */
    }
    if (s->tls && n >= 0 && s->state != STREAM_CLOSED) {
        party__stream_tls_input(s, bytes, (size_t)n);
    } else if (n > 0) {
        if (s->state == STREAM_OPEN) {
            party__stream_hand_over(s, bytes, (size_t)n);
        }
    } else if (n == 0) {
        party__stream_peer_end(s);
    } else if (errno != EAGAIN && errno != EINTR) {
        party__stream_die(s, -errno);
    }
}

void party_stream_pause(struct party_stream *stream)
{
    PARTY__REQUIRE_VOID(stream);
    if (!stream->paused) {
        stream->paused = true;
        party__stream_update_watch(stream);
    }
}

void party_stream_resume(struct party_stream *stream)
{
    PARTY__REQUIRE_VOID(stream);
    if (stream->paused) {
        stream->paused = false;
        stream->input_ns = party_loop_now_ns(stream->loop);
        if (stream->kept || stream->ended || stream->tls) {
            party__stream_queue_task(stream);
        }
        party__stream_update_watch(stream);
        party__stream_arm(stream);
    }
}

int party_stream_unread(struct party_stream *stream, const void *bytes, size_t len)
{
    PARTY__REQUIRE(-EINVAL, stream);
    PARTY__REQUIRE_BYTES(-EINVAL, bytes, len);
    if (stream->state != STREAM_OPEN || len == 0) {
        return 0;
    }
    uint8_t *kept = len <= UINT32_MAX - stream->kept_len ? malloc(len + stream->kept_len) : NULL;
    if (!kept) {
        return -ENOMEM;
    }
    memcpy(kept, bytes, len);
    if (stream->kept) {
        memcpy(kept + len, stream->kept, stream->kept_len);
        free_wiped(stream->kept, stream->kept_len);
    }
    stream->kept = kept;
    stream->kept_len += (uint32_t)len;
    stream->end_told = false;
    party__stream_queue_task(stream);
    return 0;
}

bool party_stream_is_paused(const struct party_stream *stream)
{
    PARTY__REQUIRE(false, stream);
    return stream->paused;
}
