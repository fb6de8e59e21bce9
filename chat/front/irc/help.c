/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "front/irc/irc_internal.h"

/* HELP and HELPOP: a table of subjects (Modern IRC, "HELP message"). */

static const struct {
    const char *subject, *text; /* lines by newline */
} subjects[] = {
    {"ADMIN", "ADMIN\nWho runs the server."},
    {"AWAY", "AWAY [:text]\nMarks you as away, or back without text."},
    {"BATCH", "BATCH +name draft/multiline target\nBATCH -name\nSeveral lines as one message."},
    {"CAP", "CAP LS [302] | LIST | REQ :capabilities | END\nCapability negotiation (IRCv3)."},
    {"CHATHISTORY",
     "CHATHISTORY LATEST target * | msgid=ID | timestamp=TIME limit\n"
     "CHATHISTORY BEFORE | AFTER | AROUND target reference limit\n"
     "CHATHISTORY BETWEEN target reference reference limit\n"
     "CHATHISTORY TARGETS timestamp=TIME timestamp=TIME limit\nWhat was said before."},
    {"HELP", "HELP [subject]\nThis text, or that of a subject."},
    {"INFO", "INFO\nWhat the server is."},
    {"INVITE",
     "INVITE nick #channel\nInvites somebody; without parameters: where you are invited."},
    {"ISON", "ISON nick...\nWhich of them are here."},
    {"JOIN", "JOIN #channel[,#channel...] [key[,key...]]\nEnters channels."},
    {"KICK", "KICK #channel nick[,nick...] [:reason]\nPuts somebody out of a channel."},
    {"KILL", "KILL nick :reason\nFor operators: ends somebody's connection."},
    {"LINKS", "LINKS\nThe servers of the network."},
    {"LIST",
     "LIST [#channel,... | conditions]\nChannels: >n <n by members, C>n C<n by age, T>n T<n by "
     "topic (minutes), masks, !masks."},
    {"LUSERS", "LUSERS\nHow many people and channels there are."},
    {"MARKREAD", "MARKREAD target [timestamp=TIME]\nHow far you have read."},
    {"MODE",
     "MODE #channel [+modes [parameters]]\nMODE nick [+modes]\nChannel: b e I lists, k key, l "
     "limit, i invite only, m moderated, n no messages from outside, s secret, t topic by "
     "operators, C no CTCP, o operator, v voice. User: i invisible, w wallops, B bot."},
    {"MONITOR", "MONITOR + nick,... | - nick,... | C | L | S\nTells when somebody comes and goes."},
    {"MOTD", "MOTD\nThe message of the day."},
    {"NAMES", "NAMES #channel\nWho is in a channel."},
    {"NICK", "NICK name\nChanges your name."},
    {"NOTICE", "NOTICE target :text\nA message that is never answered by a program."},
    {"OPER", "OPER name password\nMakes you an operator of the server."},
    {"PART", "PART #channel[,#channel...] [:reason]\nLeaves channels."},
    {"PASS", "PASS password\nThe password of the server, before NICK and USER."},
    {"PING", "PING text\nThe server answers PONG, when all before it is done."},
    {"PONG", "PONG text\nThe answer to a PING of the server."},
    {"PRIVMSG", "PRIVMSG target[,target...] :text\nSays something to channels or people."},
    {"QUIT", "QUIT [:reason]\nEnds the connection."},
    {"REDACT", "REDACT target msgid [:reason]\nTakes a message back."},
    {"REHASH", "REHASH\nFor operators: reads the configuration again."},
    {"RENAME", "RENAME #channel #name [:reason]\nGives a channel another name."},
    {"SETNAME", "SETNAME :real name\nChanges your real name."},
    {"STATS", "STATS u\nHow long the server has been up."},
    {"TAGMSG", "TAGMSG target\nSends client-only tags alone."},
    {"TIME", "TIME\nThe time of the server."},
    {"TOPIC", "TOPIC #channel [:text]\nShows or changes the topic."},
    {"USER", "USER name 0 * :real name\nSays who you are, with NICK."},
    {"USERHOST", "USERHOST nick...\nHosts of up to five people."},
    {"VERSION", "VERSION\nWhich server this is, and what it supports."},
    {"WALLOPS", "WALLOPS :text\nFor operators: tells all who have mode w."},
    {"WHO", "WHO mask [o] [%fields[,token]]\nLists people."},
    {"WHOIS", "WHOIS nick\nTells about somebody."},
    {"WHOWAS", "WHOWAS nick [count]\nTells about somebody who has left."},
};
#define SUBJECT_COUNT (sizeof(subjects) / sizeof(subjects[0]))

static void send_lines(struct irc_session *irc, struct irc_span subject, const char *text)
{
    enum irc_numeric numeric = IRC_RPL_HELPSTART;
    while (*text) {
        size_t len = strcspn(text, "\n");
        irc_numeric_text(irc, numeric, &subject, 1, irc_span_of(text, len));
        numeric = IRC_RPL_HELPTXT;
        text += len + (text[len] == '\n');
    }
    irc_numeric_text(irc, IRC_RPL_ENDOFHELP, &subject, 1, irc_span("End of /HELP"));
}

static void send_index(struct irc_session *irc)
{
    struct text_out text = {0};
    text_out_adds(&text, "HELP subject tells more about one of these:\n");
    for (size_t i = 0; i < SUBJECT_COUNT; i++) {
        text_out_adds(&text, subjects[i].subject);
        text_out_adds(&text, i % 8 == 7 ? "\n" : " ");
    }
    text_out_add(&text, "", 1);
    send_lines(irc, irc_span("index"), text.data);
    text_out_finish(&text);
}

static bool do_help(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    if (message->param_count == 0 || message->params[0].len == 0 ||
        irc_span_is_nocase(message->params[0], "index")) {
        send_index(irc);
        return true;
    }
    for (size_t i = 0; i < SUBJECT_COUNT; i++) {
        if (irc_span_is_nocase(message->params[0], subjects[i].subject)) {
            send_lines(irc, message->params[0], subjects[i].text);
            return true;
        }
    }
    irc_reply(irc, IRC_ERR_HELPNOTFOUND, message->params[0]);
    return true;
}

const struct irc_command irc_help_commands[] = {
    {.name = "HELP", .fn = do_help, .when = IRC_AFTER, .cost = 1, .is_local = true},
    {.name = "HELPOP", .fn = do_help, .when = IRC_AFTER, .cost = 1, .is_local = true},
    {.name = NULL},
};
