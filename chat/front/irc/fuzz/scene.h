/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_IRC_FUZZ_SCENE_H
#define CHAT_FRONT_IRC_FUZZ_SCENE_H

#include "core/hub.h"
#include "front/shard.h"

/*
 * What a fuzzed session plays in: a shard on a loop whose clock the script moves, the real hub, and
 * the list of durable events as the log, all in one thread. What holds the server up in life can be
 * had here: a hub that answers late, a reader that answers late, a log that cannot store.
 */

struct scene {
    struct party_loop *loop;
    struct shard *shard;
    struct hub *hub;
    struct front_settings settings;
    int64_t clock_ns;
    int64_t time_ms;
    uint64_t number; /* of the next durable event */
    struct event_list log;
    struct command *held_first, *held_last;
    struct query *held_queries;
    struct password_query *held_passwords;
    bool holds_commands; /* until scene_release */
    bool holds_answers;
    bool fails_once; /* the log cannot store what comes next */
    unsigned admitted, released;
};

void scene_open(struct scene *scene, const struct front_settings *settings,
                const struct hub_settings *hub);
/** Ends all that is open, and checks that nothing was left behind. */
void scene_close(struct scene *scene);

/** A new connection. Returns: the peer's end of it. */
int scene_connect(struct scene *scene, enum shard_entry entry);

/** Turns until nothing more happens without time or bytes from outside. */
void scene_settle(struct scene *scene);
/** Moves the clocks. */
void scene_wait_ms(struct scene *scene, int64_t ms);
/** Holds nothing any more: what was held is done, with all that comes of it. */
void scene_release(struct scene *scene);
/** Whether something is held, so that a peer may not have been told all yet. */
bool scene_is_holding(const struct scene *scene);

/** Asks the hub as an operator would. Returns: the one answer; the caller's reference. */
struct event *scene_ask(struct scene *scene, enum command_type type, const char *target);

#endif
