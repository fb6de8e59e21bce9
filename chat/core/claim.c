/* SPDX-License-Identifier: MIT */
#include "core/hub_internal.h"

/* Which names are nobody's to take, and which look too much like another. */

bool claim_is_reserved(const struct hub *hub, const struct label_key *key)
{
    for (struct label *const *label = hub->service_labels; *label != NULL; label++) {
        if (label_is(*label, key)) {
            return true;
        }
    }
    return label_is(hub->you_label, key) ||
           (hub->server_label != NULL && label_is(hub->server_label, key));
}

bool claim_is_alike(const struct hub *hub, const struct label *label, const struct member *self)
{
    for (struct label *const *service = hub->service_labels; *service != NULL; service++) {
        if (label_has_skeleton_of(*service, label)) {
            return true;
        }
    }
    return member_alike(hub, label, self) != NULL || label_has_skeleton_of(hub->you_label, label) ||
           (hub->server_label != NULL && label_has_skeleton_of(hub->server_label, label));
}

bool claim_is_room_alike(const struct hub *hub, const struct label *label, const struct room *self)
{
    if (room_alike(hub, label, self) != NULL) {
        return true;
    }
    /* The lobby may not be there yet. */
    return label_compare(hub->lobby_label, label) != 0 && label_is_alike(hub->lobby_label, label);
}
