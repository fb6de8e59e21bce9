/* SPDX-License-Identifier: MIT */
#include "core/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* What a user says of itself, and what the server's operators say and do to all. */

static const struct user_mode {
    char letter;
    uint8_t bit;
} user_modes[] = {
    {'i', USER_INVISIBLE},
    {'o', USER_OPERATOR},
    {'w', USER_WALLOPS},
    {'B', USER_BOT},
};

#define USER_MODE_COUNT (sizeof(user_modes) / sizeof(user_modes[0]))

void people_mode_letters(uint8_t modes, char ret_letters[USER_MODE_LETTERS_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < USER_MODE_COUNT; i++) {
        if ((modes & user_modes[i].bit) != 0) {
            ret_letters[len++] = user_modes[i].letter;
        }
    }
    ret_letters[len] = '\0';
}

/* Counts a mode that was or was not there, and is or is not now. */
static void count_mode(struct hub *hub, uint32_t *count, bool was, bool is)
{
    if (was != is) {
        journal_save(hub, count, sizeof(*count));
        *count = is ? *count + 1 : *count - 1;
    }
}

void people_set_modes(struct apply *apply, struct member *member, uint8_t modes)
{
    struct hub *hub = apply->hub;
    uint8_t old = member->modes;
    if (old == modes) {
        return;
    }
    count_mode(hub, &hub->invisible_count, old & USER_INVISIBLE, modes & USER_INVISIBLE);
    count_mode(hub, &hub->operator_count, old & USER_OPERATOR, modes & USER_OPERATOR);
    journal_save(hub, &member->modes, sizeof(member->modes));
    member->modes = modes;
    if ((modes & USER_OPERATOR) == 0 && member->operator_name != NULL) {
        journal_replace(hub, (void **)&member->operator_name, NULL, free);
    }
}

/* ---- modes ---- */

static void put_changes(struct record_out *out, char sign, uint8_t modes)
{
    for (size_t i = 0; i < USER_MODE_COUNT; i++) {
        if ((modes & user_modes[i].bit) != 0) {
            record_put(out, (char[]){sign, user_modes[i].letter}, 2);
            record_put(out, "", 0);
            record_end(out);
        }
    }
}

/* Gives the member its new modes and tells it what is different. */
static void change_modes(struct apply *apply, struct member *member, uint8_t modes)
{
    uint8_t old = member->modes;
    if (old == modes) {
        return;
    }
    people_set_modes(apply, member, modes);
    struct event_parts parts = apply_to_session(apply, EVENT_USER_MODE, member->session);
    struct record_out changes = {0};
    put_changes(&changes, '+', modes & (uint8_t)~old);
    put_changes(&changes, '-', old & (uint8_t)~modes);
    parts_set_actor(&parts, member);
    parts_set_target(&parts, member->label->text, member->label->len);
    apply_yield_records(apply, &parts, &changes);
}

static uint8_t find_mode(const struct record_field *field)
{
    for (size_t i = 0; field->len == 2 && i < USER_MODE_COUNT; i++) {
        if (field->text[1] == user_modes[i].letter) {
            return user_modes[i].bit;
        }
    }
    return 0;
}

/* The modes the changes lead to; ret_unknown is the first letter that is none, "" when all are. */
static uint8_t read_changes(const struct command *command, uint8_t modes,
                            struct record_field *ret_unknown)
{
    struct record_in in = {command->text, command->text_len};
    struct record_field field;
    *ret_unknown = (struct record_field){"", 0};
    while (record_next(&in, &field, 1)) {
        uint8_t bit = find_mode(&field);
        if (bit == 0 && field.len > 1 && ret_unknown->len == 0) {
            *ret_unknown = (struct record_field){field.text + 1, field.len - 1};
        }
        if (field.text[0] == '-') {
            modes &= (uint8_t)~bit;
        } else if (bit != USER_OPERATOR) {
            /* Nobody becomes an operator this way, and nobody is told so: RFC 2812, 3.1.5. */
            modes |= bit;
        }
    }
    return modes;
}

void apply_user_mode(struct apply *apply)
{
    const struct command *command = apply->command;
    struct member *member = apply->member;
    const struct member *target = member_by_name(apply->hub, command->target, command->target_len);
    if (target != member) {
        apply_refuse(apply, target == NULL ? ERROR_NO_SUCH_NAME : ERROR_NOT_SELF, command->target,
                     command->target_len, 0);
        return;
    }
    if (command->text_len == 0) {
        struct event_parts parts = apply_to_session(apply, EVENT_REPLY_USER_MODE, member->session);
        char letters[USER_MODE_LETTERS_MAX + 1] = "+";
        people_mode_letters(member->modes, letters + 1);
        parts_set_actor(&parts, member);
        parts_set_text(&parts, letters, strlen(letters));
        apply_yield(apply, &parts);
        return;
    }
    struct record_field unknown;
    change_modes(apply, member, read_changes(command, member->modes, &unknown));
    if (unknown.len > 0) {
        apply_refuse(apply, ERROR_MODE_UNKNOWN, unknown.text, unknown.len, 0);
    }
}

