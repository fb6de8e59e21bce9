/* SPDX-License-Identifier: MIT */
#include "chat_irc_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A command as it was typed: words are cut off args as they are needed. */
struct typed {
    char *args;
};

struct command {
    const char *name;
    void (*run)(struct chat_irc *irc, struct typed *typed);
    const char *usage; /* NULL: another name of the command above */
    const char *help;
    bool is_local; /* the server hears nothing of it, and it works without one */
};

/* The next word; "" at the end. */
static char *next_word(struct typed *typed)
{
    char *word = typed->args + strspn(typed->args, " ");
    size_t len = strcspn(word, " ");
    typed->args = word + len;
    if (typed->args[0] != '\0') {
        *typed->args++ = '\0';
    }
    return word;
}

static char *rest(struct typed *typed)
{
    return typed->args + strspn(typed->args, " ");
}

/* The room that is meant: the first word when it names one, else the current. NULL: told. */
static const char *room_or_current(struct chat_irc *irc, struct typed *typed)
{
    if (chat_irc_is_room(irc, irc_span(rest(typed)))) {
        return next_word(typed);
    }
    if (irc->current && !irc->current->is_person) {
        return irc->current->name;
    }
    chat_irc_tell(irc, "You are not in a room; /join ROOM enters one.");
    return NULL;
}

/* ---- rooms ---- */

static void run_join(struct chat_irc *irc, struct typed *typed)
{
    char *list = next_word(typed), *key = next_word(typed);
    if (list[0] == '\0') {
        chat_irc_tell(irc, "/join ROOM[,ROOM...] [KEY]");
        return;
    }
    for (char *state = NULL, *item = strtok_r(list, ",", &state); item;
         item = strtok_r(NULL, ",", &state)) {
        char name[CHAT_IRC_ROOM_MAX_BYTES + 2];
        bool marked = chat_irc_is_room(irc, irc_span(item));
        (void)snprintf(name, sizeof name, "%s%.*s", marked ? "" : "#", CHAT_IRC_ROOM_MAX_BYTES,
                       item);
        struct chat_irc_room *room = chat_irc_room_add(irc, irc_span(name));
        if (!room) {
            chat_irc_tell(irc, "That is no room, or you are in too many.");
            return;
        }
        chat_irc_copy(room->key, sizeof room->key, irc_span(key));
        if (!room->is_in) {
            chat_irc_room_join(irc, room);
        }
        chat_irc_room_select(irc, room);
    }
}

static void run_part(struct chat_irc *irc, struct typed *typed)
{
    if (irc->current && irc->current->is_person && rest(typed)[0] == '\0') {
        chat_irc_room_remove(irc, irc->current);
        return;
    }
    const char *room = room_or_current(irc, typed);
    if (room) {
        chat_irc_send(irc, rest(typed)[0] ? rest(typed) : NULL, "PART", room, NULL);
    }
}

static void run_switch(struct chat_irc *irc, struct typed *typed)
{
    char *name = next_word(typed), marked[CHAT_IRC_ROOM_MAX_BYTES + 2];
    if (irc->room_count == 0) {
        chat_irc_tell(irc, "You are in no room; /join ROOM enters one.");
        return;
    }
    if (name[0] == '\0') {
        size_t at = 0;
        while (irc->rooms[at] != irc->current && at + 1 < irc->room_count) {
            at++;
        }
        chat_irc_room_select(irc, irc->rooms[(at + 1) % irc->room_count]);
        return;
    }
    struct chat_irc_room *room = chat_irc_room_find(irc, irc_span(name));
    (void)snprintf(marked, sizeof marked, "#%.*s", CHAT_IRC_ROOM_MAX_BYTES, name);
    room = room ? room : chat_irc_room_find(irc, irc_span(marked));
    if (room) {
        chat_irc_room_select(irc, room);
    } else {
        chat_irc_tell(irc, "You are not in %s; /join enters it.", name);
    }
}

static void run_names(struct chat_irc *irc, struct typed *typed)
{
    const char *room = room_or_current(irc, typed);
    if (room) {
        irc->names_asked = true;
        chat_irc_send(irc, NULL, "NAMES", room, NULL);
    }
}

static void run_who(struct chat_irc *irc, struct typed *typed)
{
    if (rest(typed)[0] == '\0') {
        run_names(irc, typed);
    } else {
        chat_irc_send(irc, NULL, "WHO", next_word(typed), NULL);
    }
}

