/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/name.h"

#define GUEST_NAME_CAP 24

/* Why a wanted name is refused; code 0: it is not. */
struct refusal {
    uint8_t code;
    uint64_t count;
};

/* The label of the name the command wants, or NULL and why not. self may keep its own name. */
static struct label *claim_name(const struct apply *apply, const struct member *self,
                                struct refusal *ret_refusal)
{
    const struct hub *hub = apply->hub;
    char clean[NAME_CEILING_BYTES + 1];
    size_t len;
    struct label_key key;
    enum name_fault fault = name_user(apply->command->target, apply->command->target_len,
                                      hub->limits.nick_bytes, clean, &len);
    if (fault == NAME_LONG) {
        *ret_refusal = (struct refusal){ERROR_NAME_LONG, hub->limits.nick_bytes};
        return NULL;
    }
    if (fault != NAME_OK || !label_key_init(&key, hub->hash_seed, clean, len)) {
        *ret_refusal = (struct refusal){ERROR_NAME_BAD, 0};
        return NULL;
    }
    const struct member *holder = member_by_key(hub, &key);
    struct label *label = NULL;
    if ((holder != NULL && holder != self) || label_is(hub->you_label, &key) ||
        (hub->server_label != NULL && label_is(hub->server_label, &key))) {
        *ret_refusal = (struct refusal){ERROR_NAME_TAKEN, 0};
    } else {
        label = label_create(clean, len, &key);
    }
    label_key_finish(&key);
    return label;
}

static struct label *claim_guest_name(const struct hub *hub)
{
    uint32_t guest = guest_set_lowest_free(&hub->guests);
    for (;; guest++) {
        char name[GUEST_NAME_CAP];
        struct label_key key;
        size_t len = label_guest_name(guest, name, sizeof(name));
        if (!label_key_init(&key, hub->hash_seed, name, len)) {
            abort(); /* a name of ASCII letters always folds */
        }
        /* Past the numbers that the set keeps, and should the server itself be called so, the next
         * one is tried. */
        bool is_free = member_by_key(hub, &key) == NULL &&
                       (hub->server_label == NULL || !label_is(hub->server_label, &key));
        struct label *label = is_free ? label_create(name, len, &key) : NULL;
        label_key_finish(&key);
        if (label != NULL) {
            return label;
        }
    }
}

static struct room *open_lobby(struct apply *apply)
{
    struct hub *hub = apply->hub;
    if (hub->lobby != NULL) {
        return hub->lobby;
    }
    struct label_key key;
    const struct label *lobby = hub->lobby_label;
    if (!label_key_init(&key, hub->hash_seed, lobby->text, lobby->len)) {
        abort(); /* it was made of this name */
    }
    struct room *room = apply_new_room(apply, label_create(lobby->text, lobby->len, &key));
    label_key_finish(&key);
    return room;
}

void apply_enter(struct apply *apply)
{
    const struct command *command = apply->command;
    struct refusal refusal = {0};
    struct label *label = NULL;
    if (command->target_len > 0) {
        label = claim_name(apply, NULL, &refusal);
    }
    if (label == NULL) {
        label = claim_guest_name(apply->hub);
    }
    struct member *member =
        member_create(command->session, label, command->text,
                      apply_fit(command->text, command->text_len, HOST_MAX_BYTES));
    journal_add_member(apply->hub, member);

    struct event_parts welcome = apply_to_session(apply, EVENT_WELCOME, member->session);
    parts_set_actor(&welcome, member);
    apply_yield(apply, &welcome);
    if (refusal.code != 0) {
        apply_refuse(apply, refusal.code, command->target, command->target_len, refusal.count);
    }
    apply_go_in(apply, member, open_lobby(apply));
}

/* The ids of the member's rooms, in fresh memory. */
static uint32_t *list_rooms(const struct member *member)
{
    uint32_t *rooms = xcalloc(member->room_count, sizeof(*rooms));
    for (uint32_t i = 0; i < member->room_count; i++) {
        rooms[i] = member_room(member, i)->room->id;
    }
    return rooms;
}

