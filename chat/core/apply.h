/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_APPLY_H
#define CHAT_CORE_APPLY_H

#include "core/hub_internal.h"
#include "core/record.h"

/*
 * One command on its way through the hub: what the rules of a command get and how they answer.
 * Every rule checks all before it changes anything; a refusal leaves the state as it was.
 */
struct apply {
    struct hub *hub;
    const struct command *command;
    struct member *member; /* who asks; NULL: the console, or a session that begins */
    int64_t time_ms;
    uint64_t number; /* of the next durable event */
    unsigned used;   /* numbers used so far */
    struct event_list *out;
};

typedef void (*apply_fn)(struct apply *apply);

/* ---- apply.c: who may, and which room is meant ---- */

/** Whether who asks may do this in the room; membership is the asker's, NULL when outside. */
bool apply_may_as(const struct apply *apply, enum act act, const struct room *room,
                  const struct membership *membership);
/** The same, with the membership looked up. */
bool apply_may(const struct apply *apply, enum act act, const struct room *room);
/** Whether a member may do this in the room. */
bool apply_member_may(const struct member *member, enum act act, const struct room *room,
                      const struct membership *membership);
/** Whether who asks is an operator of the server, or the console. */
bool apply_may_serve(const struct apply *apply);

/** The room a command means and who asks may see (act is ACT_NAMES or ACT_ASK), be it empty. NULL:
 * refused. */
struct room *apply_seen_room(struct apply *apply, enum act act);
/** The room a command means and the member is in; NULL: refused. */
struct room *apply_own_room(struct apply *apply);
/** The room a command means and in which who asks may do this; NULL: refused. */
struct room *apply_room_for(struct apply *apply, enum act act);
/** The room of this name that has members; NULL, and refused, when there is none. */
struct room *apply_live_room(struct apply *apply, const char *name, size_t len);

/* ---- apply_answer.c: answers ---- */

/** Parts for an event to one session / to one room. The caller adds what else there is. */
struct event_parts apply_to_session(const struct apply *apply, enum event_type type,
                                    uint64_t session);
struct event_parts apply_to_room(const struct apply *apply, enum event_type type,
                                 const struct room *room);
void parts_set_room(struct event_parts *parts, const struct room *room);
/** The actor with all that is told of it. */
void parts_set_actor(struct event_parts *parts, const struct member *member);
void parts_set_text(struct event_parts *parts, const char *text, size_t len);
void parts_set_target(struct event_parts *parts, const char *target, size_t len);
/** The asker as the actor, or the server when the console asks. */
void apply_set_asker(const struct apply *apply, struct event_parts *parts);

/** Yields the event. Returns: it, borrowed from the list. */
struct event *apply_yield(struct apply *apply, const struct event_parts *parts);
/** Yields a durable event of a room, with the next numbers of the log and of the room. */
void apply_store(struct apply *apply, struct room *room, struct event_parts *parts);
/** Yields a durable event with the next number of the log: no message of a room. */
void apply_store_change(struct apply *apply, struct event_parts *parts);
/** The serial number, for event.count, of a message that is not stored. */
uint64_t apply_next_unstored(struct apply *apply);
/** Yields an answer to who asks: count and extra from the records, which it finishes. */
void apply_yield_records(struct apply *apply, struct event_parts *parts, struct record_out *out);
/** Tells who asked that it was done. */
void apply_done(struct apply *apply);
/** Tells who asked from outside the room what the room was told: parts is the room's event. */
void apply_tell_outside(struct apply *apply, const struct room *room,
                        const struct event_parts *parts);

/** Refuses the command; text and count as enum event_error says. */
void apply_refuse(struct apply *apply, enum event_error code, const char *text, size_t len,
                  uint64_t count);
/** Refuses it with the room as text. */
void apply_refuse_room(struct apply *apply, enum event_error code, const struct room *room);
/** Parts of a refusal, for what the others have no room for. */
struct event_parts apply_refusal(const struct apply *apply, enum event_error code);
/** True, and refused, while the log cannot store. */
bool apply_refuse_unstored(struct apply *apply);
/** True, and refused, when the command's text is blank or too long for a message. */
bool apply_refuse_text(struct apply *apply);

