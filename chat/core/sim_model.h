/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_SIM_MODEL_H
#define CHAT_CORE_SIM_MODEL_H

#include "core/hub.h"

/*
 * What somebody knows of the chat who is told every event: a second, plain account of it that the
 * hub's own must agree with. It also plays the log: it keeps the last messages of each room.
 */

#define MODEL_SESSIONS     64
#define MODEL_ROOMS        256
#define MODEL_MEMBER_ROOMS 16
#define MODEL_RECENT       5
#define MODEL_WATCHED      3 /* names */
#define MODEL_TEXT_BYTES   2048

struct model_session {
    bool is_here;
    char name[256];
    uint32_t rooms[MODEL_MEMBER_ROOMS]; /* places in the model's rooms, in the order of joining */
    uint8_t ranks[MODEL_MEMBER_ROOMS];  /* in these rooms */
    uint32_t room_count;
    bool invited[MODEL_ROOMS];  /* by places in the model's rooms */
    bool let_past[MODEL_ROOMS]; /* an operator invited it: no limit */
    char user_modes[8];
    char away[64];
    char watched[MODEL_WATCHED][256];
    uint32_t watched_count;
};

struct model_room {
    bool is_known;
    uint32_t id;
    uint32_t member_count;
    uint64_t last_seq;
    char name[256];
    char topic[MODEL_TEXT_BYTES];
    char topic_actor[256];
    int64_t topic_time_ms;
    struct event *recent[MODEL_RECENT]; /* oldest first */
    uint32_t recent_count;
    char modes[16]; /* letters without parameter */
    char key[64];
    uint32_t limit;
    uint32_t list_counts[3]; /* of b, e and I */
    bool was_closed;
    uint64_t sealed_seq; /* nobody who comes now is shown more */
    uint64_t log_sealed; /* what the log was told of that */
};

struct model {
    struct model_session sessions[MODEL_SESSIONS];
    struct model_room rooms[MODEL_ROOMS];
    uint32_t greatest_room_id;
    uint32_t rooms_used; /* of the array; a forgotten room's place is used again */
    uint64_t next_number;
    int64_t last_time_ms;
    const struct command *command;                    /* whose events are followed */
    const struct event *goodbye;                      /* awaits its EVENT_QUIT; NULL: none */
    struct model_session leaver;                      /* as it was at the goodbye */
    const struct event *private_to;                   /* awaits its EVENT_PRIVATE_OF; NULL: none */
    uint64_t event_hash;                              /* over all events and all that is in them */
    unsigned owed_online, owed_offline, owed_watched; /* events that are due to who watches */
    unsigned wallops;                                 /* told so far, of one command */
    uint64_t counts[EVENT_TYPE_COUNT];
    uint64_t error_counts[ERROR_CODE_COUNT];
};

void model_init(struct model *model);
void model_finish(struct model *model);
/** All sessions end without a word, and rooms without anything stored with them: a restart. */
void model_restart(struct model *model);

/** Follows what one command yielded. Returns: NULL; else what is wrong. */
const char *model_follow(struct model *model, const struct command *command,
                         struct event *const *events, size_t count);

/** Compares with the hub, which is asked as an operator would. Returns: NULL; else what differs. */
const char *model_compare(struct model *model, struct hub *hub);

/** Whether the event goes to all rooms of the session and no others. Returns: NULL; else what is
 * wrong. */
const char *model_check_rooms(const struct model *model, const struct model_session *session,
                              const struct event *event);

/** A hash over all that is in an event. */
uint64_t model_hash_event(uint64_t hash, const struct event *event);

#endif
