/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_STREAM_H
#define PARTYLINE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/address.h>
#include <partyline/buf.h>
#include <partyline/loop.h>

PARTY_BEGIN_DECLS

/*
 * A connection owned by a loop: bytes in by callback, bytes out by queue, limits on both.
 *
 * Input is borrowed: on_data gets bytes that live until it returns, and says how many it took. What
 * it did not take is kept, and reading pauses until party_stream_resume: that is how a front slows
 * a peer down. An idle stream holds no buffer.
 *
 * Output is a queue of spans of shared buffers. Spans that touch become one, so a burst written to
 * a thousand streams costs each of them one iovec. Everything queued in a turn of the loop goes out
 * with one sendmsg(2) at its end.
 *
 * Life: party_stream_close may be called at any time, in any callback of the stream too. The
 * descriptor is closed and the output dropped at once; on_close comes once, later in the same turn
 * or in the next; the memory is freed after it. After party_stream_close no other callback comes.
 *
 * Threads: a stream belongs to its loop's thread.
 */
struct party_stream;
struct party_tls;
struct party_tls_context;
struct party_tls_options;

struct party_stream_ops {
    /**
     * Bytes came. Returns how many were taken; fewer than len pauses reading until
     * party_stream_resume is called, later than in this call: before it returns there is no pause
     * to end. After party_stream_close the result does not matter.
     */
    size_t (*on_data)(struct party_stream *stream, const uint8_t *data, size_t len, void *user);
    /**
     * The peer will send no more (it closed, or shut its side down). Output still goes out; the
     * stream stays open until it is closed. NULL: the stream finishes by itself.
     */
    void (*on_end)(struct party_stream *stream, void *user);
    /**
     * The stream is gone. reason: 0 after party_stream_close or party_stream_finish; -errno of the
     * failing call (-ECONNRESET, -EPIPE, -ETIMEDOUT ...); PARTY_EOVERFLOW, PARTY_EIDLE,
     * PARTY_ESILENT when a limit cut it; PARTY_ETIMEOUT when finish_timeout_ms were over before all
     * was sent, with TLS also before the handshake was done; the PARTY_ETLS_ codes (tls.h). Called
     * exactly once for each created stream, never from within another call on it.
     */
    void (*on_close)(struct party_stream *stream, int reason, void *user);
    /**
     * A limit (reason: PARTY_EOVERFLOW, PARTY_EIDLE, PARTY_ESILENT) cuts the stream. Here, and only
     * here, party_stream_drop_queued and party_stream_write may still be called to say why; then
     * the stream finishes by itself. NULL: it closes at once.
     */
    void (*on_cut)(struct party_stream *stream, int reason, void *user);
    /**
     * The handshake of party_stream_start_tls is done: party_stream_tls tells with whom and how.
     * Comes once, before any on_data of what was encrypted. NULL: nobody asks.
     */
    void (*on_secure)(struct party_stream *stream, void *user);
    /**
     * Enough of what waited has gone out: no more than output_low_bytes are queued, after more
     * were. For who takes no input while the peer does not read what it causes: on_data takes what
     * there is room for (party_stream_output_room), and this calls party_stream_resume. Never comes
     * from within another call on the stream. NULL: nobody asks.
     */
    void (*on_drain)(struct party_stream *stream, void *user);
};

struct party_stream_limits {
    uint32_t output_max_bytes;  /* queued and unsent, beyond it the stream is cut; default 96 KiB */
    uint32_t output_low_bytes;  /* on_drain: a quarter of the former when 0, the default */
    uint32_t read_max_bytes;    /* handed over per turn; default 16 KiB, at most 64 KiB */
    uint32_t write_timeout_ms;  /* no progress with output waiting: cut; default 10,000; 0: never */
    uint32_t read_timeout_ms;   /* no input for so long while it is read: cut; default 0: never */
    uint32_t finish_timeout_ms; /* party_stream_finish: for the rest to go out; default 5,000 */
    uint32_t cut_timeout_ms;    /* the same for the last words of a stream that was cut, whose peer
                                   may read again late; default finish_timeout_ms */
    uint32_t handshake_timeout_ms; /* party_stream_start_tls: for the handshake; default 10,000 */
    /* Bytes a second on the wire (with TLS: encrypted), and how many may come at once after a
       pause. A rate of 0, the default: no limit. A burst of 0: what a second brings. What a rate
       holds back counts for no time-out but finish_timeout_ms, cut_timeout_ms and
       handshake_timeout_ms. */
    uint32_t read_rate_bytes, read_burst_bytes;
    uint32_t write_rate_bytes, write_burst_bytes;
};

/**
 * Makes a stream of a connected stream socket and starts to read.
 * limits NULL means the defaults; a given struct is borrowed for the stream's whole life, so that
 * many streams share one, and may change while they live; a 0 in output_max_bytes, read_max_bytes,
 * finish_timeout_ms or cut_timeout_ms means that field's default. The stream must have been closed,
 * and its on_close have come, before its loop is gone: party_loop_destroy calls those that are due,
 * and knows nothing of open streams.
 * Returns: 0; -EINVAL when ops lacks on_data or on_close; -ENOMEM; -errno of fcntl(2) or of
 *   epoll_ctl(2).
 * Owns: on success the stream owns fd; on failure the caller still does. ops is borrowed for ever.
 */
PARTY_API PARTY_MUST_USE int party_stream_create(struct party_loop *loop, int fd,
                                                 const struct party_stream_ops *ops,
                                                 const struct party_stream_limits *limits,
                                                 void *user, struct party_stream **ret_stream);

