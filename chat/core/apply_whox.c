/* SPDX-License-Identifier: MIT */
#include "core/people.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/mask.h"
#include "core/name.h"
#include "core/sight.h"

/*
 * WHO, with all that WHOX can show. The target is a room ("#lobby"), else a name, else a mask that
 * is held against the name, user, shown host and real name of everybody and the server's name. For
 * operators of the server also against the real host.
 */

/* The members an answer is about. */
struct found {
    struct member **members;
    uint32_t count;
};

static void put_state(struct record_out *out, const struct member *member, uint8_t ranks)
{
    char state[8];
    size_t len = 0;
    state[len++] = member->away != NULL ? 'G' : 'H';
    if ((member->modes & USER_OPERATOR) != 0) {
        state[len++] = '*';
    }
    if ((member->modes & USER_BOT) != 0) {
        state[len++] = 'B';
    }
    for (const char *prefix = apply_prefixes(ranks); *prefix != '\0'; prefix++) {
        state[len++] = *prefix;
    }
    record_put(out, state, len);
}

static void put_member(struct record_out *out, const struct sight *sight,
                       const struct member *member, const struct room *room)
{
    uint8_t ranks = 0;
    if (room != NULL) {
        people_put_name(out, room->label);
        ranks = member_find_room(member, room, NULL)->ranks;
    } else {
        record_puts(out, "*");
    }
    people_put_source(out, member->source);
    people_put_host(out, member, sight_has_host(sight, member));
    people_put_name(out, member->label);
    put_state(out, member, ranks);
    record_put(out, "", 0); /* no accounts */
    record_put_number(out, people_idle_s(sight->apply, member));
    people_put_text(out, member->real_name);
    record_end(out);
}

static bool is_asked_for(const struct apply *apply, const struct member *member)
{
    return (apply->command->flags & COMMAND_FLAG_OPERS) == 0 ||
           (member->modes & USER_OPERATOR) != 0;
}

static void find_in_room(struct found *found, const struct sight *sight, const struct room *room)
{
    if (!sight_has_room(sight, room)) {
        return;
    }
    found->members = xcalloc(room->member_count, sizeof(struct member *));
    for (uint32_t i = 0; i < room->member_count; i++) {
        struct member *member = room->members[i];
        if (is_asked_for(sight->apply, member) && sight_has_both(sight, member, room)) {
            found->members[found->count++] = member;
        }
    }
}

static bool matches_text(const struct mask *mask, const char *text)
{
    size_t len = 0;
    char *folded = text != NULL ? name_fold(text, strlen(text), &len) : NULL;
    bool is_match = folded != NULL && mask_matches(mask, folded, len);
    free(folded);
    return is_match;
}

/* The user and the shown host, both out of "user@host". */
static bool matches_source(const struct mask *mask, const char *source)
{
    size_t len = 0;
    char *folded = source != NULL ? name_fold(source, strlen(source), &len) : NULL;
    if (folded == NULL) {
        return false;
    }
    const char *at = memchr(folded, '@', len);
    size_t user_len = at != NULL ? (size_t)(at - folded) : len;
    bool is_match = mask_matches(mask, folded, user_len) ||
                    (at != NULL && mask_matches(mask, at + 1, len - user_len - 1));
    free(folded);
    return is_match;
}

static bool matches_host(const struct mask *mask, const struct member *member)
{
    struct record_out host = {0};
    people_put_host(&host, member, true);
    bool is_match = matches_text(mask, host.bytes);
    record_out_finish(&host);
    return is_match;
}

static bool matches(const struct mask *mask, const struct sight *sight, const struct member *member)
{
    return mask_matches(mask, label_folded(member->label), member->label->folded_len) ||
           matches_source(mask, member->source) || matches_text(mask, member->real_name) ||
           (sight->sees_all && matches_host(mask, member));
}

static void find_by_mask(struct found *found, const struct sight *sight, const char *text,
                         size_t len)
{
    const struct hub *hub = sight->apply->hub;
    struct mask mask = {0};
    /* "0" stands for all since RFC 1459. */
    bool is_all = len == 0 || (len == 1 && (text[0] == '0' || text[0] == '*'));
    if (!is_all && !mask_init(&mask, text, len)) {
        return;
    }
    is_all = is_all || matches_text(&mask, hub->server_name);
    found->members = xcalloc(hub->member_count, sizeof(struct member *));
    for (uint32_t i = 0; i < hub->member_count; i++) {
        struct member *member = hub->members[i];
        if (is_asked_for(sight->apply, member) && sight_has_member(sight, member) &&
            (is_all || matches(&mask, sight, member))) {
            found->members[found->count++] = member;
        }
    }
    mask_finish(&mask);
}

static void find_by_name(struct found *found, const struct sight *sight, struct member *member)
{
    found->members = xcalloc(1, sizeof(struct member *));
    if (is_asked_for(sight->apply, member)) {
        found->members[found->count++] = member;
    }
}

/* Finds what the target means. Returns: the room it is, or NULL. */
static const struct room *find(struct found *found, const struct sight *sight)
{
    const struct command *command = sight->apply->command;
    const struct hub *hub = sight->apply->hub;
    if (command->target_len > 0 && command->target[0] == '#') {
        const struct room *room = room_by_name(hub, command->target, command->target_len);
        if (room != NULL) {
            find_in_room(found, sight, room);
        }
        return room;
    }
    struct member *member = member_by_name(hub, command->target, command->target_len);
    if (member != NULL) {
        find_by_name(found, sight, member);
    } else {
        find_by_mask(found, sight, command->target, command->target_len);
    }
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    const struct member *const *first = a;
    const struct member *const *second = b;
    return label_compare((*first)->label, (*second)->label);
}

void apply_whox(struct apply *apply)
{
    const struct command *command = apply->command;
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_WHOX, command->session);
    struct found found = {0};
    struct record_out out = {0};
    struct sight sight;
    sight_init(&sight, apply);
    const struct room *room = find(&found, &sight);
    if (found.count > 0) {
        qsort(found.members, found.count, sizeof(struct member *), compare_names);
    }
    for (uint32_t i = 0; i < found.count; i++) {
        put_member(&out, &sight, found.members[i], room);
    }
    free(found.members);
    sight_finish(&sight);
    parts_set_target(&parts, command->target,
                     apply_fit(command->target, command->target_len, MASK_MAX_BYTES));
    apply_yield_records(apply, &parts, &out);
}
