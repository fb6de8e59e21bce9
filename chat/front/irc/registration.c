/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/irc/irc_internal.h"

/*
 * From the first line to the welcome: PASS, CAP, NICK and USER in any order (Modern IRC,
 * "Connection Registration"), then PING, PONG and QUIT, which are allowed at any time.
 */

static void replace(char **string, struct irc_span value)
{
    free(*string);
    *string = xmemdup0(value.text, value.len);
}

void irc_forget_password(struct irc_session *irc)
{
    xfree_wiped(irc->password, irc->password ? strlen(irc->password) : 0);
    irc->password = NULL;
}

/* Whether registration may go on without, or after, the connection's password. */
static bool has_password(struct irc_session *irc)
{
    const char *given = irc->password ? irc->password : "";
    if (irc->password_ok || !shard_settings(irc->base.shard)->asks_password) {
        return true;
    }
    irc->asked = true;
    if (!session_check_password(
            &irc->base, password_query_create(PASSWORD_CONNECTION, "", 0, given, strlen(given)))) {
        irc->asked = false;
        irc_leave(irc, "Too many log in now, try again", 30);
    }
    return false;
}

void irc_on_connection_password(struct irc_session *irc, const struct password_query *query)
{
    irc->asked = false;
    irc_forget_password(irc);
    if (query->result != PASSWORD_RIGHT) {
        irc_reply0(irc, IRC_ERR_PASSWDMISMATCH);
        irc_leave(irc, "Bad password", 12);
        return;
    }
    irc->password_ok = true;
    irc_register_when_ready(irc);
    irc_go_on(irc);
}

void irc_register_when_ready(struct irc_session *irc)
{
    if (irc->registered || irc->asked || irc->in_negotiation || irc->leaving || !irc->nick ||
        !irc->user || !has_password(irc)) {
        return;
    }
    char host[PARTY_ADDRESS_TEXT_MAX];
    struct record_out who = {0};
    origin_format(&irc->base.origin, host, sizeof(host));
    record_puts(&who, irc->user);
    record_puts(&who, irc->host);
    record_puts(&who, irc->real_name);
    record_end(&who);
    irc->asked = true;
    irc->base.entered = true;
    irc->base.gone = false; /* from now on its end is told to the hub, whatever that answers */
    irc_submit(irc, &(struct command_parts){
                        .type = COMMAND_REGISTER,
                        .flags = party_stream_tls(irc->base.stream) ? COMMAND_FLAG_SECURE : 0,
                        .target = irc->nick,
                        .target_len = strlen(irc->nick),
                        .text = host,
                        .text_len = strlen(host),
                        .extra = who.bytes,
                        .extra_len = who.len,
                    });
    record_out_finish(&who);
}

static bool do_pass(struct irc_session *irc, const struct irc_line *line)
{
    struct irc_span password = line->message.params[0];
    irc_forget_password(irc);
    irc->password = xmemdup0(password.text, password.len);
    return true;
}

static bool do_nick(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    if (message->param_count == 0 || message->params[0].len == 0) {
        if (line->in_turn) {
            irc_reply0(irc, IRC_ERR_NONICKNAMEGIVEN);
        }
        return false;
    }
    struct irc_span nick = message->params[0];
    if (!irc_name_is_nick(nick)) {
        if (line->in_turn) {
            irc_reply(irc, IRC_ERR_ERRONEUSNICKNAME, nick);
        }
        return false;
    }
    if (irc->registered) {
        irc_ask(irc, COMMAND_NICK, nick, irc_span(""));
        return true;
    }
    replace(&irc->nick, nick);
    irc_register_when_ready(irc);
    return true;
}

static bool do_user(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_span *params = line->message.params;
    char user[USER_MAX_BYTES + 1] = "~";
    if (params[0].len == 0 || params[3].len == 0) {
        irc_reply(irc, IRC_ERR_NEEDMOREPARAMS, irc_span("USER"));
        return true;
    }
    size_t len = irc_name_clean_user(params[0], USER_MAX_BYTES - 1, user + 1);
    if (len == 0) {
        irc_reply(irc, IRC_ERR_INVALIDUSERNAME, irc_span("USER"));
        return true;
    }
    replace(&irc->user, irc_span_of(user, len + 1)); /* '~': nobody vouches for it */
    replace(&irc->real_name, params[3]);
    irc_register_when_ready(irc);
    return true;
}

