/* SPDX-License-Identifier: MIT */
/*
 * Rooms, and what was said in them before.
 *
 * On entering, the last lines are asked for (CHATHISTORY LATEST); after an outage, all that came
 * behind the last message that was shown (AFTER), page by page. Until the answer is complete, what
 * people say in the room meanwhile is held, because what was missed stands before it. Messages are
 * told apart by their ids: what the history had is not shown again when it is released.
 *
 * The server answers a question about history with a batch that names the room, or with FAIL. One
 * question per room is on its way at a time.
 */
#include "chat_irc_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"

/* ---- the list ---- */

struct chat_irc_room *chat_irc_room_find(const struct chat_irc *irc, struct irc_span name)
{
    for (size_t i = 0; name.len > 0 && i < irc->room_count; i++) {
        if (chat_irc_same(irc, name, irc->rooms[i]->name)) {
            return irc->rooms[i];
        }
    }
    return NULL;
}

bool chat_irc_room_is_crowded(const struct chat_irc *irc, struct irc_span name)
{
    for (size_t i = 0; i < irc->room_count; i++) {
        if (irc->rooms[i]->people > CHAT_IRC_TOLD_MAX &&
            (name.len == 0 || chat_irc_same(irc, name, irc->rooms[i]->name))) {
            return true;
        }
    }
    return false;
}

struct chat_irc_room *chat_irc_room_add(struct chat_irc *irc, struct irc_span name)
{
    struct chat_irc_room *room = chat_irc_room_find(irc, name);
    if (room || irc->room_count == CHAT_IRC_ROOMS_MAX || name.len == 0 ||
        name.len > CHAT_IRC_ROOM_MAX_BYTES) {
        return room;
    }
    irc->rooms = xreallocarray(irc->rooms, irc->room_count + 1, sizeof(struct chat_irc_room *));
    room = xcalloc(1, sizeof(*room));
    chat_irc_copy(room->name, sizeof room->name, name);
    room->is_person = !chat_irc_is_room(irc, name);
    irc->rooms[irc->room_count++] = room;
    return room;
}

static void drop_held(struct chat_irc_room *room)
{
    for (size_t i = 0; i < room->held_count; i++) {
        free(room->held[i]);
    }
    free(room->held);
    room->held = NULL;
    room->held_count = 0;
}

void chat_irc_room_remove(struct chat_irc *irc, struct chat_irc_room *room)
{
    size_t at = 0;
    while (irc->rooms[at] != room) {
        at++;
    }
    irc->room_count--;
    memmove(irc->rooms + at, irc->rooms + at + 1,
            (irc->room_count - at) * sizeof(struct chat_irc_room *));
    drop_held(room);
    free(room);
    if (irc->current == room) {
        irc->current = irc->room_count > 0 ? irc->rooms[at > 0 ? at - 1 : 0] : NULL;
        irc->events->on_changed(irc->user);
    }
}

void chat_irc_room_free_all(struct chat_irc *irc)
{
    for (size_t i = 0; i < irc->room_count; i++) {
        drop_held(irc->rooms[i]);
        free(irc->rooms[i]);
    }
    free(irc->rooms);
    irc->rooms = NULL;
    irc->room_count = 0;
}

void chat_irc_room_select(struct chat_irc *irc, struct chat_irc_room *room)
{
    irc->current = room;
    irc->events->on_changed(irc->user);
}

/* ---- asking ---- */

static void format_time(int64_t time_ms, char *ret, size_t cap)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts = {0};
    (void)gmtime_r(&seconds, &parts);
    char text[32];
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(ret, cap, "timestamp=%s.%03dZ", text, (int)(time_ms % 1000));
}

static void ask(struct chat_irc *irc, struct chat_irc_room *room, enum chat_irc_ask what,
                unsigned count)
{
    char limit[16], since[160] = "*";
    room->ask = what;
    room->ask_limit = count < irc->history_max ? count : irc->history_max;
    room->answered = 0;
    room->ask_until_ms = irc->now_ms + CHAT_IRC_ANSWER_MS;
    (void)snprintf(limit, sizeof limit, "%u", room->ask_limit);
    if (what == ASK_AFTER && room->last_id[0] != '\0' && !room->ask_by_time &&
        !irc->no_msgid_refs) {
        (void)snprintf(since, sizeof since, "msgid=%s", room->last_id);
    } else if (what == ASK_AFTER) {
        format_time(room->last_ms, since, sizeof since);
    }
    chat_irc_send(irc, NULL, "CHATHISTORY", what == ASK_AFTER ? "AFTER" : "LATEST", room->name,
                  since, limit, NULL);
}

