/* SPDX-License-Identifier: MIT */
/*
 * The line protocol in a pipe.
 *
 *     GREETING   until the server says which room one is in
 *     NAMING     --nick was asked for, if given
 *     ENTERING   --room was asked for, if given
 *     SETTLING   /time was asked: its answer comes behind the room's last lines, which may be like
 *                one that is to be sent
 *     READY      lines go out; `expected` is set while one waits for its echo
 *     LEAVING    /quit was sent; what still comes is shown, until the server closes
 */
#include "chat_plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "chat_line.h"

enum phase { GREETING, NAMING, ENTERING, SETTLING, READY, LEAVING };

struct session {
    struct chat_plain *plain;
    enum phase phase;
    char name[NAME_CEILING_BYTES + 1];
    char *expected;      /* the body of the line that shows what was sent; NULL: nothing waits */
    bool expects_prefix; /* the server's line may say more */
    bool expects_time;   /* the answer to a /time that nobody typed: it is not shown */
    char *said;          /* the server's last "*** " line, for a complaint; NULL: none yet */
};

static void send_line(struct session *session, const char *line)
{
    int r = chat_link_send(&session->plain->link, line);
    if (r < 0) {
        chat_plain_fail(session->plain, "cannot send: %s", party_strerror(r));
        chat_plain_give_up(session->plain);
    }
}

/* Owns: takes expected. */
static void expect(struct session *session, char *expected, bool prefix)
{
    free(session->expected);
    session->expected = expected;
    session->expects_prefix = prefix;
    session->expects_time = false;
    session->plain->deadline_ms = expected ? chat_now_ms() + CHAT_ANSWER_MS : -1;
}

static char *copy(const char *text)
{
    return xmemdup0(text, strlen(text));
}

static void ask(struct session *session, const char *verb, const char *argument, const char *answer)
{
    char line[600];
    (void)snprintf(line, sizeof line, "%s %.500s", verb, argument);
    expect(session, copy(answer), true);
    send_line(session, line);
}

/* Waits until the server has answered all that was sent before. */
static void settle(struct session *session)
{
    expect(session, copy("It is "), true);
    session->expects_time = true;
    send_line(session, "/time");
}

static void leave(void *user)
{
    struct session *session = user;
    if (session->phase == LEAVING || session->plain->over) {
        return;
    }
    session->phase = LEAVING;
    expect(session, NULL, false);
    send_line(session, "/quit");
    session->plain->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
}

static void submit(const char *typed, void *user)
{
    struct session *session = user;
    const char *args;
    char *echo = chat_typed_echo(session->name, typed);
    if (echo) {
        expect(session, echo, false);
    } else if (chat_typed_is(typed, "nick", &args) && args[0] && strcmp(args, session->name) != 0) {
        expect(session, copy("You are now called "), true);
    } else if (chat_typed_is(typed, "join", &args) && args[0]) {
        expect(session, copy("You are in "), true);
    } else if (chat_typed_is(typed, "msg", &args) && strchr(args, ' ')) {
        expect(session, copy("[you -> "), true);
    } else if (chat_typed_is(typed, "time", NULL)) {
        expect(session, copy("It is "), true);
    }
    send_line(session, typed);
    if (!session->expected && !session->plain->over) {
        settle(session); /* a command whose answer is whatever comes before that of /time */
    }
}

/* ---- what comes in ---- */

static bool is_expected(const struct session *session, const struct chat_line *line)
{
    if (!session->expected) {
        return false;
    }
    size_t len = strlen(session->expected);
    return line->body != line->text && line->body_len >= len &&
           (session->expects_prefix || line->body_len == len) &&
           memcmp(line->body, session->expected, len) == 0 &&
           (session->expects_prefix || chat_line_is_stored(line));
}

