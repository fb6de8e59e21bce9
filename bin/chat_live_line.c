/* SPDX-License-Identifier: MIT */
/*
 * The line protocol, for people. A connection goes through
 *
 *     GREETING    until the server says which room one is in
 *     MOVING      after an outage: /join ROOM was sent, where the lobby is not the room
 *     CATCHING_UP after an outage: /history since TIME was sent
 *     LIVE        what is typed is sent, what comes is shown
 *
 * and from LIVE, or wherever the connection ends, to OFFLINE, then GREETING again. On the way back
 * to LIVE lines of the room are held, because what was missed stands before them; chat_catchup.h
 * tells which of them were shown already.
 *
 * What is said goes through the outbox (chat_outbox.h), so that nothing typed is lost: a line stays
 * there until the server has shown it to the room. After an outage the history tells which of the
 * lines that were on their way have arrived; the others are sent again.
 */
#include "chat_live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "chat_asked.h"
#include "chat_catchup.h"
#include "chat_line.h"
#include "chat_outbox.h"
#include "command.h"
#include "prompt.h"

enum phase { OFFLINE, GREETING, MOVING, CATCHING_UP, LIVE };

#define NICK_AGAIN_MS                                                                              \
    10000 /* the server may not have noticed yet that the old connection is gone */
#define NICK_AGAIN_MAX 12
#define GOODBYE_MS     2000
#define HELD_MAX       4096 /* lines kept back while catching up; then they are shown */
#define PAGES_MAX      20   /* answers of the history after one outage */

struct session {
    struct chat_live *live;
    struct chat_catchup *catchup;
    struct chat_outbox outbox;
    struct chat_asked asked; /* what the time is */
    enum phase phase;
    bool settling;                            /* back, and the room may still bring what the
                                                 history had */
    char name[NAME_CEILING_BYTES + 1];        /* now; "" before the greeting */
    char room[ROOM_NAME_CEILING_BYTES + 1];   /* now */
    char wanted_name[NAME_CEILING_BYTES + 1]; /* "": whatever the server gives */
    unsigned nick_tries;
    char **held; /* stored lines, each with a NUL */
    size_t held_count;
    unsigned pages;
    int64_t nick_again_ms; /* -1: never */
};

static void set_prompt(struct session *session)
{
    char text[sizeof(session->name) + 2];
    (void)snprintf(text, sizeof text, "%s> ", session->name);
    prompt_set_text(session->live->prompt, text);
}

static void send_line(struct session *session, const char *format, ...) PARTY_PRINTF(2, 3);

static void send_line(struct session *session, const char *format, ...)
{
    char text[CHAT_TYPED_MAX_BYTES + 1];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int r = chat_link_send(&session->live->link, text);
    if (r < 0) {
        chat_live_tell(session->live, "not sent: %s", party_strerror(r));
    }
}

/* The answer to a question of one's own is not shown; to one that was typed it is. */
static void ask_time(struct session *session, const char *line, bool own)
{
    if (chat_asked_add(&session->asked, own)) {
        send_line(session, "%s", line);
    } else {
        chat_live_tell(session->live, "not sent: too many questions wait for an answer");
    }
}

/* ---- catching up ---- */

static void show_new(struct session *session, const char *text, enum chat_source source)
{
    struct chat_line line = chat_line_parse(text, strlen(text));
    if (chat_catchup_is_new(session->catchup, &line, source)) {
        chat_live_show(session->live, &line);
        chat_outbox_confirm(&session->outbox, &line, session->name);
    }
}

/* Lines are held in the order of their coming; the last `answered` of them are the history's. */
static void release_held(struct session *session, size_t answered, bool all)
{
    size_t rest = session->held_count > answered ? session->held_count - answered : 0;
    for (size_t i = rest; i < session->held_count; i++) {
        show_new(session, session->held[i], CHAT_FROM_HISTORY);
        free(session->held[i]);
    }
    session->held_count = rest;
    if (!all) {
        return;
    }
    for (size_t i = 0; i < rest; i++) {
        show_new(session, session->held[i], CHAT_FROM_ROOM);
        free(session->held[i]);
    }
    session->held_count = 0;
}

