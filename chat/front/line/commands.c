/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "front/line/line_internal.h"
#include "front/shard_internal.h"
#include "wire/text.h"

/*
 * What a line user can type behind a slash, as one table. A line user is in one room at a time, as
 * one terminal shows one room; IRC is for those who want several.
 */

struct line_verb {
    const char *name;
    const char *usage; /* "" when it takes nothing */
    const char *help;
    bool needs_argument;
    bool here; /* answered by this front or by a reader: goes round by the hub first */
    void (*run)(struct line_session *line, const char *args, size_t len);
};

static const struct line_verb verbs[];

/* The first word of args and where the rest begins. */
static size_t first_word(const char *args, size_t len, size_t *ret_rest)
{
    size_t end = 0;
    while (end < len && args[end] != ' ') {
        end++;
    }
    size_t rest = end;
    while (rest < len && args[rest] == ' ') {
        rest++;
    }
    *ret_rest = rest;
    return end;
}

void line_say(struct line_session *line, enum command_type type, const char *text, size_t len)
{
    (void)session_submit(&line->base, type, NULL, 0, text, len);
}

static void run_nick(struct line_session *line, const char *args, size_t len)
{
    (void)session_submit(&line->base, COMMAND_NICK, args, len, NULL, 0);
}

static void run_join(struct line_session *line, const char *args, size_t len)
{
    size_t rest;
    size_t name_len = first_word(args, len, &rest);
    struct command_parts parts = {.type = COMMAND_JOIN,
                                  .flags = COMMAND_FLAG_MOVE,
                                  .target = args,
                                  .target_len = name_len,
                                  .extra = args + rest,
                                  .extra_len = len - rest};
    (void)session_submit_parts(&line->base, &parts);
}

/* A command about somebody in the room one is in. */
static void about_somebody(struct line_session *line, enum command_type type, const char *args,
                           size_t len)
{
    size_t rest;
    size_t name_len = first_word(args, len, &rest);
    const struct room_view *room = session_room(&line->base);
    if (!room) {
        line_printf(&line->base, "*** You are not in a room.\n");
        return;
    }
    struct command_parts parts = {.type = type,
                                  .target = room->name,
                                  .target_len = room->name_len,
                                  .extra = args,
                                  .extra_len = name_len,
                                  .text = args + rest,
                                  .text_len = len - rest};
    (void)session_submit_parts(&line->base, &parts);
}

static void run_kick(struct line_session *line, const char *args, size_t len)
{
    about_somebody(line, COMMAND_REMOVE, args, len);
}

static void run_invite(struct line_session *line, const char *args, size_t len)
{
    about_somebody(line, COMMAND_INVITE, args, len);
}

static void run_leave(struct line_session *line, const char *args, size_t len)
{
    (void)args;
    (void)len;
    const struct room_view *room = session_room(&line->base);
    const char *lobby = shard_settings(line->base.shard)->lobby;
    if (room && strcmp(room->name, lobby) == 0) {
        line_printf(&line->base, "*** You are in %s already; /quit leaves for good.\n", lobby);
        return;
    }
    run_join(line, lobby, strlen(lobby));
}

static void run_rooms(struct line_session *line, const char *args, size_t len)
{
    (void)session_submit(&line->base, COMMAND_ROOMS, args, 0, NULL, 0);
    (void)len;
}

static void run_who(struct line_session *line, const char *args, size_t len)
{
    (void)session_submit(&line->base, COMMAND_WHO, args, len, NULL, 0);
}

static void run_msg(struct line_session *line, const char *args, size_t len)
{
    size_t rest;
    size_t name_len = first_word(args, len, &rest);
    (void)session_submit(&line->base, COMMAND_PRIVATE, args, name_len, args + rest, len - rest);
}

static void run_me(struct line_session *line, const char *args, size_t len)
{
    line_say(line, COMMAND_ACTION, args, len);
}

static void run_topic(struct line_session *line, const char *args, size_t len)
{
    if (len == 0) {
        (void)session_submit(&line->base, COMMAND_GET_TOPIC, NULL, 0, NULL, 0);
        return;
    }
    if (len == 1 && args[0] == '-') {
        len = 0; /* clears it */
    }
    (void)session_submit(&line->base, COMMAND_TOPIC, NULL, 0, args, len);
}

static void run_time(struct line_session *line, const char *args, size_t len)
{
    (void)args;
    (void)len;
    struct timespec now;
    struct tm tm;
    char zone[16] = "";
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &tm)) {
        (void)strftime(zone, sizeof(zone), "%z", &tm);
    }
    line_printf(&line->base, "*** It is %s (%s).\n",
                shard_local_time(line->base.shard, (int64_t)now.tv_sec * 1000), zone);
}