/* The next step on the way to READY. */
static void advance(struct session *session)
{
    const struct chat_options *options = session->plain->options;
    bool joined = session->expected && strcmp(session->expected, "You are in ") == 0;
    expect(session, NULL, false);
    if (session->phase == GREETING) {
        session->phase = NAMING;
        if (options->nick && strcmp(options->nick, session->name) != 0) {
            ask(session, "/nick", options->nick, "You are now called ");
            return;
        }
    }
    if (session->phase == NAMING) {
        session->phase = ENTERING;
        if (chat_options_room(options)) {
            ask(session, "/join", chat_options_room(options), "You are in ");
            return;
        }
    }
    if (session->phase == ENTERING || (session->phase == READY && joined)) {
        session->phase = SETTLING;
        settle(session);
    } else if (session->phase == SETTLING) {
        session->phase = READY;
    }
}

static void on_refusal(struct session *session, const char *text)
{
    chat_plain_fail(session->plain, "%s", text);
    if (session->phase != READY) {
        leave(session); /* not under another name, nor in another room */
    } else if (!session->expects_time) {
        expect(session, NULL, false);
    }
}

static void on_line(const char *text, size_t len, void *user)
{
    struct session *session = user;
    char room[ROOM_NAME_CEILING_BYTES + 1];
    struct chat_line line = chat_line_parse(text, len);
    if (!session->expects_time || !is_expected(session, &line)) {
        chat_plain_print(session->plain, text, len);
    }
    (void)chat_line_own_name(&line, session->name);
    if (line.kind == CHAT_LINE_SERVER) {
        free(session->said);
        session->said = copy(text);
    }
    if (session->phase == GREETING) {
        if (session->name[0] != '\0' && chat_line_own_room(&line, room)) {
            advance(session);
        }
    } else if (is_expected(session, &line)) {
        advance(session);
    } else if (session->expected && chat_line_is_refusal(&line)) {
        on_refusal(session, text);
    }
}

static void on_open(void *user)
{
    struct session *session = user;
    if (session->plain->options->room_count > 1) {
        chat_plain_fail(session->plain, "this server has one room at a time");
        chat_plain_give_up(session->plain);
        return;
    }
    /* A listener for all protocols waits for a first byte; an empty line is nobody's but ours. */
    send_line(session, "");
    session->plain->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
}

static void on_closed(const char *cause, void *user)
{
    struct session *session = user;
    struct chat_plain *plain = session->plain;
    if (session->phase == GREETING && session->name[0] == '\0' && !session->said) {
        chat_plain_fail(plain, "cannot connect to %s: %s", plain->options->target.shown, cause);
    } else if (session->phase != LEAVING) {
        chat_plain_fail(plain, "connection lost: %s%s%s", cause,
                        session->said ? "; the server said: " : "",
                        session->said ? session->said : "");
    }
}

static void on_deadline(void *user)
{
    struct session *session = user;
    if (session->phase == LEAVING) {
        session->plain->over = true; /* all is confirmed; the server is slow to close */
        return;
    }
    chat_plain_fail(session->plain, "%s within %d s%s%s",
                    session->phase == GREETING ? "the server did not greet"
                                               : "the server did not confirm a line",
                    CHAT_ANSWER_MS / 1000, session->said ? "; it said: " : "",
                    session->said ? session->said : "");
    chat_plain_give_up(session->plain);
}

/* ---- life ---- */

static void *create(struct chat_plain *plain)
{
    struct session *session = xcalloc(1, sizeof(*session));
    session->plain = plain;
    return session;
}

static void destroy(void *user)
{
    struct session *session = user;
    free(session->expected);
    free(session->said);
    free(session);
}

static bool is_entered(const void *user)
{
    const struct session *session = user;
    return session->phase == READY;
}

static bool is_ready(const void *user)
{
    const struct session *session = user;
    return session->phase == READY && !session->expected;
}

static int64_t next_ms(const void *user)
{
    (void)user;
    return -1;
}

static void tick(void *user)
{
    (void)user; /* plain->deadline_ms is all there is */
}

const struct chat_plain_ops chat_plain_line_ops = {
    .create = create,
    .destroy = destroy,
    .on_open = on_open,
    .on_line = on_line,
    .on_closed = on_closed,
    .is_entered = is_entered,
    .is_ready = is_ready,
    .submit = submit,
    .leave = leave,
    .on_deadline = on_deadline,
    .next_ms = next_ms,
    .tick = tick,
};
