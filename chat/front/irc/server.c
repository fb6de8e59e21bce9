/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "front/irc/irc_internal.h"

/* What the server says of itself: MOTD, VERSION, INFO, TIME, ADMIN, LINKS, STATS. */

/* Whether a parameter names this server; absent it does. Else it is told. */
static bool is_this_server(struct irc_session *irc, const struct irc_message *message, size_t at)
{
    if (message->param_count <= at || message->params[at].len == 0) {
        return true;
    }
    struct irc_span name = message->params[at];
    if (irc_span_is_nocase(name, shard_settings(irc->base.shard)->server_name) ||
        irc_span_is(name, "*") || irc_span_is_nocase(name, irc_nick(irc).text)) {
        return true;
    }
    irc_reply(irc, IRC_ERR_NOSUCHSERVER, name);
    return false;
}

static bool do_motd(struct irc_session *irc, const struct irc_line *line)
{
    const char *at = shard_settings(irc->base.shard)->motd;
    if (!is_this_server(irc, &line->message, 0)) {
        return true;
    }
    if (*at == '\0') {
        irc_reply0(irc, IRC_ERR_NOMOTD);
        return true;
    }
    irc_numeric_values(irc, IRC_RPL_MOTDSTART, NULL, 0, IRC_SPANS(irc_server_name(irc)));
    while (*at) {
        char text[IRC_BODY_MAX_BYTES];
        size_t len = strcspn(at, "\n");
        int n = snprintf(text, sizeof(text), "- %.*s", (int)len, at);
        irc_numeric_text(irc, IRC_RPL_MOTD, NULL, 0,
                         irc_span_of(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1));
        at += len + (at[len] == '\n');
    }
    irc_reply0(irc, IRC_RPL_ENDOFMOTD);
    return true;
}

static bool do_version(struct irc_session *irc, const struct irc_line *line)
{
    const struct front_settings *settings = shard_settings(irc->base.shard);
    char version[64];
    if (is_this_server(irc, &line->message, 0)) {
        int n = snprintf(version, sizeof(version), "partyline-%s", settings->version);
        irc_numeric_text(irc, IRC_RPL_VERSION,
                         IRC_SPANS(irc_span_of(version, (size_t)n), irc_server_name(irc)),
                         irc_span(settings->description));
        irc_send_isupport(irc);
    }
    return true;
}

static void info_line(struct irc_session *irc, const char *text)
{
    irc_numeric_text(irc, IRC_RPL_INFO, NULL, 0, irc_span(text));
}

static bool do_info(struct irc_session *irc, const struct irc_line *line)
{
    const struct front_settings *settings = shard_settings(irc->base.shard);
    char text[160];
    if (!is_this_server(irc, &line->message, 0)) {
        return true;
    }
    (void)snprintf(text, sizeof(text), "Partyline %s: group chat that any socket can join",
                   settings->version);
    info_line(irc, text);
    info_line(irc, "IRC, plain lines and telnet meet in the same rooms; what was shown is kept.");
    (void)snprintf(text, sizeof(text), "On-line since %s", settings->started);
    info_line(irc, text);
    irc_reply0(irc, IRC_RPL_ENDOFINFO);
    return true;
}

static bool do_time(struct irc_session *irc, const struct irc_line *line)
{
    time_t now = time(NULL);
    struct tm tm;
    char seconds[24], text[80] = "";
    if (!is_this_server(irc, &line->message, 0)) {
        return true;
    }
    if (localtime_r(&now, &tm)) {
        (void)strftime(text, sizeof(text), "%A %B %d %Y -- %H:%M:%S %z", &tm);
    }
    int n = snprintf(seconds, sizeof(seconds), "%lld", (long long)now);
    irc_numeric_text(
        irc, IRC_RPL_TIME,
        IRC_SPANS(irc_server_name(irc), irc_span_of(seconds, (size_t)n), irc_span("0")),
        irc_span(text));
    return true;
}

