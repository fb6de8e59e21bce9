/* SPDX-License-Identifier: MIT */
#include "witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "front/irc/cap.h"
#include "witness_line.h"

#define check(witness, line, promise)                                                              \
    do {                                                                                           \
        if (!(promise)) {                                                                          \
            witness_fail(__FILE__, __LINE__, #promise, (witness)->nick, (line)->text,              \
                         (line)->len);                                                             \
        }                                                                                          \
    } while (0)

static void copy(char ret[WITNESS_NAME], struct irc_span span)
{
    size_t len = span.len < WITNESS_NAME - 1 ? span.len : WITNESS_NAME - 1;
    memcpy(ret, span.text ? span.text : "", len);
    ret[len] = '\0';
}

const struct witness_room *witness_find(const struct witness *witness, const char *room)
{
    for (unsigned i = 0; i < witness->room_count; i++) {
        if (strcasecmp(witness->rooms[i].name, room) == 0) {
            return &witness->rooms[i];
        }
    }
    return NULL;
}

static struct witness_room *room_of(struct witness *witness, struct irc_span span)
{
    char name[WITNESS_NAME];
    copy(name, span);
    const struct witness_room *room = witness_find(witness, name);
    return room ? &witness->rooms[room - witness->rooms] : NULL;
}

static int place_of(const struct witness_room *room, const char *nick)
{
    for (unsigned i = 0; i < room->count; i++) {
        if (strcmp(room->members[i], nick) == 0) {
            return (int)i;
        }
    }
    return -1;
}

bool witness_has(const struct witness_room *room, const char *nick)
{
    return place_of(room, nick) >= 0;
}

static void add_member(struct witness_room *room, const char *nick)
{
    if (room->count < WITNESS_MEMBERS) {
        (void)snprintf(room->members[room->count++], WITNESS_NAME, "%s", nick);
    }
}

/* Returns: false when it was not there. */
static bool drop_member(struct witness_room *room, const char *nick)
{
    int place = place_of(room, nick);
    if (place < 0) {
        return false;
    }
    if ((unsigned)place != --room->count) {
        memcpy(room->members[place], room->members[room->count], WITNESS_NAME);
    }
    return true;
}

static void drop_room(struct witness *witness, struct witness_room *room)
{
    const struct witness_room *last = &witness->rooms[--witness->room_count];
    if (room != last) {
        *room = *last;
    }
}

/* ---- membership ---- */

/* One line, taken apart. */
struct heard {
    const char *text;
    size_t len;
    struct irc_message message;
    char who[WITNESS_NAME]; /* the nick it is from, or the server's name */
    bool is_me, is_server;
};

static void on_join(struct witness *witness, const struct heard *line)
{
    const struct irc_message *message = &line->message;
    struct witness_room *room = room_of(witness, message->params[0]);
    bool is_extended = (witness->caps & IRC_CAP(EXTENDED_JOIN)) != 0;
    check(witness, line, message->param_count == (is_extended ? 3 : 1));
    if (line->is_me) {
        check(witness, line, !room && witness->room_count < WITNESS_ROOMS);
        room = &witness->rooms[witness->room_count++];
        *room = (struct witness_room){.awaits_names = true};
        copy(room->name, message->params[0]);
    }
    check(witness, line, room && !witness_has(room, line->who));
    add_member(room, line->who);
}

static void on_leave(struct witness *witness, const struct heard *line, struct irc_span nick)
{
    char name[WITNESS_NAME];
    struct witness_room *room = room_of(witness, line->message.params[0]);
    copy(name, nick);
    if (!room && line->is_me && strcmp(name, witness->nick) != 0) {
        return; /* an operator of the server, from outside the room */
    }
    check(witness, line, room && (drop_member(room, name) || room->awaits_names));
    if (strcmp(name, witness->nick) == 0) {
        drop_room(witness, room);
    }
}

static void on_kick(struct witness *witness, const struct heard *line)
{
    check(witness, line, line->message.param_count == 3);
    on_leave(witness, line, line->message.params[1]);
}

static void on_part(struct witness *witness, const struct heard *line)
{
    const struct irc_span nick = {line->who, strlen(line->who)};
    on_leave(witness, line, nick);
}