static void yield_quit(struct apply *apply, const struct member *member, const char *reason,
                       size_t reason_len)
{
    if (member->room_count == 0) {
        return;
    }
    uint32_t *rooms = list_rooms(member);
    struct event_parts quit = {.type = EVENT_QUIT,
                               .audience = AUDIENCE_ROOMS,
                               .session = member->session,
                               .time_ms = apply->time_ms,
                               .rooms = rooms,
                               .room_count = member->room_count};
    for (uint32_t i = 0; i < member->room_count; i++) {
        uint32_t count = member_room(member, i)->room->member_count;
        quit.count = count > quit.count ? count : quit.count;
    }
    parts_set_actor(&quit, member);
    parts_set_text(&quit, reason, reason_len);
    apply_yield(apply, &quit);
    free(rooms);
}

/* Tells the member and its rooms, and takes it out of the state. */
static void end_session(struct apply *apply, struct member *member, const char *reason,
                        size_t reason_len)
{
    struct event_parts goodbye = apply_to_session(apply, EVENT_GOODBYE, member->session);
    parts_set_actor(&goodbye, member);
    parts_set_text(&goodbye, reason, reason_len);
    apply_yield(apply, &goodbye);
    yield_quit(apply, member, reason, reason_len);
    while (member->room_count > 0) {
        journal_leave(apply->hub, member, member->room_count - 1);
    }
    journal_remove_member(apply->hub, member);
}

void apply_quit(struct apply *apply)
{
    const struct command *command = apply->command;
    end_session(apply, apply->member, command->text,
                apply_fit(command->text, command->text_len, apply->hub->limits.reason_bytes));
}

void apply_nick(struct apply *apply)
{
    const struct command *command = apply->command;
    struct member *member = apply->member;
    struct refusal refusal = {0};
    struct label *label = claim_name(apply, member, &refusal);
    if (label == NULL) {
        apply_refuse(apply, refusal.code, command->target, command->target_len, refusal.count);
        return;
    }
    struct event_parts renamed = {.type = EVENT_RENAMED,
                                  .audience = AUDIENCE_ROOMS,
                                  .session = member->session,
                                  .time_ms = apply->time_ms,
                                  .target = label->text,
                                  .target_len = label->len};
    parts_set_actor(&renamed, member);
    if (strcmp(label->text, member->label->text) == 0) {
        /* Nothing changes, so nobody else is told; the member is, as an answer. */
        apply_yield(apply, &renamed);
        free(label);
        return;
    }
    uint32_t *rooms = list_rooms(member);
    renamed.rooms = rooms;
    renamed.room_count = member->room_count;
    apply_yield(apply, &renamed);
    free(rooms);
    journal_rename(apply->hub, member, label);
}

void apply_kick(struct apply *apply)
{
    static const char prefix[] = "kicked: ";
    const struct command *command = apply->command;
    struct member *target = member_by_name(apply->hub, command->target, command->target_len);
    if (target == NULL) {
        apply_refuse(apply, ERROR_NO_SUCH_NAME, command->target, command->target_len, 0);
        return;
    }
    size_t given = apply_fit(command->text, command->text_len, apply->hub->limits.reason_bytes);
    size_t prefix_len = sizeof(prefix) - 1;
    char *reason = xmalloc(prefix_len + given + 1);
    memcpy(reason, prefix, prefix_len);
    memcpy(reason + prefix_len, command->text, given);
    /* Without a reason it is the bare word. */
    size_t reason_len = given > 0 ? prefix_len + given : strlen("kicked");
    bool is_self = target == apply->member;
    end_session(apply, target, reason, reason_len);
    free(reason);
    if (!is_self) {
        struct event_parts done = apply_to_session(apply, EVENT_REPLY_DONE, command->session);
        apply_yield(apply, &done);
    }
}