static void drop_held(struct session *session)
{
    for (size_t i = 0; i < session->held_count; i++) {
        free(session->held[i]);
    }
    session->held_count = 0;
}

static void hold(struct session *session, const struct chat_line *line)
{
    if (session->held_count >= HELD_MAX) {
        release_held(session, 0, true);
    }
    session->held = xreallocarray(session->held, session->held_count + 1, sizeof(*session->held));
    session->held[session->held_count++] = xmemdup0(line->text, line->len);
}

static void send_outbox(struct session *session)
{
    const char *text;
    while (session->phase == LIVE && !session->live->leaving &&
           (text = chat_outbox_next(&session->outbox)) != NULL) {
        if (chat_link_send(&session->live->link, text) < 0) {
            return; /* the rest goes when there is room, or another connection */
        }
        chat_outbox_sent(&session->outbox, session->name);
    }
}

static void go_live(struct session *session)
{
    session->phase = LIVE;
    session->live->deadline_ms = session->live->leaving ? session->live->deadline_ms : -1;
    chat_live_settled(session->live);
    release_held(session, 0, true);
    size_t waiting = chat_outbox_rewind(&session->outbox);
    if (waiting > 0) {
        chat_live_tell(session->live, "sending %zu line%s that %s not said yet", waiting,
                       waiting == 1 ? "" : "s", waiting == 1 ? "was" : "were");
    }
    send_outbox(session);
}

static void begin_catchup(struct session *session)
{
    const char *since = chat_catchup_begin(session->catchup);
    session->settling = true;
    session->pages = 0;
    if (!since) {
        go_live(session);
        return;
    }
    session->phase = CATCHING_UP;
    session->live->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
    send_line(session, "/history since %s", since);
}

/* The history's answer is complete. */
static void on_history(struct session *session, size_t count, uint64_t more)
{
    release_held(session, count, false);
    if (more == 0) {
        go_live(session);
    } else if (++session->pages >= PAGES_MAX) {
        chat_live_tell(session->live,
                       "more was said meanwhile: /history after %" PRIu64 " shows it", more);
        go_live(session);
    } else {
        session->live->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
        send_line(session, "/history after %" PRIu64, more);
    }
}

/* ---- what comes in ---- */

static bool says(const struct chat_line *line, const char *words)
{
    size_t len = strlen(words);
    return line->kind == CHAT_LINE_SERVER && line->body_len >= len &&
           memcmp(line->body, words, len) == 0;
}

static void ask_for_name(struct session *session)
{
    session->nick_again_ms = -1;
    if (session->wanted_name[0] != '\0' && strcmp(session->wanted_name, session->name) != 0) {
        send_line(session, "/nick %s", session->wanted_name);
    }
}

static void on_own_name(struct session *session, const struct chat_line *line, const char *name)
{
    (void)snprintf(session->name, sizeof session->name, "%s", name);
    set_prompt(session);
    if (chat_line_is_welcome(line)) {
        session->nick_tries = 0;
        ask_for_name(session);
    } else {
        /* Chosen, so it is what to be called after an outage too. */
        (void)snprintf(session->wanted_name, sizeof session->wanted_name, "%s", name);
        session->nick_again_ms = -1;
    }
}

/* Returns: whether it is the answer to a name that was asked for again, which is no news. */
static bool on_name_taken(struct session *session, const struct chat_line *line)
{
    if (!says(line, "The name ") || session->wanted_name[0] == '\0' ||
        strcmp(session->wanted_name, session->name) == 0 ||
        !memmem(line->body, line->body_len, session->wanted_name, strlen(session->wanted_name))) {
        return false;
    }
    if (!session->live->returning || session->nick_tries >= NICK_AGAIN_MAX) {
        session->wanted_name[0] = '\0';
        return false;
    }
    session->nick_again_ms = chat_now_ms() + NICK_AGAIN_MS;
    return session->nick_tries++ > 0;
}