static void on_quit(struct witness *witness, const struct heard *line)
{
    bool was_seen = false;
    for (unsigned i = 0; i < witness->room_count; i++) {
        was_seen |= witness->rooms[i].awaits_names;
        was_seen |= drop_member(&witness->rooms[i], line->who);
    }
    check(witness, line, was_seen && !line->is_me);
}

static void on_nick(struct witness *witness, const struct heard *line)
{
    char name[WITNESS_NAME];
    bool was_seen = line->is_me;
    copy(name, line->message.params[0]);
    for (unsigned i = 0; i < witness->room_count; i++) {
        struct witness_room *room = &witness->rooms[i];
        was_seen |= room->awaits_names;
        if (drop_member(room, line->who)) {
            was_seen = true;
            check(witness, line, !witness_has(room, name));
            add_member(room, name);
        }
    }
    check(witness, line, was_seen);
    if (line->is_me) {
        (void)snprintf(witness->nick, sizeof(witness->nick), "%s", name);
    }
}

static void on_rename(struct witness *witness, const struct heard *line)
{
    struct witness_room *room = room_of(witness, line->message.params[0]);
    check(witness, line, witness->caps & IRC_CAP(CHANNEL_RENAME));
    check(witness, line, (room || line->is_me) && line->message.param_count == 3);
    if (!room) {
        return; /* as with KICK */
    }
    copy(room->name, line->message.params[1]);
}

/* The names of a room; of one the client is in they are no news once it has been told them. */
static void on_names(struct witness *witness, const struct heard *line)
{
    struct witness_room *room = room_of(witness, line->message.params[2]);
    const char *at = line->message.params[3].text;
    check(witness, line, line->message.param_count == 4);
    const char *end = at + line->message.params[3].len;
    while (room && at < end) {
        char name[WITNESS_NAME];
        const char *space = memchr(at, ' ', (size_t)(end - at));
        const char *stop = space ? space : end;
        while (at < stop && (*at == '@' || *at == '+')) {
            at++;
        }
        const char *mark = memchr(at, '!', (size_t)(stop - at));
        check(witness, line, !mark == !(witness->caps & IRC_CAP(USERHOST_IN_NAMES)));
        copy(name, (struct irc_span){at, (size_t)((mark ? mark : stop) - at)});
        if (!witness_has(room, name)) {
            check(witness, line, room->awaits_names);
            add_member(room, name);
        }
        at = space ? space + 1 : end;
    }
}

static void on_names_end(struct witness *witness, const struct heard *line)
{
    struct witness_room *room = room_of(witness, line->message.params[1]);
    if (room) {
        room->awaits_names = false;
    }
}

/* ---- capabilities ---- */

static void set_caps(struct witness *witness, const struct heard *line, struct irc_span list)
{
    while (list.len > 0) {
        const char *space = memchr(list.text, ' ', list.len);
        struct irc_span item = {list.text, space ? (size_t)(space - list.text) : list.len};
        list.text += item.len + (space != NULL);
        list.len -= item.len + (space != NULL);
        bool is_off = item.len > 0 && item.text[0] == '-';
        item.text += is_off;
        item.len -= is_off;
        uint32_t bit = witness_cap(item);
        check(witness, line, bit != 0 || item.len == 0);
        witness->caps = is_off ? witness->caps & ~bit : witness->caps | bit;
    }
}

static void on_cap(struct witness *witness, const struct heard *line)
{
    check(witness, line, line->message.param_count >= 3);
    if (irc_span_is(line->message.params[1], "ACK")) {
        set_caps(witness, line, line->message.params[line->message.param_count - 1]);
    }
}

/* ---- batches and labels ---- */

static struct witness_batch *batch_of(struct witness *witness, struct irc_span reference)
{
    for (unsigned i = 0; i < witness->batch_count; i++) {
        if (irc_span_is(reference, witness->batches[i].reference)) {
            return &witness->batches[i];
        }
    }
    return NULL;
}

