/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_WATCH_H
#define CHAT_CORE_WATCH_H

#include "core/hub_internal.h"

/*
 * Who watches which names (MONITOR). A watch is there as long as somebody watches its name, whether
 * a user is called so or not; it is found by the folded name, so that an arrival asks nobody who
 * does not wait for it. Each side knows its place at the other.
 *
 * These functions change the state and remember nothing: commands go through journal_watch and
 * journal_unwatch.
 */
struct watch {
    struct label *label; /* as the first one who watched it wrote it */
    struct member **watchers;
    uint32_t count, cap;
};

struct watching {
    struct watch *watch;
    uint32_t index; /* the member's place among the watchers */
};

/* What one member watches, in the order of asking. */
struct watches {
    uint32_t count, cap;
    struct watching items[];
};

/** Owns: the label goes to the watch. */
struct watch *watch_create(struct label *label);
void watch_destroy(struct watch *watch);
uint32_t watch_hash(const void *watch);
struct watch *watch_by_key(const struct hub *hub, const struct label_key *key);
struct watch *watch_by_label(const struct hub *hub, const struct label *label);
/** How many names the member watches. */
uint32_t watch_count(const struct member *member);
/** Whether it watches this name, and the place among all it watches (ret_at may be NULL). */
bool watch_find(const struct member *member, const struct watch *watch, uint32_t *ret_at);
/** Puts both together: the member at watcher_at, the watch at watching_at. */
void watch_join(struct member *member, struct watch *watch, uint32_t watcher_at,
                uint32_t watching_at);
void watch_leave(struct member *member, uint32_t watching_at);
/** Ends all a member watches, with the watches that nobody is left of. Outside of batches. */
void watch_finish(struct hub *hub, struct member *member);

#endif
