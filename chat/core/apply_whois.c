/* SPDX-License-Identifier: MIT */
#include "core/people.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/name.h"
#include "core/sight.h"
#include "core/whowas.h"

/* Who somebody is or was: WHOIS and WHOWAS. */

#define WHOWAS_NAMES_MAX 20

/* The modes that everybody may know of; the others are the user's own affair. */
#define MODES_FOR_ALL (USER_OPERATOR | USER_BOT)

static void put_person(struct record_out *out, const struct apply *apply, const struct sight *sight,
                       const struct member *member)
{
    char letters[USER_MODE_LETTERS_MAX];
    bool is_close = sight_has_host(sight, member);
    people_mode_letters(is_close ? member->modes : member->modes & MODES_FOR_ALL, letters);
    people_put_name(out, member->label);
    people_put_source(out, member->source);
    people_put_text(out, member->real_name);
    people_put_host(out, member, is_close);
    record_put_number(out, people_idle_s(apply, member));
    record_put_number(out, (uint64_t)member->since_ms / 1000);
    record_put(out, "", 0); /* no accounts */
    people_put_text(out, member->away);
    record_puts(out, letters);
    record_puts(out, member->is_secure ? "1" : "");
    people_put_text(out, member->operator_name);
    record_end(out);
}

static void put_rooms(struct record_out *out, const struct sight *sight,
                      const struct member *member)
{
    for (uint32_t i = 0; i < member->room_count; i++) {
        const struct membership *membership = member_room(member, i);
        if (sight_has_both(sight, member, membership->room)) {
            record_puts(out, apply_prefixes(membership->ranks));
            people_put_name(out, membership->room->label);
            record_end(out);
        }
    }
}

void apply_whois(struct apply *apply)
{
    const struct command *command = apply->command;
    const struct member *member = member_by_name(apply->hub, command->target, command->target_len);
    if (member == NULL) {
        apply_refuse(apply, ERROR_NO_SUCH_NAME, command->target, command->target_len, 0);
        return;
    }
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_WHOIS, command->session);
    struct record_out out = {0};
    struct sight sight;
    sight_init(&sight, apply);
    put_person(&out, apply, &sight, member);
    put_rooms(&out, &sight, member);
    sight_finish(&sight);
    parts_set_target(&parts, member->label->text, member->label->len);
    apply_yield_records(apply, &parts, &out);
}

static void put_past(struct record_out *out, const struct past *past)
{
    record_puts(out, past->name);
    people_put_source(out, past->source);
    record_puts(out, past->real_name);
    record_put_number(out, (uint64_t)past->left_ms / 1000);
    record_end(out);
}

/* Those of the names, which are parted by commas, that are names. Returns: how many keys. */
static uint32_t take_names(const struct hub *hub, const char *list, size_t len,
                           struct label_key keys[WHOWAS_NAMES_MAX])
{
    char clean[NAME_CEILING_BYTES + 1];
    size_t clean_len;
    uint32_t count = 0;
    for (size_t at = 0; at < len && count < WHOWAS_NAMES_MAX;) {
        const char *comma = memchr(list + at, ',', len - at);
        size_t end = comma != NULL ? (size_t)(comma - list) : len;
        if (name_user(list + at, end - at, NAME_CEILING_BYTES, clean, &clean_len) == NAME_OK &&
            label_key_init(&keys[count], hub->hash_seed, clean, clean_len)) {
            count++;
        }
        at = end + 1;
    }
    return count;
}

static bool is_one_of(const struct past *past, const struct label_key *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (whowas_is(past, &keys[i])) {
            return true;
        }
    }
    return false;
}

void apply_whowas(struct apply *apply)
{
    const struct command *command = apply->command;
    const struct hub *hub = apply->hub;
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_WHOWAS, command->session);
    struct record_out out = {0};
    struct label_key keys[WHOWAS_NAMES_MAX];
    uint32_t key_count = take_names(hub, command->target, command->target_len, keys);
    uint64_t most = command->value == 0 ? UINT64_MAX : command->value;
    for (uint32_t i = 0; i < hub->whowas.count && key_count > 0 && out.count < most; i++) {
        const struct past *past = whowas_at(hub, i);
        if (is_one_of(past, keys, key_count)) {
            put_past(&out, past);
        }
    }
    for (uint32_t i = 0; i < key_count; i++) {
        label_key_finish(&keys[i]);
    }
    parts_set_target(&parts, command->target,
                     apply_fit(command->target, command->target_len,
                               WHOWAS_NAMES_MAX * (NAME_CEILING_BYTES + 1)));
    apply_yield_records(apply, &parts, &out);
}