static void on_batch(struct witness *witness, const struct heard *line, struct irc_span outer)
{
    const struct irc_message *message = &line->message;
    struct irc_span reference = {message->params[0].text + 1, message->params[0].len - 1};
    struct witness_batch *batch = batch_of(witness, reference);
    check(witness, line, message->params[0].len > 1 && reference.len < 64);
    if (message->params[0].text[0] == '-') {
        check(witness, line, batch && message->param_count == 1);
        *batch = witness->batches[--witness->batch_count];
        return;
    }
    check(witness, line, message->params[0].text[0] == '+' && message->param_count >= 2);
    check(witness, line, !batch && witness->batch_count < WITNESS_BATCHES);
    const struct witness_batch *around = outer.text ? batch_of(witness, outer) : NULL;
    batch = &witness->batches[witness->batch_count++];
    *batch = (struct witness_batch){
        .is_history =
            irc_span_is(message->params[1], "chathistory") || (around && around->is_history),
    };
    memcpy(batch->reference, reference.text, reference.len);
}

static void on_label(struct witness *witness, const struct heard *line, struct irc_span label)
{
    unsigned number = 0;
    if (!witness_number(label, 'l', &number)) {
        return; /* a line that was made up has one of its own */
    }
    check(witness, line, number < witness->labels_sent);
    check(witness, line, number < WITNESS_LABELS && !witness->was_answered[number]);
    witness->was_answered[number] = true;
}

/* ---- messages ---- */

/* Who is sent a message is in the room, or the one it is for; the sender only with its echo. */
static void on_message(struct witness *witness, const struct heard *line)
{
    struct irc_span target = line->message.params[0];
    bool is_tags = irc_span_is(line->message.command, "TAGMSG");
    check(witness, line, line->message.param_count == (is_tags ? 1 : 2));
    if (line->is_server) {
        return;
    }
    /* Without batches, what comes from the history does not show that it does. */
    check(witness, line,
          !line->is_me || irc_span_is(target, witness->nick) ||
              witness->caps & IRC_CAP(ECHO_MESSAGE) || !(witness->caps & IRC_CAP(BATCH)));
    if (target.len > 1 && (target.text[0] == '@' || target.text[0] == '+')) {
        target.text++;
        target.len--;
    }
    if (target.text[0] == '#') {
        check(witness, line, line->is_me || room_of(witness, target));
    } else if (!line->is_me && witness->caps & IRC_CAP(BATCH)) {
        check(witness, line, irc_span_is(target, witness->nick));
    }
}

/* ---- which line it is ---- */

struct reaction {
    const char *command;
    void (*fn)(struct witness *witness, const struct heard *line);
    uint8_t least; /* parameters */
    bool is_told;  /* in history too it is as it is told: nothing is done for what is in history */
    int needs;     /* enum irc_cap_index, or -1 */
};

static void nothing(struct witness *witness, const struct heard *line)
{
    (void)witness;
    (void)line;
}

static void on_error(struct witness *witness, const struct heard *line)
{
    (void)line;
    witness->is_over = true;
}

static void on_welcome(struct witness *witness, const struct heard *line)
{
    check(witness, line, !witness->is_registered);
    witness->is_registered = true;
    copy(witness->nick, line->message.params[0]);
}

