/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_LINE_H
#define CHAT_WIRE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The decoder of the line front: bytes of nc, telnet or a script in, lines out. It takes telnet
 * commands (RFC 854) out of the bytes and refuses every option it is offered, as RFC 1143 has it:
 * each option stays off, so a request to switch one on is answered once and what is off already is
 * not answered at all.
 *
 * A line ends with LF, CR LF or CR NUL; a CR before another byte counts as the end of a line too.
 * The end is not part of the line. IAC EC takes the last character of the unfinished line back, IAC
 * EL all of it (RFC 854). IAC IP and IAC BRK drop the unfinished line.
 *
 * An IAC before a byte that is no telnet command (below 236) is no telnet: both bytes are text, and
 * the line is not UTF-8. A subnegotiation is skipped up to its IAC SE, however long it is.
 *
 * No I/O. An idle decoder holds no memory beyond this struct.
 */

/** Where the count of a subnegotiation's bytes stops. All options are off, so none is expected. */
#define LINE_SUB_MAX_BYTES 512

enum line_fault {
    LINE_OK,
    /* more than max_bytes before the end; line is empty, the rest is skipped. Told once, with the
       first byte too many: the end may never come. EL, IP and BRK drop the rest as well. */
    LINE_TOO_LONG,
    LINE_NOT_UTF8, /* line is empty */
};

struct line_sink {
    /**
     * A line, borrowed for the call; an empty one too. Returns false to stop: the rest of the input
     * is left, and the decoder is not touched again in this call, so it may have been finished.
     */
    bool (*on_line)(enum line_fault fault, const char *line, size_t len, void *user);
    /** Bytes to send to the peer: answers to telnet options. */
    void (*on_answer)(const uint8_t *bytes, size_t len, void *user);
    /** The peer asks "are you there" (IAC AYT). */
    void (*on_are_you_there)(void *user);
};

struct line_decoder {
    char *partial; /* the unfinished line; NULL while there is none */
    uint32_t len, cap;
    uint32_t max_bytes; /* of a line without its end */
    uint8_t state;      /* telnet: text, after IAC, after a verb, in a subnegotiation ... */
    uint8_t verb;       /* WILL, WONT, DO, DONT waiting for its option */
    bool after_cr;      /* the last byte was a CR that ended a line */
    bool skipping;      /* inside a line that was too long */
    uint16_t sub_len;   /* bytes of the subnegotiation so far, at most LINE_SUB_MAX_BYTES */
};

/** max_bytes of a line without its end; at least 1. */
void line_decoder_init(struct line_decoder *decoder, uint32_t max_bytes);
/** Frees the unfinished line. A zeroed decoder is accepted. */
void line_decoder_finish(struct line_decoder *decoder);

/**
 * Decodes bytes. The same calls come in the same order however the bytes are split.
 * Returns: bytes taken: len, or fewer when on_line said stop (the line it was told counts as
 * taken); call again with the rest. Without memory for an unfinished line the process ends
 * (xalloc).
 */
size_t line_decoder_feed(struct line_decoder *decoder, const uint8_t *bytes, size_t len,
                         const struct line_sink *sink, void *user);

/** End of input: an unfinished line is a line. */
void line_decoder_end(struct line_decoder *decoder, const struct line_sink *sink, void *user);

#endif
