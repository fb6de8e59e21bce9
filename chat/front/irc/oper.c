/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "front/irc/irc_internal.h"

/* Operators of the server: how one becomes one, and what only they may ask. */

#define OPER_FAILURES_MAX 3

static bool do_oper(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_span *params = line->message.params;
    if (!line->in_turn) {
        return false;
    }
    struct password_query *query = password_query_create(
        PASSWORD_OPERATOR, params[0].text, params[0].len, params[1].text, params[1].len);
    if (session_check_password(&irc->base, query)) {
        irc->waiting = true;
    } else {
        irc_reply(irc, IRC_RPL_TRYAGAIN, irc_span("OPER"));
    }
    return true;
}

static void oper_password(struct irc_session *irc, const struct password_query *query)
{
    unsigned submitted = irc->submitted;
    irc->waiting = false;
    if (query->result == PASSWORD_RIGHT) {
        session_log(&irc->base, PARTY_LOG_INFO, "is operator %s", query->name);
        irc_ask(irc, COMMAND_OPER, irc_span(""), irc_span(query->name));
    } else if (query->result == PASSWORD_LATER) {
        session_log(&irc->base, PARTY_LOG_WARNING, "tried to be operator %s too often",
                    query->name);
        irc_reply(irc, IRC_RPL_TRYAGAIN, irc_span("OPER"));
    } else {
        session_log(&irc->base, PARTY_LOG_WARNING, "failed to be operator %s", query->name);
        irc_reply0(irc, IRC_ERR_PASSWDMISMATCH);
        irc->oper_failures++;
    }
    irc_answered(irc, submitted);
    if (irc->oper_failures >= OPER_FAILURES_MAX) {
        irc_leave(irc, "Too many wrong passwords", 24);
    }
}

void irc_on_password(struct session *session, const struct password_query *query)
{
    struct irc_session *irc = (struct irc_session *)session;
    if (query->kind == PASSWORD_CONNECTION) {
        irc_on_connection_password(irc, query);
    } else {
        oper_password(irc, query);
    }
}

/* The reason behind the target, which KILL must have by the RFCs and clients leave out. */
static bool do_kill(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    irc_ask(irc, COMMAND_KILL, message->params[0],
            message->param_count > 1 ? message->params[1] : irc_span(""));
    return true;
}

static bool do_wallops(struct irc_session *irc, const struct irc_line *line)
{
    if (line->message.params[0].len == 0) {
        if (line->in_turn) {
            irc_reply(irc, IRC_ERR_NEEDMOREPARAMS, irc_span("WALLOPS"));
        }
        return false;
    }
    irc_ask(irc, COMMAND_WALLOPS, irc_span(""), line->message.params[0]);
    return true;
}

static bool do_rehash(struct irc_session *irc, const struct irc_line *line)
{
    const struct shard_env *env = &irc->base.shard->env;
    char answer[256] = "";
    (void)line;
    if (!irc->is_operator) {
        irc_reply0(irc, IRC_ERR_NOPRIVILEGES);
        return true;
    }
    session_log(&irc->base, PARTY_LOG_INFO, "has the configuration reread");
    if (env->operate("reload", answer, sizeof(answer), env->user)) {
        irc_reply(irc, IRC_RPL_REHASHING, irc_span("configuration"));
        irc_notice(irc, "%.*s", (int)strcspn(answer, "\n"), answer);
    }
    return true;
}

const struct irc_command irc_oper_commands[] = {
    {.name = "OPER",
     .fn = do_oper,
     .least = 2,
     .when = IRC_AFTER,
     .cost = 2,
     .waits = true,
     .is_secret = true},
    {.name = "KILL", .fn = do_kill, .least = 1, .when = IRC_AFTER, .cost = 1},
    {.name = "WALLOPS", .fn = do_wallops, .least = 1, .when = IRC_AFTER, .cost = 1},
    {.name = "REHASH", .fn = do_rehash, .when = IRC_AFTER, .cost = 2, .is_local = true},
    {.name = NULL},
};

bool irc_oper_event(struct irc_session *irc, const struct event *event)
{
    switch (event->type) {
    case EVENT_OPERED:
        irc->is_operator = true;
        irc_reply0(irc, IRC_RPL_YOUREOPER);
        return true;
    case EVENT_WALLOPS:
        irc_write_event(irc, event);
        return true;
    default:
        return false;
    }
}
