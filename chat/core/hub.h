/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_HUB_H
#define CHAT_CORE_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/command.h"
#include "core/event.h"

/*
 * The hub: the rules and the state of the chat. It owns rooms, members and names, applies commands
 * one after the other and yields events. A deterministic machine: no system call, no clock, no
 * random source, no pointer order; the same inputs give the same state and the same events.
 *
 *     hub_begin(hub);
 *     for each waiting command:
 *         number += hub_apply(hub, command, now_ms, number, &events);
 *     if (log_commit(log, &events) == 0) {
 *         hub_commit(hub);                    release the events
 *     } else {
 *         hub_rollback(hub);                  drop the events: the state is as before hub_begin
 *         hub_set_log_fault(hub, "why");      apply the same commands once more in a new batch:
 *     }                                       what must be stored is refused, the rest is done
 *
 * Everything a batch changes is written to an undo journal first, so that hub_rollback restores
 * exactly the state before it.
 *
 * Threads: one.
 */
struct hub;

/* 0 in a field means its default in limit.h. */
struct hub_limits {
    uint32_t nick_bytes, room_bytes, text_bytes, topic_bytes, reason_bytes;
    uint32_t rooms, rooms_per_member;
    uint32_t recent; /* messages kept per room for who enters, fewer of long ones
                        (RECENT_MEAN_BYTES); UINT32_MAX: none */
    uint32_t away_bytes, real_name_bytes, key_bytes;
    uint32_t masks;                            /* in the lists of a room, together */
    uint32_t monitor;                          /* names one user may watch */
    uint32_t whowas;                           /* users remembered who left */
    uint32_t multiline_bytes, multiline_lines; /* of a message of several lines */
};

struct hub_settings {
    const char *lobby;       /* the room everybody enters first; NULL: "lobby" */
    const char *server_name; /* the actor of notices; NULL: "server" */
    struct hub_limits limits;
    uint64_t identity_seed; /* other with each start: makes the identities of sessions in the log */
    uint64_t hash_seed; /* chosen by chance it keeps peers from choosing names that collide in the
                           look-up tables; shows in no state and no event */
};

struct hub *hub_create(const struct hub_settings *settings);
/** NULL is accepted. */
void hub_destroy(struct hub *hub);

/** Takes new limits (a reread configuration); what exists already stays. Not within a batch. */
void hub_set_limits(struct hub *hub, const struct hub_limits *limits);

/* ---- what was before: from the log, before the first batch or between two ---- */

/** Sets the time of the last event, so that time never runs back. */
void hub_restore_time(struct hub *hub, int64_t last_time_ms);

/**
 * Puts a room in place as the log knows it. id is the room's for ever.
 * Returns: 0; -EEXIST when the id or the folded name is there already; -EINVAL for a bad name.
 */
int hub_restore_room(struct hub *hub, uint32_t id, const char *name, const char *topic,
                     const char *topic_actor, int64_t topic_time_ms, uint64_t last_seq);

/** The "user@host" of who set the room's topic, when it has one and that is known. */
void hub_restore_topic_source(struct hub *hub, uint32_t id, const char *source);

/**
 * What of a room's history was written behind closed doors: messages up to this seq are for nobody
 * who comes now. After hub_restore_room.
 */
void hub_restore_sealed(struct hub *hub, uint32_t id, uint64_t sealed_seq);

/**
 * The id of a room whose last messages the hub has not been given yet although the log has some,
 * and that command would enter (JOIN) or that the lobby is (ENTER); 0 when there is nothing to do.
 */
uint32_t hub_wants_recent(const struct hub *hub, const struct command *command);

/** Gives the room its last messages, oldest first; references are taken. */
void hub_restore_recent(struct hub *hub, uint32_t room_id, struct event *const *events,
                        size_t count);

/* ---- batches ---- */

void hub_begin(struct hub *hub);

/**
 * Applies one command at time_ms (raised to the last event's time when less) and puts what it
 * yields at the end of out. Durable events get the numbers number, number + 1, ...
 * Bad commands (unknown session, bad target) yield EVENT_ERROR or nothing, never a fault.
 * A session's COMMAND_ENTER comes first; one for a session that is there already is ignored, as is
 * anything for a session that is not.
 * What is not plain from command.h:
 *   - COMMAND_ENTER with a name it cannot have: EVENT_WELCOME with a guest name, then EVENT_ERROR.
 *     The server's name and "you" are taken, and so are names that services have elsewhere.
 *   - A name that looks like another one that is taken: ERROR_NAME_ALIKE; skeleton.h says when it
 *     does. The same for rooms.
 *   - COMMAND_NICK to the name one has: EVENT_RENAMED for nobody but the session.
 *   - COMMAND_JOIN with COMMAND_FLAG_MOVE out of several rooms into one of them only leaves the
 * others.
 *   - COMMAND_KICK: EVENT_GOODBYE and EVENT_QUIT say "kicked", or "kicked: " and the reason.
 *   - Reasons that are too long are cut, never refused. A topic of spaces clears it.
 *   - A session of AUTHORITY_OPERATOR need not have entered for COMMAND_GET_TOPIC, COMMAND_WHO,
 *     COMMAND_ROOMS, the operators' commands, and what operators do to a room; a room must be named
 *     then.
 *   - A room begins a life when somebody enters it while nobody is in it: it has the modes n and t,
 *     and who enters is its operator. The lobby has n alone and no operator. All that is set ends
 *     when nobody is in it any more, invitations too. If it was invite-only, secret or had a key
 *     meanwhile, what was said up to then is sealed (EVENT_SEALED): for nobody who comes later.
 *   - Who may do what is authority.h's table. For a room one may not see, the answer is that there
 *     is none; for COMMAND_NAMES, COMMAND_LIST and what only lives with a room, also for a room
 * that nobody is in.
 *   - COMMAND_JOIN is refused for a ban, then as invite-only, then for the key, then as full. An
 *     invitation opens an invite-only room; one by who may change the room's modes passes a ban and
 *     the limit too. None stands for the key. It is used up by entering.
 *   - COMMAND_MODE: each change is made or refused by itself, what changed is told in one event; a
 *     key is replaced by another without further ado.
 *   - A room nobody is in stays known when it has messages or a topic; else it is forgotten.
 *   - EVENT_REPLY_WHO is in the order of the folded names, EVENT_REPLY_ROOMS in that of the rooms'
 * ids, EVENT_REPLY_CLIENTS in that of the sessions. Returns: how many numbers were used.
 */
unsigned hub_apply(struct hub *hub, const struct command *command, int64_t time_ms, uint64_t number,
                   struct event_list *out);

/** Keeps what was done since hub_begin. */
void hub_commit(struct hub *hub);

/** Undoes what was done since hub_begin. */
void hub_rollback(struct hub *hub);

/**
 * While set, commands that would yield durable events yield ERROR_NOT_STORED with this text
 * instead. NULL ends that. The text is copied. Not part of the state that hub_rollback restores.
 */
void hub_set_log_fault(struct hub *hub, const char *why);

/* ---- looking at it ---- */

size_t hub_member_count(const struct hub *hub);
size_t hub_room_count(const struct hub *hub);

/** A hash over the whole state, equal for equal states: for replay tests. */
uint64_t hub_digest(const struct hub *hub);

/** Checks every invariant. Returns: NULL; else what is wrong, a static string. For tests. */
const char *hub_check(const struct hub *hub);

#endif
