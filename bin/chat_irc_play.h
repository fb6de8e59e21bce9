/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_IRC_PLAY_H
#define BIN_CHAT_IRC_PLAY_H

#include "chat_irc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/*
 * A client and the server that the test plays. What the client sends and shows is gathered as text:
 * sent messages with " | " for their ends, shown lines with their own newlines, times left out.
 */

struct play {
    struct chat_irc *irc;
    char *sent, *shown, *refused;
    size_t sent_len, shown_len;
    char failed[600];
    unsigned ready;
    bool is_slow; /* feeds byte by byte */
};

#define TEXT_MAX 400000

static inline void on_send(const char *bytes, size_t len, void *user)
{
    struct play *play = user;
    assert_true(len >= 2 && play->sent_len + len + 2 < TEXT_MAX);
    assert_memory_equal(bytes + len - 2, "\r\n", 2);
    assert_null(memchr(bytes, '\n', len - 1));
    memcpy(play->sent + play->sent_len, bytes, len - 2);
    play->sent_len += len - 2;
    memcpy(play->sent + play->sent_len, " | ", 4);
    play->sent_len += 3;
}

static inline void on_show(const struct chat_line *line, void *user)
{
    struct play *play = user;
    assert_int_equal(strlen(line->text), line->len);
    for (size_t i = 0; i < line->len; i++) {
        assert_true((unsigned char)line->text[i] >= 0x20 && line->text[i] != 0x7F);
    }
    const char *text = line->body;
    bool is_dated = line->kind != CHAT_LINE_SERVER;
    assert_true(play->shown_len + line->body_len + 8 < TEXT_MAX);
    play->shown_len +=
        (size_t)sprintf(play->shown + play->shown_len, "%s%s\n", is_dated ? "" : "*** ", text);
}

static inline void on_changed(void *user)
{
    (void)user;
}

static inline void on_ready(void *user)
{
    struct play *play = user;
    play->ready++;
}

static inline void on_refused(const char *text, void *user)
{
    struct play *play = user;
    (void)snprintf(play->refused, TEXT_MAX, "%s", text);
}

static inline void on_failed(const char *cause, void *user)
{
    struct play *play = user;
    (void)snprintf(play->failed, sizeof play->failed, "%s", cause);
    chat_irc_lost(play->irc);
}

static const struct chat_irc_events events = {.on_send = on_send,
                                              .on_show = on_show,
                                              .on_changed = on_changed,
                                              .on_ready = on_ready,
                                              .on_refused = on_refused,
                                              .on_failed = on_failed};

static inline void play_start(struct play *play, bool strict, const char *const *rooms,
                              size_t count)
{
    bool is_slow = play->is_slow;
    *play = (struct play){.is_slow = is_slow};
    play->sent = calloc(1, TEXT_MAX);
    play->shown = calloc(1, TEXT_MAX);
    play->refused = calloc(1, TEXT_MAX);
    const struct chat_irc_settings settings = {
        .nick = "bob", .user = "b@ob", .rooms = rooms, .room_count = count, .strict = strict};
    play->irc = chat_irc_create(&settings, &events, play);
    chat_irc_set_time(play->irc, 1000, 1000000);
    chat_irc_connected(play->irc, false);
}

static inline void play_end(struct play *play)
{
    chat_irc_destroy(play->irc);
    free(play->sent);
    free(play->shown);
    free(play->refused);
}

static inline void feed(struct play *play, const char *bytes)
{
    size_t len = strlen(bytes);
    if (!play->is_slow) {
        chat_irc_feed(play->irc, bytes, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        chat_irc_feed(play->irc, bytes + i, 1);
    }
}

static inline void assert_sent(struct play *play, const char *text)
{
    play->sent[play->sent_len] = '\0';
    assert_string_equal(play->sent, text);
    play->sent_len = 0;
    play->sent[0] = '\0';
}

static inline void assert_shown(struct play *play, const char *text)
{
    play->shown[play->shown_len] = '\0';
    assert_string_equal(play->shown, text);
    play->shown_len = 0;
    play->shown[0] = '\0';
}

static inline void forget(struct play *play)
{
    play->sent_len = play->shown_len = 0;
    play->sent[0] = play->shown[0] = '\0';
    if (play->refused) {
        play->refused[0] = '\0';
    }
}

#define WELCOME                                                                                    \
    ":s 001 bob :Welcome\r\n:s 005 bob CHANTYPES=# PREFIX=(ov)@+ STATUSMSG=@+ :are supported\r\n"  \
    ":s 376 bob :End\r\n"

static const char *const garden[] = {"garden"};

/* In #garden, with the capabilities; nothing of it is looked at. */
static inline void play_in_garden(struct play *play, bool strict, const char *caps)
{
    char line[300];
    play_start(play, strict, garden, 1);
    (void)snprintf(line, sizeof line, ":s CAP * LS :%s\r\n:s CAP * ACK :%s\r\n", caps, caps);
    feed(play, line);
    feed(play, WELCOME ":bob!b@h JOIN #garden\r\n:s 353 bob = #garden :bob\r\n"
                       ":s 366 bob #garden :End\r\n");
    forget(play);
}

#define ALL "batch draft/chathistory echo-message labeled-response message-tags server-time"

#endif
