/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_SPLITTER_H
#define CHAT_WIRE_IRC_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Cuts the bytes of an IRC connection into lines. It does not read them: see irc_message.h.
 *
 *   struct irc_splitter splitter;
 *   irc_splitter_init(&splitter, IRC_BODY_MAX_BYTES, IRC_CLIENT_TAGS_MAX_BYTES);
 *   irc_splitter_feed(&splitter, bytes, len, on_line, session);
 *
 * A line ends with CR LF. LF alone ends one too, as every server has it, and so does CR alone: no
 * byte that another program may take for an end is ever inside a line. An empty line is no message
 * and is not told. A line whose end has not come at the end of input is no message either.
 *
 * The limits are those of the message-tags specification: '@', the tags and the first space behind
 * them have one of their own, the rest has its 512 bytes with CR LF. The end of a line counts as
 * two bytes however it is written.
 *
 * No I/O. Between lines a splitter holds no memory beyond this struct.
 */

/** A message without its tags, with CR LF. */
#define IRC_BODY_MAX_BYTES 512
/** Tags that a client sends, with '@' and space: 4,094 bytes of data. */
#define IRC_CLIENT_TAGS_MAX_BYTES 4096
/** Tags that a client receives, with '@' and space. */
#define IRC_TAGS_MAX_BYTES 8191
/** The longest message there is. */
#define IRC_MESSAGE_MAX_BYTES (IRC_TAGS_MAX_BYTES + IRC_BODY_MAX_BYTES)

enum irc_line_fault {
    IRC_LINE_OK,
    /* Longer than allowed, by its tags or by the rest (ERR_INPUTTOOLONG). Told once, with the first
       byte too many, as the end may never come; what follows is skipped. The line is its tags with
       '@' and the space behind them; '@' alone when they are longer than allowed themselves, empty
       when it has none. */
    IRC_LINE_TOO_LONG,
};

/**
 * Callback: for each line, borrowed for the call, without its end and never empty when the fault is
 * IRC_LINE_OK. Returns false to stop: the rest of the input is left, and the splitter is not
 * touched again in this call, so it may have been finished.
 */
typedef bool (*irc_line_fn)(enum irc_line_fault fault, const char *line, size_t len, void *user);

struct irc_splitter {
    char *partial;     /* the unfinished line; NULL while there is none */
    uint16_t len, cap; /* bytes of it, and room */
    uint16_t max_body; /* bytes behind the tags, without CR LF */
    uint16_t max_tags; /* bytes of tags with '@' and space; 0: '@' means nothing */
    uint16_t tags_len; /* of the unfinished line, with the space; 0 while that has not come */
    uint32_t skipped;  /* bytes skipped of the line that was too long by most, CR LF not counted */
    uint32_t excess;   /* bytes skipped of the line that is skipped now */
    bool after_cr;     /* the last byte was a CR that ended a line */
    bool skipping;     /* inside a line that was too long */
};

/**
 * max_body counts CR LF: from 3 to IRC_BODY_MAX_BYTES. max_tags is IRC_CLIENT_TAGS_MAX_BYTES on a
 * server, IRC_TAGS_MAX_BYTES in a client, 0 where nobody sends tags.
 */
void irc_splitter_init(struct irc_splitter *splitter, size_t max_body, size_t max_tags);

/** Frees the unfinished line. A zeroed splitter is accepted. */
void irc_splitter_finish(struct irc_splitter *splitter);

/**
 * Takes bytes. The same calls come in the same order however the bytes are split.
 * Returns: bytes taken: len, or fewer when on_line said stop (the line it was told counts as
 *   taken); call again with the rest. Without memory the process ends (xalloc).
 */
size_t irc_splitter_feed(struct irc_splitter *splitter, const uint8_t *bytes, size_t len,
                         irc_line_fn on_line, void *user);

#endif