/**
 * Queues the bytes [from, to) of buf. They are sent at the end of this turn.
 * Before something would be past the output limit, what is queued is sent at once; what is past it
 * even then cuts the stream: on_cut, then on_close with PARTY_EOVERFLOW, both later
 * in this turn, and the span is dropped. Without memory likewise with -ENOMEM, and with -EINVAL for
 * a span beyond what was written to buf.
 * Owns: the stream takes a reference of its own while it needs the span.
 */
PARTY_API void party_stream_write_span(struct party_stream *stream, struct party_buf *buf,
                                       uint32_t from, uint32_t to);

/**
 * Queues a copy of the bytes; otherwise as party_stream_write_span. 16 KiB and more are not copied
 * but sent at once when nothing is queued before them (not with TLS or a write rate), and what the
 * socket did not take is queued; also past the output limit, where on_cut drops it.
 */
PARTY_API void party_stream_write(struct party_stream *stream, const void *bytes, size_t len);

/**
 * Sends bytes at once, as many as the socket takes, when nothing is queued before them: for who has
 * one answer to one question, and no more to say in this turn. A failure closes the stream.
 * Returns: bytes taken, from the front; 0 when there is something queued, the socket takes nothing,
 *   the stream closes, or has TLS or a write rate.
 */
PARTY_API PARTY_MUST_USE size_t party_stream_try_write(struct party_stream *stream,
                                                       const void *bytes, size_t len);

/**
 * Drops what is queued and unsent. With a delimiter (a byte value) the unit of which a part has
 * gone out already is kept up to and with its delimiter, so that the peer is not left with a torn
 * line; -1 drops all.
 */
PARTY_API void party_stream_drop_queued(struct party_stream *stream, int delimiter);

/** Closes now: unsent output is lost. A second call does nothing. NULL is accepted. */
PARTY_API void party_stream_close(struct party_stream *stream);

/**
 * Closes in good order: what is queued is sent, our side is shut down, what the peer still sends is
 * read and dropped until it closes too (so that no reset destroys our last words), at most for
 * finish_timeout_ms in all. No on_data or on_end comes any more.
 */
PARTY_API void party_stream_finish(struct party_stream *stream);

/** Stops reading until party_stream_resume. */
PARTY_API void party_stream_pause(struct party_stream *stream);

/** Goes on after a pause: kept bytes are handed over in this turn, then reading starts again. */
PARTY_API void party_stream_resume(struct party_stream *stream);

/**
 * Puts bytes back in front of the input: on_data gets them in this turn, or after the pause; an end
 * of input that was told already is told again after them. For who looks at the first bytes and
 * then hands the stream on (party_stream_set_user). Returns: 0, also when the stream is closing and
 * they are dropped; -ENOMEM.
 */
PARTY_API PARTY_MUST_USE int party_stream_unread(struct party_stream *stream, const void *bytes,
                                                 size_t len);

/**
 * Begins TLS: at once, or after words in plain text that agree on it. What was written before still
 * goes in plain text; what is written from now on is encrypted once the handshake is done
 * (on_secure). What was put back by party_stream_unread before, and what on_data leaves in the call
 * in which TLS begins, is taken for the peer's first records. A paused stream shakes hands all the
 * same.
 *
 * All else is as without TLS, with these differences. Limits and the queue's length count plain
 * text and what was encrypted but not sent; only plain text can be dropped or peeked at. A record
 * is handed over whole: up to 16 KiB more than read_max_bytes a turn, in calls of at most
 * read_max_bytes or 16 KiB. on_end means the peer's close_notify; an end without it closes the
 * stream with PARTY_ETLS_TRUNCATED. party_stream_finish sends close_notify, party_stream_close does
 * not. When the handshake fails the peer is told, and on_close comes after that, at most
 * finish_timeout_ms later.
 *
 * options NULL means none; suppress_ragged_eofs is not looked at.
 * Returns: 0; -EALREADY when the stream has TLS; -ENOTCONN when it is closing; -EINVAL for options
 *   that do not fit the context, and the PARTY_EIDNA codes (see party_tls_wrap_socket); -ENOMEM;
 *   -EOPNOTSUPP.
 * Owns: the stream a reference of context; options is borrowed for the call.
 */
PARTY_API PARTY_MUST_USE int party_stream_start_tls(struct party_stream *stream,
                                                    struct party_tls_context *context,
                                                    const struct party_tls_options *options);

/**
 * The stream's TLS, for the questions of tls.h (party_tls_getpeercert, party_tls_error_text in
 * on_close ...). It stays the stream's. NULL: plain text.
 */
PARTY_API const struct party_tls *party_stream_tls(const struct party_stream *stream);

/** Copies the first bytes of what is queued and unsent. Returns: how many, at most len. */
PARTY_API size_t party_stream_peek_queued(const struct party_stream *stream, void *buf, size_t len);

/** Whether reading is paused. */
PARTY_API bool party_stream_is_paused(const struct party_stream *stream);

/** Bytes queued and not yet taken by the kernel. */
PARTY_API size_t party_stream_queued(const struct party_stream *stream);

/** Bytes that may still be queued before the output limit cuts the stream. */
PARTY_API size_t party_stream_output_room(const struct party_stream *stream);

/** Whether close or finish was called, or the stream has failed. */
PARTY_API bool party_stream_is_closing(const struct party_stream *stream);

/** The stream's socket, for getsockopt and the like. It stays the stream's. -1 once closed. */
PARTY_API int party_stream_fileno(const struct party_stream *stream);

/** The loop the stream belongs to. */
PARTY_API struct party_loop *party_stream_loop(const struct party_stream *stream);

/** The user pointer, and its change. */
PARTY_API void *party_stream_user(const struct party_stream *stream);
PARTY_API void party_stream_set_user(struct party_stream *stream,
                                     const struct party_stream_ops *ops, void *user);

PARTY_END_DECLS
#endif
