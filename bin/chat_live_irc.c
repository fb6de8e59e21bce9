/* SPDX-License-Identifier: MIT */
#include "chat_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "chat_irc.h"
#include "chat_login.h"
#include "command.h"
#include "prompt.h"

/*
 * IRC, for people: chat_irc.h on the prompt.
 */

#define GOODBYE_MS 2000

struct session {
    struct chat_live *live;
    struct chat_irc *irc;
};

static void set_time(struct session *session)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    chat_irc_set_time(session->irc, chat_now_ms(),
                      (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* ---- what the client wants ---- */

static void on_send(const char *bytes, size_t len, void *user)
{
    struct session *session = user;
    int r = chat_link_write(&session->live->link, bytes, len);
    if (r < 0) {
        chat_live_tell(session->live, "not sent: %s", party_strerror(r));
    }
}

static void on_show(const struct chat_line *line, void *user)
{
    struct session *session = user;
    chat_live_show(session->live, line);
}

static void on_changed(void *user)
{
    struct session *session = user;
    char text[CHAT_IRC_NICK_MAX_BYTES + CHAT_IRC_ROOM_MAX_BYTES + 8];
    chat_irc_prompt(session->irc, text, sizeof text);
    prompt_set_text(session->live->prompt, text);
    session->live->entered = session->live->entered || chat_irc_is_registered(session->irc);
}

static void on_ready(void *user)
{
    struct session *session = user;
    chat_live_settled(session->live);
    chat_live_back(session->live);
}

static void on_refused(const char *text, void *user)
{
    (void)text; /* it stands on the screen */
    (void)user;
}

static void on_failed(const char *cause, void *user)
{
    struct session *session = user;
    chat_live_drop(session->live, cause);
}

static const struct chat_irc_events irc_events = {.on_send = on_send,
                                                  .on_show = on_show,
                                                  .on_changed = on_changed,
                                                  .on_ready = on_ready,
                                                  .on_refused = on_refused,
                                                  .on_failed = on_failed};

/* ---- what the prompt wants ---- */

static void *create(struct chat_live *live)
{
    struct session *session = xcalloc(1, sizeof(*session));
    char *login = chat_login_name();
    const struct chat_irc_settings settings = {.nick = live->options->nick ? live->options->nick
                                                                           : login,
                                               .user = login,
                                               .password = live->options->password,
                                               .rooms = live->options->rooms,
                                               .room_count = live->options->room_count};
    session->live = live;
    session->irc = chat_irc_create(&settings, &irc_events, session);
    free(login);
    return session;
}

static void destroy(void *user)
{
    struct session *session = user;
    chat_irc_destroy(session->irc);
    free(session);
}

static void on_open(void *user)
{
    struct session *session = user;
    set_time(session);
    chat_irc_connected(session->irc, session->live->link.has_probed);
}

static void on_bytes(const char *bytes, size_t len, void *user)
{
    struct session *session = user;
    set_time(session);
    chat_irc_feed(session->irc, bytes, len);
}

static void on_lost(void *user)
{
    struct session *session = user;
    session->live->dismissed = chat_irc_is_dismissed(session->irc);
    chat_irc_lost(session->irc);
}

static void submit(void *user, const char *typed)
{
    struct session *session = user;
    set_time(session);
    if (chat_irc_will_show(session->irc, typed)) {
        prompt_erase_read(session->live->prompt);
    }
    chat_irc_submit(session->irc, typed);
}

static void leave(void *user, const char *typed)
{
    struct session *session = user;
    const char *reason = "";
    (void)chat_typed_is(typed, "quit", &reason);
    session->live->deadline_ms = chat_now_ms() + GOODBYE_MS;
    chat_irc_quit(session->irc, reason[0] != '\0' ? reason : "quit");
}

static void on_deadline(void *user)
{
    (void)user; /* the client has its own */
}

static int64_t next_ms(void *user)
{
    const struct session *session = user;
    return chat_irc_next_ms(session->irc);
}

static void tick(void *user, int64_t now_ms)
{
    struct session *session = user;
    (void)now_ms;
    set_time(session);
    chat_irc_tick(session->irc);
}

static const char *farewell(const void *user)
{
    const struct session *session = user;
    return chat_irc_farewell(session->irc);
}

static size_t left(const void *user)
{
    const struct session *session = user;
    return chat_irc_waiting(session->irc);
}

const struct chat_live_ops chat_live_irc_ops = {
    .create = create,
    .destroy = destroy,
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_lost = on_lost,
    .submit = submit,
    .leave = leave,
    .on_deadline = on_deadline,
    .next_ms = next_ms,
    .tick = tick,
    .farewell = farewell,
    .left = left,
};
