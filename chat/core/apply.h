/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_APPLY_H
#define CHAT_CORE_APPLY_H

#include "core/hub_internal.h"

/*
 * One command on its way through the hub: what the rules of a command get and how they answer.
 * Every rule checks all before it changes anything; a refusal leaves the state as it was.
 */
struct apply {
    struct hub *hub;
    const struct command *command;
    struct member *member; /* who asks; NULL: an operator that is no member, or COMMAND_ENTER */
    int64_t time_ms;
    uint64_t number; /* of the next durable event */
    unsigned used;   /* numbers used so far */
    struct event_list *out;
};

typedef void (*apply_fn)(struct apply *apply);

/* ---- apply.c: answers ---- */

/** Parts for an event to one session / to one room. The caller adds what else there is. */
struct event_parts apply_to_session(const struct apply *apply, enum event_type type,
                                    uint64_t session);
struct event_parts apply_to_room(const struct apply *apply, enum event_type type,
                                 const struct room *room);
void parts_set_room(struct event_parts *parts, const struct room *room);
void parts_set_actor(struct event_parts *parts, const struct member *member);
void parts_set_text(struct event_parts *parts, const char *text, size_t len);

/** Yields the event. Returns: it, borrowed from the list. */
struct event *apply_yield(struct apply *apply, const struct event_parts *parts);
/** Yields a durable event of a room, with the next numbers of the log and of the room. */
void apply_store(struct apply *apply, struct room *room, struct event_parts *parts);
/** The serial number, for event.count, of a message that is not stored. */
uint64_t apply_next_unstored(struct apply *apply);

/** Refuses the command; text and count as enum event_error says. */
void apply_refuse(struct apply *apply, enum event_error code, const char *text, size_t len,
                  uint64_t count);
/** True, and refused, while the log cannot store. */
bool apply_refuse_unstored(struct apply *apply);
/** True, and refused, when the command's text is blank or too long for a message. */
bool apply_refuse_text(struct apply *apply);

/** The room a command means, which need not be one that the member is in; NULL: refused. */
struct room *apply_known_room(struct apply *apply);
/** The room a command means and the member is in; NULL: refused. */
struct room *apply_own_room(struct apply *apply);

/** The longest part of text within max bytes that does not cut a character. */
size_t apply_fit(const char *text, size_t len, size_t max);
bool apply_is_blank(const char *text, size_t len);

/* ---- apply_session.c ---- */
void apply_enter(struct apply *apply);
void apply_quit(struct apply *apply);
void apply_nick(struct apply *apply);
void apply_kick(struct apply *apply);

/* ---- apply_room.c ---- */
void apply_join(struct apply *apply);
void apply_leave(struct apply *apply);
void apply_topic(struct apply *apply);
void apply_get_topic(struct apply *apply);
/** Puts the member into a room it is not in and tells it and the others. */
void apply_go_in(struct apply *apply, struct member *member, struct room *room);
/** Makes a room. */
struct room *apply_new_room(struct apply *apply, struct label *label);

/* ---- apply_talk.c ---- */
void apply_say(struct apply *apply);
void apply_private(struct apply *apply);
void apply_announce(struct apply *apply);

/* ---- apply_list.c ---- */
void apply_who(struct apply *apply);
void apply_rooms(struct apply *apply);
void apply_clients(struct apply *apply);
void apply_echo(struct apply *apply);

#endif