void chat_irc_room_history(struct chat_irc *irc, struct chat_irc_room *room, unsigned count)
{
    if ((irc->caps & CAP_CHATHISTORY) == 0) {
        chat_irc_tell(irc, "This server keeps no history.");
    } else if (room->ask != ASK_NOTHING) {
        chat_irc_tell(irc, "The history is on its way already.");
    } else {
        ask(irc, room, ASK_USER, count);
    }
}

void chat_irc_room_join(struct chat_irc *irc, struct chat_irc_room *room)
{
    room->is_asked = true;
    room->join_until_ms = irc->now_ms + CHAT_IRC_LOGIN_MS;
    if (room->key[0] != '\0') {
        chat_irc_send(irc, NULL, "JOIN", room->name, room->key, NULL);
    } else {
        chat_irc_send(irc, NULL, "JOIN", room->name, NULL);
    }
}

void chat_irc_room_entered(struct chat_irc *irc, struct chat_irc_room *room)
{
    room->is_in = true;
    room->is_asked = false;
    room->pages = 0;
    room->ask_by_time = false;
    if ((irc->caps & CAP_CHATHISTORY) != 0 && room->ask == ASK_NOTHING) {
        ask(irc, room, room->was_in ? ASK_AFTER : ASK_JOIN,
            room->was_in ? CHAT_IRC_PAGE : CHAT_IRC_ON_JOIN);
    }
    room->was_in = true;
    chat_irc_rooms_check(irc);
}

void chat_irc_room_refused(struct chat_irc *irc, struct chat_irc_room *room)
{
    if (!room->is_in) {
        chat_irc_room_remove(irc, room);
        chat_irc_rooms_check(irc);
    }
}

void chat_irc_rooms_refused(struct chat_irc *irc, const char *text)
{
    bool is_start = irc->phase == IRC_ENTERING && !irc->is_returning;
    for (size_t i = irc->room_count; i > 0; i--) {
        if (irc->rooms[i - 1]->is_asked) {
            chat_irc_room_remove(irc, irc->rooms[i - 1]);
        }
    }
    if (is_start) {
        irc->events->on_refused(text, irc->user);
    }
    chat_irc_rooms_check(irc);
}

/* ---- answers ---- */

static void release(struct chat_irc *irc, struct chat_irc_room *room)
{
    char **held = room->held;
    size_t count = room->held_count;
    room->held = NULL;
    room->held_count = 0;
    for (size_t i = 0; i < count; i++) {
        chat_irc_handle(irc, held[i], strlen(held[i]));
        free(held[i]);
    }
    free(held);
}

/* What is released may do anything to the list of rooms: room is not touched after it. */
static void finish(struct chat_irc *irc, struct chat_irc_room *room)
{
    room->ask = ASK_NOTHING;
    release(irc, room);
    chat_irc_rooms_check(irc);
}

void chat_irc_room_answered(struct chat_irc *irc, struct chat_irc_room *room, bool is_refused)
{
    enum chat_irc_ask what = room->ask;
    if (what == ASK_AFTER && is_refused && !room->ask_by_time && room->last_id[0] != '\0') {
        room->ask_by_time = true; /* the server does not know that message any more */
        ask(irc, room, ASK_AFTER, CHAT_IRC_PAGE);
        return;
    }
    if (what == ASK_AFTER && !is_refused && room->answered >= room->ask_limit) {
        if (++room->pages < CHAT_IRC_PAGES_MAX) {
            room->ask_by_time = false;
            ask(irc, room, ASK_AFTER, CHAT_IRC_PAGE);
            return;
        }
        chat_irc_tell_in(irc, irc_span(room->name), "More was said meanwhile than is shown here.");
    }
    if (what == ASK_USER && !is_refused) {
        chat_irc_tell_in(irc, irc_span(room->name), "%u line%s of the history.", room->answered,
                         room->answered == 1 ? "" : "s");
    }
    if (what != ASK_NOTHING) {
        finish(irc, room);
    }
}

