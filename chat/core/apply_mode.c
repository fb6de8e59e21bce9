/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/masks.h"

/*
 * The modes of a room. The changes of one command are made one after the other, each as far as it
 * may be; those that changed something are told in one event.
 */

#define LIMIT_DIGITS_MAX 9 /* always fits in 32 bits */

enum letter_kind { LETTER_FLAG, LETTER_RANK, LETTER_KEY, LETTER_LIMIT, LETTER_LIST };

struct letter {
    char letter;
    enum letter_kind kind;
    uint32_t what; /* ROOM_, RANK_ or enum room_list */
};

static const struct letter letters[] = {
    {'i', LETTER_FLAG, ROOM_INVITE_ONLY},
    {'m', LETTER_FLAG, ROOM_MODERATED},
    {'n', LETTER_FLAG, ROOM_NO_OUTSIDE},
    {'s', LETTER_FLAG, ROOM_SECRET},
    {'t', LETTER_FLAG, ROOM_TOPIC_LOCK},
    {'C', LETTER_FLAG, ROOM_NO_CTCP},
    {'o', LETTER_RANK, RANK_OPERATOR},
    {'v', LETTER_RANK, RANK_VOICE},
    {'k', LETTER_KEY, 0},
    {'l', LETTER_LIMIT, 0},
    {'b', LETTER_LIST, LIST_BANS},
    {'e', LETTER_LIST, LIST_EXCEPTIONS},
    {'I', LETTER_LIST, LIST_INVITE_EXCEPTIONS},
};

#define LETTER_COUNT (sizeof(letters) / sizeof(letters[0]))

/* One command and what came of it. */
struct modes {
    struct apply *apply;
    struct room *room;
    struct record_out done; /* changes that changed something */
};

/* One change as the command has it. */
struct wish {
    bool is_on;
    bool is_bare; /* the parameter it takes is not there */
    char letter[2];
    struct record_field param;
};

static bool next_wish(struct record_in *in, struct wish *ret_wish)
{
    struct record_field fields[3];
    while (record_next(in, fields, 3)) {
        if (fields[0].len == 2) {
            *ret_wish = (struct wish){.is_on = fields[0].text[0] == '+',
                                      .is_bare = fields[2].len > 0,
                                      .letter = {fields[0].text[1], '\0'},
                                      .param = fields[1]};
            return true;
        }
    }
    return false;
}

static const struct letter *find_letter(char letter)
{
    for (size_t i = 0; i < LETTER_COUNT; i++) {
        if (letters[i].letter == letter) {
            return &letters[i];
        }
    }
    return NULL;
}

static void refuse_wish(struct modes *modes, const struct wish *wish, enum event_error code)
{
    struct event_parts parts = apply_refusal(modes->apply, code);
    parts_set_room(&parts, modes->room);
    parts_set_text(&parts, wish->letter, 1);
    if (code == ERROR_MODE_BAD) {
        parts.extra = wish->param.text;
        parts.extra_len = apply_fit(wish->param.text, wish->param.len, MASK_MAX_BYTES);
    }
    apply_yield(modes->apply, &parts);
}

static void note(struct modes *modes, const struct wish *wish, const char *param, size_t len)
{
    const char sign[] = {wish->is_on ? '+' : '-', wish->letter[0]};
    record_put(&modes->done, sign, sizeof(sign));
    record_put(&modes->done, param, len);
    record_end(&modes->done);
}

static void set_flag(struct modes *modes, const struct wish *wish, uint32_t flag)
{
    struct room *room = modes->room;
    uint32_t wanted = wish->is_on ? room->modes | flag : room->modes & ~flag;
    if (wanted != room->modes) {
        journal_save(modes->apply->hub, &room->modes, sizeof(room->modes));
        room->modes = wanted;
        note(modes, wish, "", 0);
    }
}

static void set_rank(struct modes *modes, const struct wish *wish, uint32_t rank)
{
    if (wish->is_bare) {
        refuse_wish(modes, wish, ERROR_MODE_PARAM);
        return;
    }
    struct member *target =
        apply_other_member(modes->apply, modes->room, wish->param.text, wish->param.len);
    if (target == NULL) {
        return;
    }
    uint8_t ranks = member_find_room(target, modes->room, NULL)->ranks;
    uint8_t wanted = (uint8_t)(wish->is_on ? ranks | rank : ranks & ~rank);
    if (wanted != ranks) {
        journal_ranks(modes->apply->hub, target, modes->room, wanted);
        note(modes, wish, target->label->text, target->label->len);
    }
}