static bool do_ping(struct irc_session *irc, const struct irc_line *line)
{
    struct irc_writer writer;
    const struct irc_message *message = &line->message;
    if (message->param_count == 0 || message->params[0].len == 0) {
        irc_reply0(irc, message->param_count == 0 ? IRC_ERR_NEEDMOREPARAMS : IRC_ERR_NOORIGIN);
        return true;
    }
    irc_start(irc, &writer);
    irc_writer_put_source(&writer, irc_server_name(irc));
    irc_writer_put_command(&writer, irc_span("PONG"));
    irc_writer_put_param(&writer, irc_server_name(irc));
    irc_writer_put_text(&writer, message->params[0]);
    irc_send(irc, &writer);
    return true;
}

/* That it came is what counts: see irc.c. */
static bool do_pong(struct irc_session *irc, const struct irc_line *line)
{
    (void)irc;
    (void)line;
    return true;
}

static bool do_quit(struct irc_session *irc, const struct irc_line *line)
{
    char reason[REASON_MAX_BYTES + 8];
    const struct irc_message *message = &line->message;
    struct irc_span text = message->param_count > 0 ? message->params[0] : irc_span("");
    if (text.len > REASON_MAX_BYTES) {
        text.len = REASON_MAX_BYTES;
        while (text.len > 0 && ((unsigned char)text.text[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }
    int n = snprintf(reason, sizeof(reason), text.len > 0 ? "Quit: %.*s" : "Quit", (int)text.len,
                     text.text);
    irc_leave(irc, reason, (size_t)n);
    return true;
}

const struct irc_command irc_registration_commands[] = {
    {.name = "PASS", .fn = do_pass, .least = 1, .when = IRC_BEFORE, .cost = 1, .is_secret = true},
    {.name = "NICK", .fn = do_nick, .least = 0, .when = IRC_ALWAYS, .cost = 2},
    {.name = "USER", .fn = do_user, .least = 4, .when = IRC_BEFORE, .cost = 1},
    {.name = "CAP",
     .fn = irc_cap_command,
     .least = 1,
     .when = IRC_ALWAYS,
     .cost = 1,
     .waits = true}, /* how the next line is taken depends on it */
    {.name = "PING", .fn = do_ping, .least = 1, .when = IRC_ALWAYS, .cost = 1, .is_local = true},
    {.name = "PONG", .fn = do_pong, .least = 0, .when = IRC_ALWAYS, .cost = 1},
    {.name = "QUIT", .fn = do_quit, .least = 0, .when = IRC_ALWAYS, .cost = 1},
    {.name = NULL},
};

static void send_greeting(struct irc_session *irc)
{
    const struct front_settings *settings = shard_settings(irc->base.shard);
    struct irc_span server = irc_server_name(irc), nick = irc_nick(irc);
    char program[64]; /* as VERSION has it: clients know by it who they talk to */
    (void)snprintf(program, sizeof(program), "partyline-%s", settings->version);
    struct irc_span version = irc_span(program);
    irc_numeric_values(irc, IRC_RPL_WELCOME, NULL, 0, IRC_SPANS(irc_span(settings->network), nick));
    irc_numeric_values(irc, IRC_RPL_YOURHOST, NULL, 0, IRC_SPANS(server, version));
    irc_numeric_values(irc, IRC_RPL_CREATED, NULL, 0, IRC_SPANS(irc_span(settings->started)));
    irc_numeric(irc, IRC_RPL_MYINFO,
                IRC_SPANS(server, version, irc_span(IRC_USER_MODES), irc_span(IRC_ROOM_MODES),
                          irc_span(IRC_PARAM_MODES)));
    irc_send_isupport(irc);
}

/*
 * The counts of LUSERS are the hub's; they come, and the message of the day behind them, in their
 * turn. What the peer has sent meanwhile is heard after the end of the burst was asked for.
 */
void irc_welcome(struct irc_session *irc, const struct event *event)
{
    replace(&irc->nick, irc_span_of(event->actor, event->actor_len));
    irc->identity = event->identity;
    irc->registered = true;
    irc_known(irc);
    irc->asked = false;
    irc_forget_password(irc);
    send_greeting(irc);
    irc_hear(irc, "LUSERS", 6);
    irc_hear(irc, "MOTD", 4);
    if (irc->leaving) {
        (void)session_submit(&irc->base, COMMAND_QUIT, NULL, 0, "Client closed connection", 24);
        return;
    }
    irc_go_on(irc);
}
