/* SPDX-License-Identifier: MIT */
/*
 * IRC in a pipe: chat_irc.h in its strict way, where each line waits for the answer to the last.
 */
#include "chat_plain.h"

#include <stdlib.h>
#include <time.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "chat_irc.h"
#include "chat_login.h"

struct session {
    struct chat_plain *plain;
    struct chat_irc *irc;
    bool is_entered, is_leaving;
};

static void set_time(struct session *session)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    chat_irc_set_time(session->irc, chat_now_ms(),
                      (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static void leave(void *user)
{
    struct session *session = user;
    if (session->is_leaving || session->plain->over) {
        return;
    }
    session->is_leaving = true;
    session->plain->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
    chat_irc_quit(session->irc, "quit");
}

/* ---- what the client wants ---- */

static void on_send(const char *bytes, size_t len, void *user)
{
    struct session *session = user;
    int r = chat_link_write(&session->plain->link, bytes, len);
    if (r < 0) {
        chat_plain_fail(session->plain, "cannot send: %s", party_strerror(r));
        chat_plain_give_up(session->plain);
    }
}

static void on_show(const struct chat_line *line, void *user)
{
    struct session *session = user;
    chat_plain_print(session->plain, line->text, line->len);
}

static void on_changed(void *user)
{
    (void)user; /* there is no prompt */
}

static void on_ready(void *user)
{
    struct session *session = user;
    session->is_entered = true;
}

static void on_refused(const char *text, void *user)
{
    struct session *session = user;
    chat_plain_fail(session->plain, "%s", text);
    if (!session->is_entered) {
        leave(session); /* not in another room */
    }
}

static void on_failed(const char *cause, void *user)
{
    struct session *session = user;
    chat_plain_fail(session->plain, "cannot connect to %s: %s",
                    session->plain->options->target.shown, cause);
    chat_plain_give_up(session->plain);
}

static const struct chat_irc_events irc_events = {.on_send = on_send,
                                                  .on_show = on_show,
                                                  .on_changed = on_changed,
                                                  .on_ready = on_ready,
                                                  .on_refused = on_refused,
                                                  .on_failed = on_failed};

/* ---- what the pipe wants ---- */

static void *create(struct chat_plain *plain)
{
    struct session *session = xcalloc(1, sizeof(*session));
    char *login = chat_login_name();
    const struct chat_irc_settings settings = {.nick = plain->options->nick ? plain->options->nick
                                                                            : login,
                                               .user = login,
                                               .password = plain->options->password,
                                               .rooms = plain->options->rooms,
                                               .room_count = plain->options->room_count,
                                               .strict = true,
                                               .any_nick = !plain->options->nick};
    session->plain = plain;
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
    chat_irc_connected(session->irc, session->plain->link.has_probed);
}

static void on_bytes(const char *bytes, size_t len, void *user)
{
    struct session *session = user;
    set_time(session);
    chat_irc_feed(session->irc, bytes, len);
}

static void on_closed(const char *cause, void *user)
{
    struct session *session = user;
    const char *farewell = chat_irc_farewell(session->irc);
    if (!session->is_leaving) {
        chat_plain_fail(session->plain, "connection lost: %s%s%s", cause,
                        farewell[0] ? "; the server said: " : "", farewell);
    }
    chat_irc_lost(session->irc);
}

static bool is_entered(const void *user)
{
    const struct session *session = user;
    return session->is_entered && !session->is_leaving;
}

static bool is_ready(const void *user)
{
    const struct session *session = user;
    return is_entered(user) && chat_irc_is_idle(session->irc);
}

static void submit(const char *typed, void *user)
{
    struct session *session = user;
    set_time(session);
    chat_irc_submit(session->irc, typed);
}

/* All is confirmed; the server is slow to close. */
static void on_deadline(void *user)
{
    struct session *session = user;
    session->plain->over = true;
}

static int64_t next_ms(const void *user)
{
    const struct session *session = user;
    return chat_irc_next_ms(session->irc);
}

static void tick(void *user)
{
    struct session *session = user;
    set_time(session);
    chat_irc_tick(session->irc);
}

const struct chat_plain_ops chat_plain_irc_ops = {
    .create = create,
    .destroy = destroy,
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_closed = on_closed,
    .is_entered = is_entered,
    .is_ready = is_ready,
    .submit = submit,
    .leave = leave,
    .on_deadline = on_deadline,
    .next_ms = next_ms,
    .tick = tick,
};