/* A key stands in lists by comma and between spaces. */
static bool is_key(const struct modes *modes, const struct record_field *key)
{
    if (key->len == 0 || key->len > modes->apply->hub->limits.key_bytes || key->text[0] == ':') {
        return false;
    }
    for (size_t i = 0; i < key->len; i++) {
        unsigned char byte = (unsigned char)key->text[i];
        if (byte <= ' ' || byte == ',' || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

static void set_key(struct modes *modes, const struct wish *wish)
{
    struct hub *hub = modes->apply->hub;
    struct room *room = modes->room;
    if (!wish->is_on) {
        if (room->key != NULL) {
            journal_replace(hub, (void **)&room->key, NULL, free);
            note(modes, wish, "*", 1);
        }
        return;
    }
    if (wish->is_bare) {
        refuse_wish(modes, wish, ERROR_MODE_PARAM);
    } else if (!is_key(modes, &wish->param)) {
        refuse_wish(modes, wish, ERROR_MODE_BAD);
    } else if (room->key == NULL || strcmp(room->key, wish->param.text) != 0) {
        char *key = xmemdup0(wish->param.text, wish->param.len);
        journal_replace(hub, (void **)&room->key, key, free);
        note(modes, wish, key, wish->param.len);
    }
}

static void set_limit(struct modes *modes, const struct wish *wish)
{
    struct room *room = modes->room;
    uint32_t limit = 0;
    if (wish->is_on) {
        if (wish->is_bare) {
            refuse_wish(modes, wish, ERROR_MODE_PARAM);
            return;
        }
        limit = wish->param.len <= LIMIT_DIGITS_MAX ? (uint32_t)record_number(&wish->param) : 0;
        if (limit == 0) {
            refuse_wish(modes, wish, ERROR_MODE_BAD);
            return;
        }
    }
    if (limit != room->limit) {
        journal_save(modes->apply->hub, &room->limit, sizeof(room->limit));
        room->limit = limit;
        note(modes, wish, wish->param.text, wish->is_on ? wish->param.len : 0);
    }
}

static void show_list(struct modes *modes, const struct wish *wish, enum room_list list)
{
    struct apply *apply = modes->apply;
    enum act act = list == LIST_BANS ? ACT_ASK_BANS : ACT_ASK_LISTS;
    if (!apply_may(apply, act, modes->room)) {
        (void)apply_room_for(apply, act); /* refuses */
        return;
    }
    struct record_out out = {0};
    const struct masks *masks = modes->room->lists[list];
    for (uint32_t i = 0; masks != NULL && i < masks->count; i++) {
        record_puts(&out, masks->items[i]->text);
        record_puts(&out, masks->items[i]->actor);
        record_put_number(&out, (uint64_t)masks->items[i]->time_ms / 1000);
        record_end(&out);
    }
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_MASKS, apply->command->session);
    parts_set_room(&parts, modes->room);
    parts.value = (uint64_t)wish->letter[0];
    apply_yield_records(apply, &parts, &out);
}

/* Of all lists together, as MAXLIST=beI:100 promises (Modern IRC, "MAXLIST Parameter"). */
static uint32_t count_masks(const struct room *room)
{
    uint32_t count = 0;
    for (int list = 0; list < LIST_COUNT; list++) {
        count += room->lists[list] != NULL ? room->lists[list]->count : 0;
    }
    return count;
}

static void add_mask(struct modes *modes, const struct wish *wish, enum room_list list,
                     const char *mask, size_t len)
{
    struct apply *apply = modes->apply;
    struct room *room = modes->room;
    uint32_t max = apply->hub->limits.masks;
    if (count_masks(room) >= max) {
        struct event_parts parts = apply_refusal(apply, ERROR_LIST_FULL);
        parts_set_room(&parts, room);
        parts_set_text(&parts, wish->letter, 1);
        parts.extra = mask;
        parts.extra_len = len;
        parts.count = max;
        apply_yield(apply, &parts);
        return;
    }
    struct event_parts who = {.time_ms = apply->time_ms};
    apply_set_asker(apply, &who);
    struct mask_entry *entry = mask_entry_create(mask, len, &who);
    if (entry == NULL) {
        refuse_wish(modes, wish, ERROR_MODE_BAD);
        return;
    }
    masks_add(apply->hub, &room->lists[list], entry);
    note(modes, wish, mask, len);
}

static void set_list(struct modes *modes, const struct wish *wish, enum room_list list)
{
    struct masks **masks = &modes->room->lists[list];
    char mask[MASK_MAX_BYTES];
    size_t len = masks_complete(wish->param.text, wish->param.len, mask, sizeof(mask));
    if (len == 0) {
        refuse_wish(modes, wish, ERROR_MODE_BAD);
        return;
    }
    uint32_t at;
    bool is_there = masks_find(*masks, mask, len, &at);
    if (wish->is_on && !is_there) {
        add_mask(modes, wish, list, mask, len);
    } else if (!wish->is_on && is_there) {
        const char *text = (*masks)->items[at]->text;
        note(modes, wish, text, strlen(text));
        masks_remove(modes->apply->hub, masks, at);
    }
}

/* may_change: who asks may change modes at all, and has been refused if not. */
static void grant(struct modes *modes, const struct wish *wish, bool may_change)
{
    const struct letter *letter = find_letter(wish->letter[0]);
    if (letter != NULL && letter->kind == LETTER_LIST && wish->is_bare) {
        show_list(modes, wish, letter->what);
        return;
    }
    if (!may_change) {
        return;
    }
    if (letter == NULL) {
        refuse_wish(modes, wish, ERROR_MODE_UNKNOWN);
        return;
    }
    switch (letter->kind) {
    case LETTER_FLAG:
        set_flag(modes, wish, letter->what);
        break;
    case LETTER_RANK:
        set_rank(modes, wish, letter->what);
        break;
    case LETTER_KEY:
        set_key(modes, wish);
        break;
    case LETTER_LIMIT:
        set_limit(modes, wish);
        break;
    case LETTER_LIST:
        set_list(modes, wish, letter->what);
        break;
    }
}

/* Tells the room, and who asked from outside. */
static void tell(struct modes *modes)
{
    struct apply *apply = modes->apply;
    struct event_parts parts = apply_to_room(apply, EVENT_MODE, modes->room);
    apply_set_asker(apply, &parts);
    parts.count = modes->done.count;
    parts.extra = modes->done.bytes;
    parts.extra_len = modes->done.len;
    apply_store_change(apply, &parts);
    apply_tell_outside(apply, modes->room, &parts);
    apply_close_room(apply, modes->room);
}

/* What the key and the limit are, by a space, in fresh memory; the key for those alone who may see
 * it. */
static char *list_params(struct apply *apply, const struct room *room)
{
    const char *key = room->key != NULL && !apply_may(apply, ACT_SEE_KEY, room) ? "*" : room->key;
    char limit[LIMIT_DIGITS_MAX + 2] = "";
    if (room->limit != 0) {
        (void)snprintf(limit, sizeof(limit), "%" PRIu32, room->limit);
    }
    key = key != NULL ? key : "";
    size_t cap = strlen(key) + 1 + sizeof(limit);
    char *params = xmalloc(cap);
    bool is_two = key[0] != '\0' && limit[0] != '\0';
    (void)snprintf(params, cap, "%s%s%s", key, is_two ? " " : "", limit);
    return params;
}

static void tell_modes(struct apply *apply, const struct room *room)
{
    char shown[LETTER_COUNT + 2] = "+";
    size_t len = 1;
    for (size_t i = 0; i < LETTER_COUNT; i++) {
        bool is_set = (letters[i].kind == LETTER_FLAG && (room->modes & letters[i].what) != 0) ||
                      (letters[i].kind == LETTER_KEY && room->key != NULL) ||
                      (letters[i].kind == LETTER_LIMIT && room->limit != 0);
        if (is_set) {
            shown[len++] = letters[i].letter;
        }
    }
    char *params = list_params(apply, room);
    struct record_out out = {0};
    record_put(&out, shown, len);
    record_puts(&out, params);
    record_put_number(&out, (uint64_t)room->made_ms / 1000);
    record_end(&out);
    free(params);
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_MODE, apply->command->session);
    parts_set_room(&parts, room);
    apply_yield_records(apply, &parts, &out);
}

/* Whether the command asks for more than lists to be shown. */
static bool has_changes(const struct command *command)
{
    struct record_in in = {command->text, command->text_len};
    struct wish wish;
    while (next_wish(&in, &wish)) {
        const struct letter *letter = find_letter(wish.letter[0]);
        if (letter == NULL || letter->kind != LETTER_LIST || !wish.is_bare) {
            return true;
        }
    }
    return false;
}

void apply_mode(struct apply *apply)
{
    const struct command *command = apply->command;
    struct room *room = apply_live_room(apply, command->target, command->target_len);
    if (room == NULL) {
        return;
    }
    if (command->text_len == 0) {
        if (apply_seen_room(apply, ACT_ASK) != NULL) {
            tell_modes(apply, room);
        }
        return;
    }
    bool may_change = true;
    if (has_changes(command)) {
        may_change = apply_room_for(apply, ACT_MODE) != NULL && !apply_refuse_unstored(apply);
    }
    struct modes modes = {.apply = apply, .room = room};
    struct record_in in = {command->text, command->text_len};
    struct wish wish;
    while (next_wish(&in, &wish)) {
        grant(&modes, &wish, may_change);
    }
    if (modes.done.count > 0) {
        tell(&modes);
    }
    record_out_finish(&modes.done);
}