static void run_topic(struct chat_irc *irc, struct typed *typed)
{
    const char *room = room_or_current(irc, typed);
    const char *text = rest(typed);
    if (room) {
        chat_irc_send(irc,
                      text[0] == '\0'          ? NULL
                      : strcmp(text, "-") == 0 ? ""
                                               : text,
                      "TOPIC", room, NULL);
    }
}

static void run_list(struct chat_irc *irc, struct typed *typed)
{
    const char *mask = next_word(typed);
    chat_irc_send(irc, NULL, "LIST", mask[0] ? mask : NULL, NULL);
}

static void run_history(struct chat_irc *irc, struct typed *typed)
{
    unsigned long count = strtoul(rest(typed), NULL, 10);
    if (!irc->current) {
        chat_irc_tell(irc, "You are not in a room; /join ROOM enters one.");
        return;
    }
    chat_irc_room_history(irc, irc->current,
                          count == 0       ? CHAT_IRC_ON_JOIN
                          : count > 100000 ? 100000
                                           : (unsigned)count);
}

static void run_invite(struct chat_irc *irc, struct typed *typed)
{
    const char *nick = next_word(typed), *room = room_or_current(irc, typed);
    if (room) {
        chat_irc_send(irc, NULL, "INVITE", nick, room, NULL);
    }
}

static void run_kick(struct chat_irc *irc, struct typed *typed)
{
    const char *room = room_or_current(irc, typed);
    if (room) {
        const char *nick = next_word(typed);
        chat_irc_send(irc, rest(typed)[0] ? rest(typed) : NULL, "KICK", room, nick, NULL);
    }
}

/* ---- people ---- */

static void run_nick(struct chat_irc *irc, struct typed *typed)
{
    irc->nick_asked = false;
    chat_irc_send(irc, NULL, "NICK", next_word(typed), NULL);
}

/* Returns: NULL when it is told that nobody is named, or nothing is said. */
static const char *take_person(struct chat_irc *irc, struct typed *typed, const char *usage)
{
    const char *nick = next_word(typed);
    if (nick[0] == '\0' || rest(typed)[0] == '\0') {
        chat_irc_tell(irc, "%s", usage);
        return NULL;
    }
    return nick;
}

static void run_msg(struct chat_irc *irc, struct typed *typed)
{
    const char *nick = take_person(irc, typed, "/msg NAME TEXT");
    if (nick) {
        chat_irc_say(irc, nick, rest(typed), false, false);
    }
}

static void run_notice(struct chat_irc *irc, struct typed *typed)
{
    const char *nick = take_person(irc, typed, "/notice NAME TEXT");
    if (nick) {
        chat_irc_say(irc, nick, rest(typed), false, true);
    }
}

static void run_query(struct chat_irc *irc, struct typed *typed)
{
    const char *nick = next_word(typed);
    if (nick[0] == '\0') {
        chat_irc_tell(irc, "/query NAME");
        return;
    }
    struct chat_irc_room *room = chat_irc_room_add(irc, irc_span(nick));
    if (!room) {
        chat_irc_tell(irc, "You talk to too many already.");
        return;
    }
    chat_irc_room_select(irc, room);
    if (rest(typed)[0] != '\0') {
        chat_irc_say(irc, room->name, rest(typed), false, false);
    }
}

static void run_me(struct chat_irc *irc, struct typed *typed)
{
    if (!irc->current || rest(typed)[0] == '\0') {
        chat_irc_tell(irc, "/me TEXT, in a room");
    } else {
        chat_irc_say(irc, irc->current->name, rest(typed), true, false);
    }
}

static void run_whois(struct chat_irc *irc, struct typed *typed)
{
    const char *nick = next_word(typed);
    chat_irc_send(irc, NULL, "WHOIS", nick[0] ? nick : irc->nick, NULL);
}

static void run_away(struct chat_irc *irc, struct typed *typed)
{
    chat_irc_send(irc, rest(typed)[0] ? rest(typed) : NULL, "AWAY", NULL);
}

static void run_time(struct chat_irc *irc, struct typed *typed)
{
    (void)typed;
    chat_irc_send(irc, NULL, "TIME", NULL);
}

static void run_raw(struct chat_irc *irc, struct typed *typed)
{
    char line[IRC_BODY_MAX_BYTES + 1];
    int len = snprintf(line, sizeof line, "%.*s\r\n", IRC_BODY_MAX_BYTES - 2, rest(typed));
    if (len > 2) {
        irc->events->on_send(line, (size_t)len, irc->user);
    }
}