/** The longest part of text within max bytes that does not cut a character. */
size_t apply_fit(const char *text, size_t len, size_t max);
bool apply_is_blank(const char *text, size_t len);

/* ---- apply_session.c ---- */
void apply_enter(struct apply *apply);
void apply_register(struct apply *apply);
void apply_quit(struct apply *apply);
void apply_nick(struct apply *apply);
void apply_kick(struct apply *apply);
/** Ends a member's session: tells it and its rooms, and takes it out of the state. goodbye is an
 * EVENT_GOODBYE whose code, target and text are set; its text is the reason. */
void apply_end_session(struct apply *apply, struct member *member, struct event_parts *goodbye);
/** Makes the event one for all rooms of the member, and yields it. */
void apply_yield_to_rooms(struct apply *apply, struct member *member, struct event_parts *parts);

/* ---- apply_join.c ---- */
void apply_join(struct apply *apply);
/** Puts the member into a room it is not in and tells it and the others. */
void apply_go_in(struct apply *apply, struct member *member, struct room *room);
/** Makes a room. */
struct room *apply_new_room(struct apply *apply, struct label *label);
/** The label a room may be given; self, which may be NULL, may keep its own. NULL: refused. */
struct label *apply_claim_room(struct apply *apply, const char *name, size_t len,
                               const struct room *self);

/* ---- apply_room.c ---- */
void apply_leave(struct apply *apply);
void apply_topic(struct apply *apply);
void apply_get_topic(struct apply *apply);
void apply_remove(struct apply *apply);
void apply_rename_room(struct apply *apply);
/** Tells the member and its room that it goes, and takes it out. */
void apply_go_out(struct apply *apply, uint32_t room_at, enum gone_code code, const char *reason,
                  size_t reason_len);
/** Takes the member out of a room without a word; a room that is left empty ends its life. */
void apply_take_out(struct apply *apply, struct member *member, uint32_t room_at);
/** After a change of modes: when the room is closed now, what is said in this life is sealed. */
void apply_close_room(struct apply *apply, struct room *room);
/** The member of a room that a name means; NULL: refused. */
struct member *apply_other_member(struct apply *apply, const struct room *room, const char *name,
                                  size_t len);

/* ---- apply_mode.c ---- */
void apply_mode(struct apply *apply);

/* ---- apply_invite.c, apply_redact.c ---- */
void apply_invite(struct apply *apply);
void apply_redact(struct apply *apply);

/* ---- apply_names.c ---- */
void apply_names(struct apply *apply);
void apply_list(struct apply *apply);
void apply_yield_names(struct apply *apply, const struct room *room);
/** The prefixes of these ranks, the highest first: "@+". */
const char *apply_prefixes(uint8_t ranks);

/* ---- apply_talk.c ---- */
void apply_say(struct apply *apply);
void apply_announce(struct apply *apply);

/* ---- apply_private.c ---- */
void apply_private(struct apply *apply);
/** True, and refused, when the text is no message: blank, too long, or of too many lines. A message
 * of MESSAGE_TAGS needs no text. */
bool apply_refuse_message(struct apply *apply);

/* ---- apply_people.c, people.c, apply_whois.c, apply_whox.c, apply_monitor.c ---- */
void apply_oper(struct apply *apply);
void apply_away(struct apply *apply);
void apply_setname(struct apply *apply);
void apply_user_mode(struct apply *apply);
void apply_kill(struct apply *apply);
void apply_wallops(struct apply *apply);
void apply_whox(struct apply *apply);
void apply_whois(struct apply *apply);
void apply_whowas(struct apply *apply);
void apply_userhost(struct apply *apply);
void apply_ison(struct apply *apply);
void apply_monitor(struct apply *apply);
void apply_lusers(struct apply *apply);

/* ---- apply_list.c ---- */
void apply_who(struct apply *apply);
void apply_rooms(struct apply *apply);
void apply_clients(struct apply *apply);
void apply_echo(struct apply *apply);
/** The members of a room in the order of their folded names, in fresh memory. */
struct member **apply_sort_members(const struct room *room);

#endif
