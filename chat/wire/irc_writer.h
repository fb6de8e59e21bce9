/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_WRITER_H
#define CHAT_WIRE_IRC_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/irc_message.h"
#include "wire/irc_splitter.h"

/*
 * Builds one message. Its parts are put in the order of the line: tags, source, command, then the
 * parameters; only the command must be there.
 *
 *   struct irc_writer writer;
 *   irc_writer_init(&writer, IRC_TAGS_MAX_BYTES);
 *   irc_writer_put_source(&writer, irc_span("irc.example.com"));
 *   irc_writer_put_command(&writer, irc_span("NOTICE"));
 *   irc_writer_put_param(&writer, nick);
 *   irc_writer_put_text(&writer, text);
 *   size_t len = irc_writer_end(&writer);   // 0 when a part was refused
 *
 * Whatever comes in, what comes out is one message that reads back as what was put, or nothing:
 * a source, command or parameter that cannot stand where it is put makes the whole message refused;
 * only put_text and put_echo change what they are given, as they say. Text is cut at 512 bytes
 * between characters; other parts that do not fit refuse the message.
 *
 * No I/O and no memory beyond this struct, which is meant for the stack. An ended message may be
 * copied from bytes as often as wanted.
 */

struct irc_writer {
    size_t len;      /* of bytes */
    size_t tags_len; /* of them tags, with '@' and, once there is a source or command, the space */
    size_t max_tags;
    size_t param_count;
    bool has_source, has_command;
    bool is_closed;  /* the last parameter was one that only the last can be */
    bool is_refused; /* a part could not be put; the message will be none */
    bool is_cut;     /* text was cut to fit */
    char bytes[IRC_MESSAGE_MAX_BYTES];
};

/** max_tags with '@' and space: at most IRC_TAGS_MAX_BYTES; 0: no tag is put. */
void irc_writer_init(struct irc_writer *writer, size_t max_tags);

/**
 * Puts a tag; its value is escaped. An empty or absent value is written without '='. Tags come
 * before all else.
 * Returns: false when it is left out: the key is none, the value holds NUL, it does not fit or
 *   comes too late. The message stays good: tags are extra. Duplicates are not looked for.
 */
bool irc_writer_put_tag(struct irc_writer *writer, struct irc_span key, struct irc_span value);
/** The same for a value that is escaped already, as it came: what a client sent for clients. Left
 * out also when the value holds CR, LF, ';' or a space. */
bool irc_writer_put_raw_tag(struct irc_writer *writer, struct irc_span key, struct irc_span value);

/** Without ':'. Refused when empty, or with a space, NUL, CR or LF in it. */
void irc_writer_put_source(struct irc_writer *writer, struct irc_span source);
/** Refused when it is neither letters nor three digits. */
void irc_writer_put_command(struct irc_writer *writer, struct irc_span command);

/**
 * Puts a parameter as it is. One that is empty, starts with ':' or has a space in it is written
 * with ':' and can only be the last: the next put refuses the message. So do NUL, CR and LF, one
 * that does not fit, and a 16th.
 */
void irc_writer_put_param(struct irc_writer *writer, struct irc_span param);
/** Puts a number as a parameter. */
void irc_writer_put_number(struct irc_writer *writer, long long number);
/**
 * Puts something a peer has written, in an answer that names it: at most max bytes, cut between
 * characters; '*' when it could only be the last parameter or holds NUL, CR or LF.
 */
void irc_writer_put_echo(struct irc_writer *writer, struct irc_span param, size_t max);
/**
 * Puts the last parameter, always with ':'. NUL, CR and LF become spaces; what does not fit is cut
 * off between characters.
 */
void irc_writer_put_text(struct irc_writer *writer, struct irc_span text);

/** Bytes that still fit, without CR LF and before the space that each parameter takes. */
size_t irc_writer_room(const struct irc_writer *writer);

/** Ends the message with CR LF. Returns: its length in bytes; 0 when it was refused. */
size_t irc_writer_end(struct irc_writer *writer);

#endif