static bool do_admin(struct irc_session *irc, const struct irc_line *line)
{
    const struct front_settings *settings = shard_settings(irc->base.shard);
    if (is_this_server(irc, &line->message, 0)) {
        irc_reply(irc, IRC_RPL_ADMINME, irc_server_name(irc));
        irc_numeric_text(irc, IRC_RPL_ADMINLOC1, NULL, 0, irc_span(settings->network));
        irc_numeric_text(
            irc, IRC_RPL_ADMINLOC2, NULL, 0,
            irc_span(settings->description[0] ? settings->description : settings->server_name));
        irc_numeric_text(irc, IRC_RPL_ADMINEMAIL, NULL, 0,
                         irc_span("No address is given: ask an operator here"));
    }
    return true;
}

static bool do_links(struct irc_session *irc, const struct irc_line *line)
{
    const struct front_settings *settings = shard_settings(irc->base.shard);
    char text[IRC_BODY_MAX_BYTES];
    (void)line;
    int n = snprintf(text, sizeof(text), "0 %s",
                     settings->description[0] ? settings->description : settings->network);
    irc_numeric_text(irc, IRC_RPL_LINKS, IRC_SPANS(irc_server_name(irc), irc_server_name(irc)),
                     irc_span_of(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1));
    irc_reply(irc, IRC_RPL_ENDOFLINKS, irc_span("*"));
    return true;
}

static void stats_uptime(struct irc_session *irc)
{
    int64_t up_s =
        (party_loop_now_ns(shard_loop(irc->base.shard)) - irc->base.shard->began_ns) / 1000000000;
    char days[24], time[24];
    int d = snprintf(days, sizeof(days), "%lld", (long long)(up_s / 86400));
    int t = snprintf(time, sizeof(time), "%lld:%02lld:%02lld", (long long)(up_s / 3600 % 24),
                     (long long)(up_s / 60 % 60), (long long)(up_s % 60));
    irc_numeric_values(irc, IRC_RPL_STATSUPTIME, NULL, 0,
                       IRC_SPANS(irc_span_of(days, (size_t)d), irc_span_of(time, (size_t)t)));
}

static struct irc_span first_character(struct irc_span text)
{
    size_t len = text.len > 0;
    while (len > 0 && len < text.len && ((unsigned char)text.text[len] & 0xc0) == 0x80) {
        len++;
    }
    return irc_span_of(text.text, len);
}

static bool do_stats(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span letter = first_character(message->params[0]);
    if (!is_this_server(irc, message, 1)) {
        return true;
    }
    if (letter.len == 0) {
        irc_reply(irc, IRC_ERR_NEEDMOREPARAMS, irc_span("STATS"));
        return true;
    }
    if (letter.text[0] == 'u') {
        stats_uptime(irc);
    } else if (!irc->is_operator) {
        irc_reply0(irc, IRC_ERR_NOPRIVILEGES); /* all else is about others */
    }
    irc_reply(irc, IRC_RPL_ENDOFSTATS, letter);
    return true;
}

const struct irc_command irc_server_commands[] = {
    {.name = "MOTD", .fn = do_motd, .when = IRC_AFTER, .cost = 2, .is_local = true},
    {.name = "VERSION", .fn = do_version, .when = IRC_AFTER, .cost = 1, .is_local = true},
    {.name = "INFO", .fn = do_info, .when = IRC_AFTER, .cost = 1, .is_local = true},
    {.name = "TIME", .fn = do_time, .when = IRC_AFTER, .cost = 1, .is_local = true},
    {.name = "ADMIN", .fn = do_admin, .when = IRC_AFTER, .cost = 1, .is_local = true},
    {.name = "LINKS", .fn = do_links, .when = IRC_AFTER, .cost = 1, .is_local = true},
    {.name = "STATS", .fn = do_stats, .least = 1, .when = IRC_AFTER, .cost = 1, .is_local = true},
    {.name = NULL},
};
