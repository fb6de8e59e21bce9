/* SPDX-License-Identifier: MIT */
#include "core/masks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/name.h"

#define EXTENDED_LEN 2 /* "m:" */

static bool is_extended(const char *text, size_t len, char letter)
{
    return len > EXTENDED_LEN && text[0] == letter && text[1] == ':';
}

size_t masks_complete(const char *text, size_t len, char *ret, size_t cap)
{
    bool is_account = is_extended(text, len, 'a');
    if (!is_account && !is_extended(text, len, 'm')) {
        bool is_unknown = len >= EXTENDED_LEN && text[1] == ':';
        return is_unknown ? 0 : mask_complete(text, len, ret, cap);
    }
    if (cap < EXTENDED_LEN) {
        return 0;
    }
    /* An account's name is no nick!user@host, but what stands in a line is the same. */
    size_t rest = mask_complete(text + EXTENDED_LEN, len - EXTENDED_LEN, ret + EXTENDED_LEN,
                                cap - EXTENDED_LEN);
    if (rest == 0) {
        return 0;
    }
    memcpy(ret, text, is_account ? len : EXTENDED_LEN);
    return is_account ? len : EXTENDED_LEN + rest;
}

static enum mask_kind kind_of(const char *text, size_t len)
{
    if (is_extended(text, len, 'm')) {
        return MASK_MUTE;
    }
    return is_extended(text, len, 'a') ? MASK_ACCOUNT : MASK_USER;
}

static bool init_pattern(struct mask *pattern, const char *text, size_t len)
{
    size_t skip = kind_of(text, len) == MASK_USER ? 0 : EXTENDED_LEN;
    return mask_init(pattern, text + skip, len - skip);
}

struct mask_entry *mask_entry_create(const char *text, size_t len, const struct event_parts *who)
{
    struct mask pattern;
    if (!init_pattern(&pattern, text, len)) {
        return NULL;
    }
    struct mask_entry *entry =
        xmalloc(sizeof(*entry) + len + 1 + who->actor_len + 1 + who->source_len + 1);
    *entry = (struct mask_entry){
        .refs = 1, .kind = kind_of(text, len), .pattern = pattern, .time_ms = who->time_ms};
    memcpy(entry->text, text, len);
    entry->text[len] = '\0';
    entry->actor = entry->text + len + 1;
    char *at = entry->actor;
    memcpy(at, who->actor, who->actor_len);
    at += who->actor_len;
    if (who->source_len > 0) {
        *at++ = '!';
        memcpy(at, who->source, who->source_len);
        at += who->source_len;
    }
    *at = '\0';
    return entry;
}

static void unref(struct mask_entry *entry)
{
    if (--entry->refs == 0) {
        mask_finish(&entry->pattern);
        free(entry);
    }
}

bool masks_find(const struct masks *masks, const char *text, size_t len, uint32_t *ret_at)
{
    struct mask pattern;
    if (masks == NULL || !init_pattern(&pattern, text, len)) {
        return false;
    }
    bool is_there = false;
    for (uint32_t i = 0; i < masks->count && !is_there; i++) {
        const struct mask_entry *entry = masks->items[i];
        is_there = entry->kind == kind_of(text, len) && entry->pattern.len == pattern.len &&
                   memcmp(entry->pattern.bytes, pattern.bytes, pattern.len) == 0;
        *ret_at = i;
    }
    mask_finish(&pattern);
    return is_there;
}

/* A copy of the list, without the entry at a place and with space for one more. */
static struct masks *copy_but(const struct masks *masks, uint32_t without)
{
    uint32_t count = masks != NULL ? masks->count : 0;
    struct masks *copy = xmalloc(sizeof(*copy) + (count + 1) * sizeof(copy->items[0]));
    copy->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i != without) {
            masks->items[i]->refs++;
            copy->items[copy->count++] = masks->items[i];
        }
    }
    return copy;
}

void masks_add(struct hub *hub, struct masks **masks, struct mask_entry *entry)
{
    struct masks *copy = copy_but(*masks, UINT32_MAX);
    copy->items[copy->count++] = entry;
    journal_replace(hub, (void **)masks, copy, masks_destroy);
}

