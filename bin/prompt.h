/* SPDX-License-Identifier: MIT */
#ifndef BIN_PROMPT_H
#define BIN_PROMPT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A prompt on the terminal with line editing (libedit), above which other text may appear at any
 * time without tearing the line being typed.
 *
 *     struct prompt *prompt = prompt_create(">> ", &events, user);
 *     char *line;
 *     while (prompt_read(prompt, &line) == PROMPT_LINE) {
 *         ...                       events->ready, called meanwhile, may call prompt_print
 *         free(line);
 *     }
 *     prompt_destroy(prompt);
 *
 * While prompt_read waits for keys it waits for the caller's descriptors too, in the same thread.
 * Standard input and output are the terminal. What is pasted (bracketed paste) is inserted and not
 * carried out: its line breaks are part of the line until the return key is pressed.
 *
 * On a terminal that cannot move its cursor (TERM=dumb) lines are read as the kernel edits them.
 *
 * Threads: one prompt per process, used by the thread that made it.
 */
struct prompt;

#define PROMPT_POLL_MAX        8     /* descriptors of the caller */
#define PROMPT_HISTORY_MAX     500   /* lines one can go back to */
#define PROMPT_PASTE_MAX_BYTES 65536 /* of one paste; the rest is left out */

struct prompt_events {
    /**
     * Fills in what to wait for, at most PROMPT_POLL_MAX entries, and in how many milliseconds
     * `ready` is to be called at the latest (-1 as found: never). Returns: how many entries.
     */
    size_t (*prepare)(struct pollfd *fds, int *ret_timeout_ms, void *user);
    /** After each wait, with what prepare filled in. Returns: false to end prompt_read. */
    bool (*ready)(const struct pollfd *fds, size_t count, void *user);
};

enum prompt_result {
    PROMPT_LINE,    /* a line was typed */
    PROMPT_END,     /* Ctrl-D on an empty line, or the terminal is gone */
    PROMPT_STOPPED, /* `ready` returned false */
};

/** Whether standard input and output are a terminal and this process is in its foreground. */
bool prompt_is_possible(void);

/** Whether the terminal can do more than print: what colours need, too. */
bool prompt_has_cursor(void);

/** Takes the terminal. Never NULL. text and events are borrowed; text is UTF-8. */
struct prompt *prompt_create(const char *text, const struct prompt_events *events, void *user);

/** Gives the terminal back as it was. NULL is accepted. */
void prompt_destroy(struct prompt *prompt);

/** Another text of the prompt, at once. It is copied. */
void prompt_set_text(struct prompt *prompt, const char *text);

/**
 * Reads a line. Owns: on PROMPT_LINE the caller frees *ret_line, UTF-8 without its end; it has
 * newlines in it where such were pasted.
 */
enum prompt_result prompt_read(struct prompt *prompt, char **ret_line);

/** Prints a line of len bytes, without a newline, above the prompt. It must be clean. */
void prompt_print(struct prompt *prompt, const char *line, size_t len);

/** Takes the line that was read last off the screen, when nothing was printed since. */
void prompt_erase_read(struct prompt *prompt);

/** Whether something is typed but not sent off; for Ctrl-C. */
bool prompt_has_typed(struct prompt *prompt);
void prompt_drop_typed(struct prompt *prompt);

#endif