static void run_quit(struct line_session *line, const char *args, size_t len)
{
    line_leave(line, len > 0 ? args : "quit", len > 0 ? len : 4);
}

static const struct line_verb *find_verb(const char *word, size_t len)
{
    for (const struct line_verb *verb = verbs; verb->name; verb++) {
        if (strlen(verb->name) == len && strncasecmp(verb->name, word, len) == 0) {
            return verb;
        }
    }
    return NULL;
}

static void help_line(struct line_session *line, const struct line_verb *verb)
{
    char head[64];
    (void)snprintf(head, sizeof(head), "/%s %s", verb->name, verb->usage);
    line_printf(&line->base, "***   %-24s %s\n", head, verb->help);
}

static void run_help(struct line_session *line, const char *args, size_t len)
{
    size_t rest;
    size_t word_len = first_word(args, len, &rest);
    if (word_len > 0 && args[0] == '/') {
        args++;
        word_len--;
    }
    const struct line_verb *one = word_len > 0 ? find_verb(args, word_len) : NULL;
    if (one) {
        help_line(line, one);
        return;
    }
    line_printf(&line->base, "*** What you type is said to the room. Or type:\n");
    for (const struct line_verb *verb = verbs; verb->name; verb++) {
        help_line(line, verb);
    }
    line_printf(&line->base, "***   %-24s %s\n", "//text", "says \"/text\"");
}

static const struct line_verb verbs[] = {
    {"nick", "NAME", "change your name", true, false, run_nick},
    {"join", "ROOM [KEY]", "go to another room; a new one is made", true, false, run_join},
    {"leave", "", "go back to the lobby", false, true, run_leave},
    {"rooms", "", "list the rooms", false, false, run_rooms},
    {"who", "[ROOM]", "list who is in the room", false, false, run_who},
    {"msg", "NAME TEXT", "tell one person only", true, false, run_msg},
    {"me", "TEXT", "say what you do: \"* alice waves\"", true, false, run_me},
    {"topic", "[TEXT | -]", "show, set or clear the room's topic", false, false, run_topic},
    {"invite", "NAME", "invite somebody to the room you are in", true, true, run_invite},
    {"kick", "NAME [REASON]", "put somebody out of the room, if you are its operator", true, true,
     run_kick},
    {"history", "[N]", "the last N lines; also: before|after NUMBER, since|until TIME", false, true,
     line_history},
    {"search", "TEXT", "find lines of this room", true, true, line_search},
    {"time", "", "the server's time", false, true, run_time},
    {"help", "[COMMAND]", "this list", false, true, run_help},
    {"quit", "[REASON]", "leave; so does \"quit\" alone, or end of file", false, false, run_quit},
    {NULL, NULL, NULL, false, false, NULL},
};

static const struct line_verb *parse(const char *text, size_t len, size_t *ret_word_len,
                                     size_t *ret_rest)
{
    *ret_word_len = first_word(text, len, ret_rest);
    return find_verb(text, *ret_word_len);
}

void line_command(struct line_session *line, const char *text, size_t len)
{
    size_t rest, word_len;
    const struct line_verb *verb = parse(text, len, &word_len, &rest);
    if (verb && !verb->here && (!verb->needs_argument || rest < len)) {
        verb->run(line, text + rest, len - rest);
        return;
    }
    line->waiting = true;
    (void)session_submit(&line->base, COMMAND_ECHO, NULL, 0, text, len);
}

void line_command_in_turn(struct line_session *line, const char *text, size_t len)
{
    size_t rest, word_len;
    const struct line_verb *verb = parse(text, len, &word_len, &rest);
    enum line_fault fault = line->fault;
    line->waiting = false;
    line->fault = LINE_OK;
    if (line->was_irc) {
        line->was_irc = false;
        line_tell_irc(line);
    } else if (fault != LINE_OK) {
        line_tell_fault(line, fault);
    } else if (!verb) {
        int shown = (int)text_cut(text, word_len, 32);
        line_printf(&line->base,
                    "*** There is no command /%.*s. /help lists them; //%.*s says it.\n", shown,
                    text, shown, text);
    } else if (verb->needs_argument && rest == len) {
        line_printf(&line->base, "*** /%s %s: %s.\n", verb->name, verb->usage, verb->help);
    } else {
        verb->run(line, text + rest, len - rest);
    }
    line_go_on(line);
}