void masks_remove(struct hub *hub, struct masks **masks, uint32_t at)
{
    assert(*masks != NULL && at < (*masks)->count);
    struct masks *copy = copy_but(*masks, at);
    if (copy->count == 0) {
        free(copy);
        copy = NULL;
    }
    journal_replace(hub, (void **)masks, copy, masks_destroy);
}

void masks_destroy(void *list)
{
    struct masks *masks = list;
    for (uint32_t i = 0; masks != NULL && i < masks->count; i++) {
        unref(masks->items[i]);
    }
    free(masks);
}

/* What masks are held against: nick!user@ with the shown host, and with the real address. */
struct subject {
    char *shown, *real; /* folded */
    size_t shown_len, real_len;
};

/* The address without its port: "[::1]:5000" and "10.0.0.1:5000" have one. */
static const char *real_address(const char *host, size_t *ret_len)
{
    const char *end = host[0] == '[' ? strchr(host, ']') : NULL;
    if (end != NULL) {
        *ret_len = (size_t)(end - host - 1);
        return host + 1;
    }
    end = strchr(host, ':');
    bool has_port = end != NULL && strchr(end + 1, ':') == NULL;
    *ret_len = has_port ? (size_t)(end - host) : strlen(host);
    return host;
}

static char *fold_source(const struct member *member, size_t source_len, const char *address,
                         size_t address_len, size_t *ret_len)
{
    size_t nick_len = member->label->len;
    size_t len = nick_len + 1 + source_len + address_len;
    char *text = xmalloc(len);
    memcpy(text, member->label->text, nick_len);
    text[nick_len] = '!';
    memcpy(text + nick_len + 1, member->source, source_len);
    memcpy(text + nick_len + 1 + source_len, address, address_len);
    char *folded = name_fold(text, len, ret_len);
    free(text);
    return folded;
}

static struct subject subject_of(const struct member *member)
{
    struct subject subject;
    size_t address_len;
    const char *address = real_address(member->host, &address_len);
    const char *at = strrchr(member->source, '@');
    size_t user_len = at != NULL ? (size_t)(at - member->source) + 1 : strlen(member->source);
    subject.shown = fold_source(member, strlen(member->source), "", 0, &subject.shown_len);
    subject.real = fold_source(member, user_len, address, address_len, &subject.real_len);
    return subject;
}

static void subject_finish(struct subject *subject)
{
    free(subject->shown);
    free(subject->real);
}

static bool matches(const struct mask_entry *entry, const struct subject *subject)
{
    if (entry->kind == MASK_ACCOUNT) {
        return false;
    }
    const struct mask *pattern = &entry->pattern;
    return (subject->shown != NULL && mask_matches(pattern, subject->shown, subject->shown_len)) ||
           (subject->real != NULL && mask_matches(pattern, subject->real, subject->real_len));
}

static bool any_matches(const struct masks *masks, bool is_mute, const struct subject *subject)
{
    for (uint32_t i = 0; masks != NULL && i < masks->count; i++) {
        const struct mask_entry *entry = masks->items[i];
        if ((entry->kind == MASK_MUTE) == is_mute && matches(entry, subject)) {
            return true;
        }
    }
    return false;
}

static enum masks_verdict judge(const struct room *room, const struct subject *subject)
{
    const struct masks *bans = room->lists[LIST_BANS];
    const struct masks *exceptions = room->lists[LIST_EXCEPTIONS];
    bool is_banned = any_matches(bans, false, subject);
    if (!is_banned && !any_matches(bans, true, subject)) {
        return MASKS_FREE;
    }
    if (any_matches(exceptions, false, subject)) {
        return MASKS_FREE;
    }
    if (is_banned) {
        return MASKS_BANNED;
    }
    return any_matches(exceptions, true, subject) ? MASKS_FREE : MASKS_MUTED;
}

enum masks_verdict masks_judge(const struct room *room, const struct member *member)
{
    if (room->lists[LIST_BANS] == NULL) {
        return MASKS_FREE;
    }
    struct subject subject = subject_of(member);
    enum masks_verdict verdict = judge(room, &subject);
    subject_finish(&subject);
    return verdict;
}

bool masks_are_for(const struct room *room, enum room_list list, const struct member *member)
{
    if (room->lists[list] == NULL) {
        return false;
    }
    struct subject subject = subject_of(member);
    bool is_for = any_matches(room->lists[list], false, &subject);
    subject_finish(&subject);
    return is_for;
}
