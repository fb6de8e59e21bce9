/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_WHOWAS_H
#define CHAT_CORE_WHOWAS_H

#include "core/hub_internal.h"

/* Users who left, and names that were given up for another: the last ones, for WHOWAS. */

struct past {
    int64_t left_ms;
    uint32_t hash; /* of the folded name */
    uint32_t folded_len;
    const char *name, *folded, *source, *real_name; /* in text, each ended by a NUL */
    char text[];
};

/** Remembers the member under this name, in a batch; the oldest is forgotten for it. */
void whowas_add(struct hub *hub, const struct member *member, const struct label *label,
                int64_t left_ms);
/** The at-th of all that are remembered, the newest first; at is less than hub->whowas.count. */
const struct past *whowas_at(const struct hub *hub, uint32_t at);
bool whowas_is(const struct past *past, const struct label_key *key);
/** Keeps the newest that hub->limits.whowas lets. Outside of batches. */
void whowas_trim(struct hub *hub);
void whowas_finish(struct hub *hub);

#endif