/* In a room of which nothing is known. */
static void on_new_room(struct session *session, const char *room)
{
    (void)snprintf(session->room, sizeof session->room, "%s", room);
    chat_catchup_forget(session->catchup);
    /* Should nobody say anything before an outage, this is where it began. */
    ask_time(session, "/time", true);
}

static void back_in_room(struct session *session)
{
    chat_live_back(session->live);
    begin_catchup(session);
}

/* Returns: whether the line is to be shown. */
static bool on_own_room(struct session *session, const char *room)
{
    bool same = strcasecmp(room, session->room) == 0;
    if (session->phase == GREETING && !session->live->returning) {
        session->live->entered = true;
        on_new_room(session, room);
        const char *wanted = chat_options_room(session->live->options);
        if (wanted && strcasecmp(wanted, room) != 0) {
            send_line(session, "/join %s", wanted);
        }
        go_live(session);
        return true;
    }
    if (session->phase == GREETING && !same) {
        session->phase = MOVING;
        session->live->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
        send_line(session, "/join %s", session->room);
        return false;
    }
    if (session->phase == GREETING || session->phase == MOVING) {
        drop_held(session); /* of the room before */
        if (!same) {
            on_new_room(session, room);
        }
        back_in_room(session);
        return false;
    }
    if (!same) {
        on_new_room(session, room);
    }
    return true;
}

static void on_stored(struct session *session, const struct chat_line *line)
{
    if (session->phase != LIVE) {
        hold(session, line);
    } else if (session->settling && chat_catchup_may_repeat(session->catchup, line)) {
        show_new(session, line->text, CHAT_FROM_ROOM);
    } else {
        session->settling = false;
        chat_catchup_note(session->catchup, line);
        chat_live_show(session->live, line);
        chat_outbox_confirm(&session->outbox, line, session->name);
    }
}

/* The room cannot be entered any more: it goes on where one is. */
static void on_move_refused(struct session *session)
{
    session->room[0] = '\0';
    drop_held(session);
    chat_catchup_forget(session->catchup);
    back_in_room(session);
}

/* What the server tells everyone on entering is no news to who was there a moment ago. */
static bool is_news(const struct session *session, const struct chat_line *line)
{
    if (session->phase == LIVE || !session->live->returning) {
        return true;
    }
    return session->phase == CATCHING_UP && !says(line, "Topic: ") &&
           !says(line, "What you type ") && !says(line, "You are now called ");
}

/* Returns: whether the line is to be shown. */
static bool on_server_line(struct session *session, const struct chat_line *line)
{
    char name[NAME_CEILING_BYTES + 1], room[ROOM_NAME_CEILING_BYTES + 1];
    char stamp[CHAT_STAMP_BYTES + 1];
    size_t count;
    uint64_t more;
    if (chat_line_own_name(line, name)) {
        on_own_name(session, line, name);
        return is_news(session, line);
    }
    if (chat_line_own_room(line, room)) {
        return on_own_room(session, room);
    }
    if (chat_line_time(line, stamp) && chat_asked_take(&session->asked)) {
        chat_catchup_start_at(session->catchup, stamp);
        return false;
    }
    if (session->phase == CATCHING_UP && chat_line_ends_history(line, &count, &more)) {
        on_history(session, count, more);
        return false;
    }
    if (on_name_taken(session, line)) {
        return false;
    }
    if (chat_line_refuses_text(line)) {
        chat_outbox_refuse(&session->outbox);
    }
    if (chat_line_is_refusal(line)) {
        if (session->phase == MOVING && !says(line, "The name ")) {
            on_move_refused(session);
        }
        return true;
    }
    if (chat_line_is_goodbye(line)) {
        session->live->dismissed = !session->live->leaving;
        return true;
    }
    return is_news(session, line);
}

static void on_line(const char *text, size_t len, void *user)
{
    struct session *session = user;
    struct chat_line line = chat_line_parse(text, len);
    if (chat_line_is_stored(&line)) {
        on_stored(session, &line);
    } else if (line.kind != CHAT_LINE_SERVER || on_server_line(session, &line)) {
        chat_live_show(session->live, &line);
    }
}