static const struct reaction reactions[] = {
    {"JOIN", on_join, 1, false, -1},
    {"PART", on_part, 1, false, -1},
    {"KICK", on_kick, 3, false, -1},
    {"QUIT", on_quit, 1, false, -1},
    {"NICK", on_nick, 1, false, -1},
    {"PRIVMSG", on_message, 2, false, -1},
    {"NOTICE", on_message, 2, false, -1},
    {"TAGMSG", on_message, 1, false, IRC_CAP_INDEX_MESSAGE_TAGS},
    {"RENAME", on_rename, 3, false, IRC_CAP_INDEX_CHANNEL_RENAME},
    {"353", on_names, 4, true, -1},
    {"366", on_names_end, 2, true, -1},
    {"CAP", on_cap, 3, true, -1},
    {"ERROR", on_error, 1, true, -1},
    {"001", on_welcome, 2, true, -1},
    {"AWAY", nothing, 0, false, IRC_CAP_INDEX_AWAY_NOTIFY},
    {"SETNAME", nothing, 1, false, IRC_CAP_INDEX_SETNAME},
    {"REDACT", nothing, 2, false, IRC_CAP_INDEX_REDACTION},
    {"MARKREAD", nothing, 2, true, -1},
    {"BATCH", nothing, 1, true, IRC_CAP_INDEX_BATCH},
    {"ACK", nothing, 0, true, IRC_CAP_INDEX_LABELED_RESPONSE},
    {"CHATHISTORY", nothing, 3, true, -1},
    {"MODE", nothing, 2, false, -1},
    {"TOPIC", nothing, 2, false, -1},
    {"INVITE", nothing, 2, false, -1},
    {"PING", nothing, 1, true, -1},
    {"PONG", nothing, 2, true, -1},
    {"KILL", nothing, 2, true, -1},
    {"WALLOPS", nothing, 1, true, -1},
    {"FAIL", nothing, 3, true, -1},
    {"WARN", nothing, 3, true, -1},
    {"NOTE", nothing, 3, true, -1},
};

static void react(struct witness *witness, const struct heard *line, bool is_history)
{
    const struct irc_message *message = &line->message;
    bool is_numeric = message->command.text[0] >= '0' && message->command.text[0] <= '9';
    bool is_known = is_numeric;
    if (is_numeric) { /* to whom: the name it has now */
        check(witness, line, line->is_server && message->param_count >= 1);
        check(witness, line,
              irc_span_is(message->command, "001") ||
                  irc_span_is(message->params[0], witness->is_registered ? witness->nick : "*"));
    }
    for (size_t i = 0; i < sizeof(reactions) / sizeof(reactions[0]); i++) {
        const struct reaction *reaction = &reactions[i];
        if (!irc_span_is(message->command, reaction->command)) {
            continue;
        }
        is_known = true;
        check(witness, line, message->param_count >= reaction->least);
        check(witness, line,
              reaction->needs < 0 || witness->caps & (UINT32_C(1) << reaction->needs));
        if (reaction->is_told || !is_history) {
            reaction->fn(witness, line);
        }
    }
    check(witness, line, is_known);
}

static void take_source(struct witness *witness, struct heard *line)
{
    struct irc_span source = line->message.source, nick = source;
    bool may_be_bare =
        irc_span_is(line->message.command, "ERROR") || irc_span_is(line->message.command, "PING");
    check(witness, line, source.text || may_be_bare);
    if (!source.text) {
        line->is_server = true;
        return;
    }
    line->is_server = irc_span_is(source, WITNESS_SERVER);
    const char *mark = memchr(source.text, '!', source.len);
    if (mark) {
        nick.len = (size_t)(mark - source.text);
    }
    copy(line->who, nick);
    check(witness, line,
          line->is_server || irc_span_is(line->message.command, "KILL") ||
              (mark && memchr(mark, '@', source.len - nick.len)));
    line->is_me = witness->is_registered && strcmp(line->who, witness->nick) == 0;
}

void witness_read(struct witness *witness, const char *text, size_t len)
{
    struct heard line = {.text = text, .len = len};
    const char *wrong = witness_line_fault(text, len, witness->caps, &line.message);
    if (wrong) {
        witness_fail(__FILE__, __LINE__, wrong, witness->nick, text, len);
    }
    take_source(witness, &line);
    struct irc_span outer = irc_tags_find(line.message.tags, "batch");
    struct irc_span label = irc_tags_find(line.message.tags, "label");
    const struct witness_batch *batch = outer.text ? batch_of(witness, outer) : NULL;
    check(witness, &line, !outer.text || batch);
    if (label.text) {
        on_label(witness, &line, label);
    }
    react(witness, &line, batch && batch->is_history);
    if (irc_span_is(line.message.command, "BATCH")) {
        on_batch(witness, &line, outer);
    }
}

void witness_rest(const struct witness *witness)
{
    if (witness->batch_count > 0 && !witness->is_over) {
        witness_fail(__FILE__, __LINE__, "every batch ends", witness->nick,
                     witness->batches[0].reference, strlen(witness->batches[0].reference));
    }
}
