/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "front/irc/irc_internal.h"

/*
 * RPL_ISUPPORT: what this server has, at most 13 tokens a line (Modern IRC). A token stands here
 * only while what it says is true.
 */

#define TOKENS_A_LINE 13
#define TOKENS_MAX    48
#define TOKEN_CAP     160

struct tokens {
    char text[TOKENS_MAX][TOKEN_CAP];
    size_t count;
};

static void add(struct tokens *tokens, const char *format, ...) PARTY_PRINTF(2, 3);

static void add(struct tokens *tokens, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (tokens->count < TOKENS_MAX) {
        (void)vsnprintf(tokens->text[tokens->count++], TOKEN_CAP, format, args);
    }
    va_end(args);
}

static void add_names(struct tokens *tokens, const struct front_settings *settings)
{
    add(tokens, "NETWORK=%s", settings->network);
    add(tokens, "CASEMAPPING=ascii");
    add(tokens, "UTF8ONLY");
    add(tokens, "CHANTYPES=#");
    add(tokens, "PREFIX=(ov)@+");
    add(tokens, "STATUSMSG=@+");
    add(tokens, "NICKLEN=%u", settings->nick_max);
    add(tokens, "CHANNELLEN=%u", settings->room_max + 1);
    add(tokens, "TOPICLEN=%u", settings->topic_max);
    add(tokens, "KICKLEN=%u", settings->kick_max);
    add(tokens, "AWAYLEN=%u", settings->away_max);
    add(tokens, "NAMELEN=%u", (unsigned)REAL_NAME_MAX_BYTES);
    add(tokens, "HOSTLEN=%u", (unsigned)SHARD_CLOAK_MAX - 1);
    add(tokens, "USERLEN=%u", (unsigned)USER_MAX_BYTES);
    add(tokens, "KEYLEN=%u", (unsigned)KEY_MAX_BYTES);
    add(tokens, "LINELEN=%u", (unsigned)IRC_BODY_MAX_BYTES);
}

static void add_rooms(struct tokens *tokens, const struct front_settings *settings)
{
    if (settings->rooms_per_member > 0) {
        add(tokens, "CHANLIMIT=#:%" PRIu32, settings->rooms_per_member);
    } else {
        add(tokens, "CHANLIMIT=#:");
    }
    add(tokens, "CHANMODES=%s,%s,%s,%s", IRC_LIST_MODES, IRC_ALWAYS_MODES, IRC_WHEN_ON_MODES,
        IRC_FLAG_MODES);
    add(tokens, "MAXLIST=%s:%u", IRC_LIST_MODES, (unsigned)MASKS_MAX);
    add(tokens, "MODES=%u", (unsigned)IRC_MODES_A_LINE);
    add(tokens, "EXCEPTS=e");
    add(tokens, "INVEX=I");
    add(tokens, "EXTBAN=,am");
    add(tokens, "ACCOUNTEXTBAN=a");
    add(tokens, "ELIST=CMNTU");
    add(tokens, "SAFELIST");
}

static void add_commands(struct tokens *tokens, const struct front_settings *settings)
{
    add(tokens,
        "TARGMAX=INVITE:1,JOIN:,KICK:%u,LIST:,MONITOR:,NAMES:%u,NOTICE:%u,"
        "PART:,PRIVMSG:%u,TAGMSG:%u,WHOIS:%u,WHOWAS:%u",
        (unsigned)IRC_TARGETS_MAX, (unsigned)IRC_TARGETS_MAX, (unsigned)IRC_TARGETS_MAX,
        (unsigned)IRC_TARGETS_MAX, (unsigned)IRC_TARGETS_MAX, (unsigned)IRC_TARGETS_MAX,
        (unsigned)IRC_TARGETS_MAX);
    add(tokens, "MAXTARGETS=%u", (unsigned)IRC_TARGETS_MAX);
    if (settings->monitor_max > 0) {
        add(tokens, "MONITOR=%" PRIu32, settings->monitor_max);
    } else {
        add(tokens, "MONITOR");
    }
    add(tokens, "WHOX");
    add(tokens, "BOT=B");
    if (settings->history_enabled) {
        add(tokens, "CHATHISTORY=%u", settings->chathistory_max);
        add(tokens, "MSGREFTYPES=msgid,timestamp");
    }
}

void irc_send_isupport(struct irc_session *irc)
{
    struct tokens tokens = {.count = 0};
    const struct front_settings *settings = shard_settings(irc->base.shard);
    add_names(&tokens, settings);
    add_rooms(&tokens, settings);
    add_commands(&tokens, settings);
    for (size_t from = 0; from < tokens.count; from += TOKENS_A_LINE) {
        struct irc_span spans[TOKENS_A_LINE];
        size_t count = 0;
        for (; count < TOKENS_A_LINE && from + count < tokens.count; count++) {
            spans[count] = irc_span(tokens.text[from + count]);
        }
        irc_numeric(irc, IRC_RPL_ISUPPORT, spans, count);
    }
}