/* ---- the connection ---- */

static void on_open(void *user)
{
    struct session *session = user;
    session->phase = GREETING;
    session->live->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
    session->asked = (struct chat_asked){0};
    /* A listener for all protocols waits for a first byte; an empty line is nobody's but ours. */
    send_line(session, "%s", "");
}

static void on_lost(void *user)
{
    struct session *session = user;
    if (session->phase == CATCHING_UP || session->phase == LIVE) {
        release_held(session, 0, true);
    }
    drop_held(session);
    session->phase = OFFLINE;
    session->nick_again_ms = -1;
}

/* ---- what is typed ---- */

static void leave(void *user, const char *typed)
{
    struct session *session = user;
    session->live->deadline_ms = chat_now_ms() + GOODBYE_MS;
    send_line(session, "%s", typed);
}

static void say(struct session *session, const char *typed)
{
    if (!chat_outbox_add(&session->outbox, typed)) {
        chat_live_tell(session->live, "not kept, %d lines wait already: %.200s", CHAT_OUTBOX_MAX,
                       typed);
    } else if (session->phase == LIVE) {
        send_outbox(session);
    } else {
        chat_live_tell(session->live, "not connected: this is sent as soon as that is");
    }
}

static void submit(void *user, const char *typed)
{
    struct session *session = user;
    char *echo = chat_typed_echo(session->name, typed);
    if (echo) {
        if (session->phase == LIVE) {
            prompt_erase_read(session->live->prompt); /* the room's own line will stand there */
        }
        say(session, typed);
    } else if (session->phase == LIVE && chat_typed_is(typed, "time", NULL)) {
        ask_time(session, typed, false);
    } else if (session->phase == LIVE) {
        send_line(session, "%s", typed);
    } else {
        chat_live_tell(session->live, "not connected: %.200s was not sent", typed);
    }
    free(echo);
}

/* ---- waiting ---- */

static void on_deadline(void *user)
{
    struct session *session = user;
    if (session->phase == GREETING) {
        chat_live_drop(session->live, "the server did not greet");
    } else if (session->phase == MOVING) {
        on_move_refused(session);
    } else if (session->phase == CATCHING_UP) {
        chat_live_tell(session->live, "the server did not say what was missed");
        go_live(session);
    }
}

static int64_t next_ms(void *user)
{
    const struct session *session = user;
    return session->nick_again_ms;
}

static void tick(void *user, int64_t now_ms)
{
    struct session *session = user;
    if (session->nick_again_ms >= 0 && now_ms >= session->nick_again_ms) {
        ask_for_name(session);
    }
    send_outbox(session);
}

/* ---- life ---- */

static void *create(struct chat_live *live)
{
    struct session *session = xcalloc(1, sizeof(*session));
    session->live = live;
    session->nick_again_ms = -1;
    session->catchup = chat_catchup_create();
    if (live->options->nick) {
        (void)snprintf(session->wanted_name, sizeof session->wanted_name, "%s",
                       live->options->nick);
    }
    if (live->options->room_count > 1) {
        chat_live_tell(live, "this server has one room at a time: %.200s",
                       chat_options_room(live->options));
    }
    return session;
}

static void destroy(void *user)
{
    struct session *session = user;
    drop_held(session);
    free(session->held);
    chat_outbox_finish(&session->outbox);
    chat_catchup_destroy(session->catchup);
    free(session);
}

static const char *farewell(const void *user)
{
    (void)user; /* it is a line like others, and was shown */
    return "";
}

static size_t left(const void *user)
{
    const struct session *session = user;
    return session->outbox.count;
}

const struct chat_live_ops chat_live_line_ops = {
    .create = create,
    .destroy = destroy,
    .on_open = on_open,
    .on_line = on_line,
    .on_lost = on_lost,
    .submit = submit,
    .leave = leave,
    .on_deadline = on_deadline,
    .next_ms = next_ms,
    .tick = tick,
    .farewell = farewell,
    .left = left,
};
