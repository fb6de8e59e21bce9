/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/name.h"
#include "core/people.h"

#define GUEST_NAME_CAP 24

/* What is told of a session whose front says nothing of it. */
#define DEFAULT_USER "guest"
#define DEFAULT_HOST "unknown"

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
    if ((holder != NULL && holder != self) || claim_is_reserved(hub, &key)) {
        *ret_refusal = (struct refusal){ERROR_NAME_TAKEN, 0};
    } else {
        label = label_create(clean, len, &key);
    }
    label_key_finish(&key);
    if (label != NULL && claim_is_alike(hub, label, self)) {
        *ret_refusal = (struct refusal){ERROR_NAME_ALIKE, 0};
        free(label);
        return NULL;
    }
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
        bool is_free = member_by_key(hub, &key) == NULL && !claim_is_reserved(hub, &key);
        struct label *label = is_free ? label_create(name, len, &key) : NULL;
        label_key_finish(&key);
        if (label != NULL && !claim_is_alike(hub, label, NULL)) {
            return label;
        }
        free(label);
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

static struct record_field field_or(struct record_field field, const char *fallback)
{
    return field.len > 0 ? field : (struct record_field){fallback, strlen(fallback)};
}

/* The record that came with the command: user, shown host, real name. */
static void describe(const struct apply *apply, struct member *member)
{
    const struct command *command = apply->command;
    struct record_in in = {command->extra, command->extra_len};
    struct record_field fields[3];
    (void)record_next(&in, fields, 3);
    struct record_field user = field_or(fields[0], DEFAULT_USER);
    struct record_field host = field_or(fields[1], DEFAULT_HOST);
    size_t user_len = apply_fit(user.text, user.len, USER_MAX_BYTES);
    size_t host_len = apply_fit(host.text, host.len, HOST_MAX_BYTES);
    member->source = xmalloc(user_len + 1 + host_len + 1);
    memcpy(member->source, user.text, user_len);
    member->source[user_len] = '@';
    memcpy(member->source + user_len + 1, host.text, host_len);
    member->source[user_len + 1 + host_len] = '\0';
    member->real_name = xmemdup0(fields[2].text, apply_fit(fields[2].text, fields[2].len,
                                                           apply->hub->limits.real_name_bytes));
}

/* Makes the member that the command begins, and welcomes it. Owns: the label goes to the member. */
static struct member *begin_session(struct apply *apply, struct label *label)
{
    const struct command *command = apply->command;
    struct member *member =
        member_create(command->session, label, command->text,
                      apply_fit(command->text, command->text_len, HOST_MAX_BYTES));
    describe(apply, member);
    member->identity = label_identity(apply->hub->identity_seed, command->session);
    member->since_ms = apply->time_ms;
    member->spoke_ms = apply->time_ms;
    member->is_secure = (command->flags & COMMAND_FLAG_SECURE) != 0;
    journal_add_member(apply->hub, member);

    struct event_parts welcome = apply_to_session(apply, EVENT_WELCOME, member->session);
    parts_set_actor(&welcome, member);
    apply_yield(apply, &welcome);
    people_arrived(apply, member);
    return member;
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
    struct member *member = begin_session(apply, label);
    if (refusal.code != 0) {
        apply_refuse(apply, refusal.code, command->target, command->target_len, refusal.count);
    }
    apply_go_in(apply, member, open_lobby(apply));
}

void apply_register(struct apply *apply)
{
    const struct command *command = apply->command;
    struct refusal refusal = {0};
    struct label *label = claim_name(apply, NULL, &refusal);
    if (label == NULL) {
        apply_refuse(apply, refusal.code, command->target, command->target_len, refusal.count);
        return;
    }
    (void)begin_session(apply, label);
}

void apply_yield_to_rooms(struct apply *apply, struct member *member, struct event_parts *parts)
{
    uint32_t *rooms = xcalloc(member->room_count, sizeof(*rooms));
    for (uint32_t i = 0; i < member->room_count; i++) {
        rooms[i] = member_room(member, i)->room->id;
    }
    parts->audience = AUDIENCE_ROOMS;
    parts->rooms = rooms;
    parts->room_count = member->room_count;
    apply_yield(apply, parts);
    free(rooms);
}

static void yield_quit(struct apply *apply, struct member *member, const char *reason,
                       size_t reason_len)
{
    if (member->room_count == 0) {
        return;
    }
    struct event_parts quit = apply_to_session(apply, EVENT_QUIT, member->session);
    for (uint32_t i = 0; i < member->room_count; i++) {
        uint32_t count = member_room(member, i)->room->member_count;
        quit.count = count > quit.count ? count : quit.count;
    }
    parts_set_actor(&quit, member);
    parts_set_text(&quit, reason, reason_len);
    apply_yield_to_rooms(apply, member, &quit);
}

void apply_end_session(struct apply *apply, struct member *member, struct event_parts *goodbye)
{
    parts_set_actor(goodbye, member);
    apply_yield(apply, goodbye);
    yield_quit(apply, member, goodbye->text, goodbye->text_len);
    while (member->room_count > 0) {
        apply_take_out(apply, member, member->room_count - 1);
    }
    people_left(apply, member);
    journal_remove_member(apply->hub, member);
}

void apply_quit(struct apply *apply)
{
    const struct command *command = apply->command;
    struct event_parts goodbye = apply_to_session(apply, EVENT_GOODBYE, command->session);
    goodbye.code = GOODBYE_QUIT;
    parts_set_text(&goodbye, command->text,
                   apply_fit(command->text, command->text_len, apply->hub->limits.reason_bytes));
    apply_end_session(apply, apply->member, &goodbye);
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
    struct event_parts renamed = apply_to_session(apply, EVENT_RENAMED, member->session);
    parts_set_actor(&renamed, member);
    parts_set_target(&renamed, label->text, label->len);
    if (strcmp(label->text, member->label->text) == 0) {
        /* Nothing changes, so nobody else is told; the member is, as an answer. */
        renamed.audience = AUDIENCE_ROOMS;
        apply_yield(apply, &renamed);
        free(label);
        return;
    }
    apply_yield_to_rooms(apply, member, &renamed);
    const struct label *old_label = member->label;
    journal_rename(apply->hub, member, label);
    people_renamed(apply, member, old_label);
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
    bool is_self = target == apply->member;
    struct event_parts goodbye = apply_to_session(apply, EVENT_GOODBYE, target->session);
    goodbye.code = GOODBYE_KICKED;
    /* Without a reason it is the bare word. */
    parts_set_text(&goodbye, reason, given > 0 ? prefix_len + given : strlen("kicked"));
    apply_end_session(apply, target, &goodbye);
    free(reason);
    if (!is_self) {
        apply_done(apply);
    }
}
