/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_FILE_H
#define PARTYLINE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include <partyline/sock.h>

PARTY_BEGIN_DECLS

/*
 * A socket as a stdio stream: Python's socket.makefile. fgets, getline, fread, fprintf, fflush and
 * the rest of stdio(3) work on it; nothing is to be known of the library but how it ends.
 *
 *     FILE *file;
 *     int r = party_file_makefile(sock, "rw", &file);
 *     if (r == 0) {
 *         char line[100];
 *         fprintf(file, "time?\n");
 *         if (fgets(line, sizeof(line), file) == NULL) {
 *             fprintf(stderr, "%s\n", party_strerror(party_file_error(file)));
 *         }
 *         fclose(file);
 *     }
 *
 * Time-outs. The socket's time-out holds for each read from the socket and for each write of the
 * stream's buffer to it, as it is at that moment; 0 never waits. Only stream sockets make sense.
 *
 * Errors. stdio says only that a call failed, and sets errno. Here errno is EAGAIN when the
 * time-out ran out (with a time-out of 0 at once), the kernel's errno when the kernel refused, and
 * the negated code for the library's other codes; party_file_error turns it back into a code.
 *
 * What a failed read leaves. Nothing that came is lost and the stream can be read on: fgets gives
 * the part of the line that was there (a line without its newline), getline likewise, fread tells
 * how many bytes of size 1 came. The rest comes with the next call. getline(3) alone refuses to
 * read on until the error is cleared: party_file_error does that. fscanf and fread of items larger
 * than a byte lose what they had begun, as everywhere. party_file_readline joins the parts itself.
 *
 * What a failed write leaves. stdio drops its buffer when a flush fails, so after it is unknown how
 * much went out, as after party_sock_sendall; the peer has not seen a byte twice or out of order.
 * Who must know sets the stream unbuffered: then fwrite returns how many bytes were taken.
 *
 * Both directions. "rw" is one stream with one buffer, and may change direction at any time,
 * without the flush or seek that C asks for: what was written goes out before the stream reads from
 * the socket, and unread input is kept while it writes. A write can so be late, never lost: flush
 * what the peer must have before it answers something else.
 *
 * No stream can seek: fseek to a place and rewind fail with ESPIPE, and reading goes on where it
 * was; what ftell says is no count. fseek with SEEK_CUR stdio answers from its buffer without
 * asking: by 0 it succeeds, as C wants it between reading and writing; by more or less than 0 it
 * may succeed too, and leaves out what was read ahead, or has some of it read twice.
 *
 * Buffers. Fully buffered with BUFSIZ bytes; setvbuf(3) before the first use changes that. Input in
 * the buffer of a stream is not seen by party_sock_recv_into or by another stream of the socket;
 * with _IONBF nothing is read ahead, at the price of a system call for each byte read.
 *
 * Life. Streams and socket each hold the connection, which ends when the last of them is closed:
 * fclose leaves the socket open, and after party_sock_close (the handle is gone) the streams still
 * work. fclose writes out what is buffered first and may wait for it. party_sock_shutdown acts at
 * once for all. After party_sock_detach the streams find no descriptor (EBADF).
 *
 * Threads: a stream locks itself, so two threads may share one, but a thread that waits for input
 * holds the lock; to read and write at the same time make two streams, "r" and "w".
 */

/**
 * Makes a stream over sock. mode is any combination of the letters r, w and b, as in Python:
 * reading without w, b means nothing here, and "" is "r". Returns: 0; -EINVAL for another mode;
 * -ENOMEM. Owns: on success the caller owns the stream and ends it with fclose; it keeps sock's
 * connection open. sock stays the caller's to close.
 */
PARTY_API PARTY_MUST_USE int party_file_makefile(struct party_sock *sock, const char *mode,
                                                 FILE **ret_file);

/**
 * Why the call that just failed on the stream did, to be asked in the same thread before errno is
 * used for something else. Clears the stream's error, so that the next failure can be told from it.
 * Returns: 0 when the stream has no error (a call that failed all the same met the end of input);
 *   PARTY_ETIMEOUT when the time-out ran out, whatever it is; another of the library's codes; else
 *   -errno: -ECONNRESET, -EPIPE, -EBADF for a direction the stream has not ...
 */
PARTY_API int party_file_error(FILE *file);

/* A line that is being read. Zero it and set max_bytes before the first use. */
struct party_file_line {
    char *text;       /* len bytes and a NUL; NULL before the first use */
    size_t len;       /* bytes read so far */
    size_t cap;       /* bytes of room at text */
    size_t max_bytes; /* the longest line, its newline counted; 0: whatever fits into memory */
    bool is_done;     /* the next call starts a new line */
};

/**
 * Reads up to and with the next newline, and goes on where a call that failed has stopped: what
 * came before a time-out is joined with what comes after it. The last line may lack its newline.
 * Works on any stream.
 * Returns: the line's length (> 0); 0 at the end; PARTY_ETIMEOUT, and line has what came so far;
 *   -EMSGSIZE when max_bytes came without a newline: line has them, and the next call begins with
 *   what follows; -ENOMEM, and nothing is lost; else as party_file_error, and nothing is lost.
 * Owns: line->text is the line's, good until the next call; see party_file_line_finish.
 * Blocks: up to the socket's time-out for each time the stream has to read from the socket.
 */
PARTY_API PARTY_MUST_USE ssize_t party_file_readline(FILE *file, struct party_file_line *line);

/** Frees the text and zeroes line, but for max_bytes. NULL is accepted. */
PARTY_API void party_file_line_finish(struct party_file_line *line);

PARTY_END_DECLS
#endif