static uint64_t hash(struct irc_span text)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < text.len; i++) {
        sum = (sum ^ (unsigned char)text.text[i]) * 1099511628211u;
    }
    return sum;
}

static bool is_seen(const struct chat_irc_room *room, uint64_t id)
{
    size_t count = room->seen_count < CHAT_IRC_SEEN_MAX ? room->seen_count : CHAT_IRC_SEEN_MAX;
    for (size_t i = 0; i < count; i++) {
        if (room->seen[i] == id) {
            return true;
        }
    }
    return false;
}

static void see(struct chat_irc_room *room, const struct chat_irc_in *in)
{
    if (in->msgid.len > 0) {
        room->seen[room->seen_count++ % CHAT_IRC_SEEN_MAX] = hash(in->msgid);
    }
    if (in->time_ms >= room->last_ms && in->msgid.len < sizeof room->last_id) {
        room->last_ms = in->time_ms;
        chat_irc_copy(room->last_id, sizeof room->last_id,
                      in->msgid.len > 0 ? in->msgid : irc_span(""));
    }
}

bool chat_irc_room_takes(struct chat_irc *irc, struct chat_irc_room *room,
                         const struct chat_irc_in *in)
{
    bool is_known = in->msgid.len > 0 && is_seen(room, hash(in->msgid));
    if (in->history) {
        room->answered++;
        if (room->ask == ASK_USER) {
            return true; /* that is what was asked for */
        }
    } else if (room->ask == ASK_JOIN || room->ask == ASK_AFTER) {
        if (room->held_count >= CHAT_IRC_HELD_MAX) {
            finish(irc, room);
        } else {
            room->held = xreallocarray(room->held, room->held_count + 1, sizeof(*room->held));
            room->held[room->held_count++] = xmemdup0(in->line, in->len);
            return false;
        }
    }
    if (!is_known) {
        see(room, in);
    }
    return !is_known;
}

void chat_irc_room_count(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct chat_irc_room *room = chat_irc_room_find(irc, irc_span(in->history->room));
    if (room) {
        room->answered++;
    }
}

/* ---- the connection ---- */

void chat_irc_rooms_lost(struct chat_irc *irc)
{
    for (size_t i = 0; i < irc->room_count; i++) {
        struct chat_irc_room *room = irc->rooms[i];
        room->ask = ASK_NOTHING;
        room->is_in = room->is_asked = false;
        drop_held(room); /* the history will bring it; it was not seen */
    }
}

void chat_irc_rooms_tick(struct chat_irc *irc)
{
    for (size_t i = 0; i < irc->room_count; i++) {
        struct chat_irc_room *room = irc->rooms[i];
        if (room->is_asked && irc->now_ms >= room->join_until_ms) {
            char text[CHAT_IRC_ROOM_MAX_BYTES + 64];
            (void)snprintf(text, sizeof text, "%s: the server did not let us in", room->name);
            chat_irc_tell(irc, "%s", text);
            irc->events->on_refused(text, irc->user);
            chat_irc_room_refused(irc, room);
            return;
        }
        if (room->ask == ASK_NOTHING || irc->now_ms < room->ask_until_ms) {
            continue;
        }
        chat_irc_tell_in(irc, irc_span(room->name), "The server did not say what it has kept.");
        finish(irc, room);
        return; /* the list may be another; the rest comes with the next tick */
    }
}

int64_t chat_irc_rooms_next_ms(const struct chat_irc *irc)
{
    int64_t first = -1;
    for (size_t i = 0; i < irc->room_count; i++) {
        const struct chat_irc_room *room = irc->rooms[i];
        if (room->is_asked && (first < 0 || room->join_until_ms < first)) {
            first = room->join_until_ms;
        }
        if (room->ask != ASK_NOTHING && (first < 0 || room->ask_until_ms < first)) {
            first = room->ask_until_ms;
        }
    }
    return first;
}

void chat_irc_rooms_check(struct chat_irc *irc)
{
    if (irc->phase != IRC_ENTERING) {
        return;
    }
    for (size_t i = 0; i < irc->room_count; i++) {
        const struct chat_irc_room *room = irc->rooms[i];
        if (room->is_asked || room->ask == ASK_AFTER || room->ask == ASK_JOIN) {
            return;
        }
    }
    irc->phase = IRC_READY;
    chat_irc_say_resume(irc);
    irc->events->on_ready(irc->user);
}