/* ---- what a user says of itself ---- */

void apply_away(struct apply *apply)
{
    const struct command *command = apply->command;
    struct member *member = apply->member;
    size_t len = apply_fit(command->text, command->text_len, apply->hub->limits.away_bytes);
    struct event_parts parts = apply_to_session(apply, EVENT_AWAY, member->session);
    parts_set_actor(&parts, member);
    parts_set_text(&parts, command->text, len);
    const char *old = member->away != NULL ? member->away : "";
    if (strlen(old) == len && memcmp(old, command->text, len) == 0) {
        /* Nothing changes, so nobody else is told; the member is, as an answer. */
        parts.audience = AUDIENCE_ROOMS;
        apply_yield(apply, &parts);
        return;
    }
    char *away = len > 0 ? xmemdup0(command->text, len) : NULL;
    journal_replace(apply->hub, (void **)&member->away, away, free);
    people_tell(apply, member, &parts);
}

void apply_setname(struct apply *apply)
{
    const struct command *command = apply->command;
    struct member *member = apply->member;
    if (apply_is_blank(command->text, command->text_len)) {
        apply_refuse(apply, ERROR_TEXT_EMPTY, "", 0, 0);
        return;
    }
    size_t len = apply_fit(command->text, command->text_len, apply->hub->limits.real_name_bytes);
    journal_replace(apply->hub, (void **)&member->real_name, xmemdup0(command->text, len), free);
    struct event_parts parts = apply_to_session(apply, EVENT_SETNAME, member->session);
    parts_set_actor(&parts, member);
    parts_set_text(&parts, command->text, len);
    people_tell(apply, member, &parts);
}

/* ---- operators of the server ---- */

void apply_oper(struct apply *apply)
{
    const struct command *command = apply->command;
    struct member *member = apply->member;
    size_t len = apply_fit(command->text, command->text_len, NAME_CEILING_BYTES);
    journal_replace(apply->hub, (void **)&member->operator_name, xmemdup0(command->text, len),
                    free);
    struct event_parts parts = apply_to_session(apply, EVENT_OPERED, member->session);
    parts_set_actor(&parts, member);
    apply_yield(apply, &parts);
    change_modes(apply, member, member->modes | USER_OPERATOR);
}

void apply_kill(struct apply *apply)
{
    const struct command *command = apply->command;
    struct member *target = member_by_name(apply->hub, command->target, command->target_len);
    if (target == NULL) {
        apply_refuse(apply, ERROR_NO_SUCH_NAME, command->target, command->target_len, 0);
        return;
    }
    struct event_parts asker = {0};
    apply_set_asker(apply, &asker);
    /* The name goes with its member, which may be who asks. */
    char *killer = xmemdup0(asker.actor, asker.actor_len);
    size_t given = apply_fit(command->text, command->text_len, apply->hub->limits.reason_bytes);
    size_t cap = asker.actor_len + given + sizeof("Killed ( ())");
    char *reason = xmalloc(cap);
    int len = given > 0
                  ? snprintf(reason, cap, "Killed (%s (%.*s))", killer, (int)given, command->text)
                  : snprintf(reason, cap, "Killed (%s)", killer);
    struct event_parts goodbye = apply_to_session(apply, EVENT_GOODBYE, target->session);
    goodbye.code = GOODBYE_KILLED;
    goodbye.extra = command->text;
    goodbye.extra_len = given;
    parts_set_target(&goodbye, killer, asker.actor_len);
    parts_set_text(&goodbye, reason, (size_t)len);
    bool is_self = target == apply->member;
    apply_end_session(apply, target, &goodbye);
    free(reason);
    free(killer);
    if (!is_self) {
        apply_done(apply);
    }
}

void apply_wallops(struct apply *apply)
{
    const struct command *command = apply->command;
    const struct hub *hub = apply->hub;
    if (apply_refuse_text(apply)) {
        return;
    }
    struct event_parts parts = apply_to_session(apply, EVENT_WALLOPS, 0);
    apply_set_asker(apply, &parts);
    parts_set_text(&parts, command->text, command->text_len);
    for (uint32_t i = 0; i < hub->member_count; i++) {
        if ((hub->members[i]->modes & (USER_WALLOPS | USER_OPERATOR)) != 0) {
            parts.session = hub->members[i]->session;
            apply_yield(apply, &parts);
        }
    }
    apply_done(apply);
}