static void run_help(struct chat_irc *irc, struct typed *typed);

static const struct command commands[] = {
    {"join", run_join, "ROOM [KEY]", "enter a room; you may be in several", false},
    {"j", run_join, NULL, NULL, false},
    {"leave", run_part, "[ROOM]", "leave a room", false},
    {"part", run_part, NULL, NULL, false},
    {"switch", run_switch, "[ROOM]", "speak in another room; /s for the next one", true},
    {"s", run_switch, NULL, NULL, true},
    {"query", run_query, "NAME", "speak to one person; /leave ends it", true},
    {"nick", run_nick, "NAME", "change your name", false},
    {"me", run_me, "TEXT", "say what you do", true},
    {"msg", run_msg, "NAME TEXT", "tell one person only", true},
    {"notice", run_notice, "NAME TEXT", "the same as a notice", true},
    {"who", run_who, "[NAME]", "list who is in the room; look somebody up", false},
    {"names", run_names, "[ROOM]", "list who is in a room", false},
    {"whois", run_whois, "[NAME]", "what the server knows of somebody", false},
    {"topic", run_topic, "[TEXT | -]", "show, set or clear the room's topic", false},
    {"list", run_list, "[MASK]", "list the rooms", false},
    {"rooms", run_list, NULL, NULL, false},
    {"history", run_history, "[N]", "the last N lines, where the server keeps them", false},
    {"away", run_away, "[TEXT]", "say that you are away; without TEXT, back", false},
    {"invite", run_invite, "NAME [ROOM]", "invite somebody", false},
    {"kick", run_kick, "[ROOM] NAME [REASON]", "put somebody out of the room", false},
    {"time", run_time, "", "the server's time", false},
    {"raw", run_raw, "LINE", "send a line of IRC as it is", false},
    {"quote", run_raw, NULL, NULL, false},
    {"help", run_help, "", "this list", true},
};

static void run_help(struct chat_irc *irc, struct typed *typed)
{
    (void)typed;
    chat_irc_tell(irc, "What you type is said to the room. Or type:");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char form[48];
        if (commands[i].usage) {
            (void)snprintf(form, sizeof form, "/%s %s", commands[i].name, commands[i].usage);
            chat_irc_tell(irc, "  %-24s %s", form, commands[i].help);
        }
    }
    chat_irc_tell(irc, "  %-24s %s", "//text", "says \"/text\"");
    chat_irc_tell(irc, "  %-24s %s", "/quit [REASON]", "leave; so does \"quit\" alone");
}

static void run_command(struct chat_irc *irc, const char *typed)
{
    char copy[TEXT_CEILING_BYTES + 1];
    (void)snprintf(copy, sizeof copy, "%s", typed + 1);
    struct typed parts = {.args = copy};
    const char *name = next_word(&parts);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcasecmp(name, commands[i].name) != 0) {
            continue;
        }
        if (commands[i].is_local) {
            commands[i].run(irc, &parts);
        } else if (irc->phase > IRC_REGISTERING) {
            commands[i].run(irc, &parts);
            if (irc->strict && !irc->is_closing) {
                chat_irc_fence_command(irc);
            }
        } else {
            chat_irc_tell(irc, "Not connected: %.200s was not sent.", typed);
            irc->events->on_refused("not connected", irc->user);
        }
        return;
    }
    chat_irc_tell(irc, "There is no command /%.100s. /help lists them; //%.100s says it.", name,
                  name);
    irc->events->on_refused("there is no such command", irc->user);
}

bool chat_irc_will_show(const struct chat_irc *irc, const char *typed)
{
    bool is_said = typed[0] != '/' || (typed[1] == '/' && typed[2] != '\0') ||
                   chat_typed_is(typed, "me", NULL);
    return is_said && irc->current && irc->phase == IRC_READY;
}

void chat_irc_submit(struct chat_irc *irc, const char *typed)
{
    if (typed[0] == '/' && typed[1] != '/') {
        run_command(irc, typed);
        return;
    }
    if (!irc->current) {
        chat_irc_tell(irc, "You are not in a room; /join ROOM enters one.");
        irc->events->on_refused("there is no room to say it in", irc->user);
        return;
    }
    if (irc->phase != IRC_READY && irc->has_entered) {
        chat_irc_tell(irc, "Not connected: this is sent as soon as that is.");
    }
    chat_irc_say(irc, irc->current->name, typed[0] == '/' ? typed + 1 : typed, false, false);
}
