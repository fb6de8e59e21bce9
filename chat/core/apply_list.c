/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * Answers that list members or rooms. Members are put in an order of their own here, since their
 * place in the hub's arrays tells who left when.
 */

struct text {
    char *bytes;
    size_t len, cap;
};

static void add_bytes(struct text *text, const char *bytes, size_t len)
{
    if (len == 0) {
        return;
    }
    if (text->cap - text->len < len) {
        text->cap = (text->cap + len) * 2;
        text->bytes = xreallocarray(text->bytes, text->cap, 1);
    }
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
}

static void add_label(struct text *text, const struct label *label)
{
    add_bytes(text, label->text, label->len);
}

static void add_number(struct text *text, uint64_t number)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, number);
    add_bytes(text, digits, (size_t)len);
}

/* Starts the next line: what a line is, not what ends it, is listed. */
static void add_line(struct text *text, uint64_t *count)
{
    if ((*count)++ > 0) {
        add_bytes(text, "\n", 1);
    }
}

static int compare_names(const void *a, const void *b)
{
    const struct member *const *first = a;
    const struct member *const *second = b;
    return label_compare((*first)->label, (*second)->label);
}

static int compare_sessions(const void *a, const void *b)
{
    const struct member *const *first = a;
    const struct member *const *second = b;
    return ((*first)->session > (*second)->session) - ((*first)->session < (*second)->session);
}

static struct member **sort_members(struct member *const *members, uint32_t count,
                                    int (*compare)(const void *, const void *))
{
    struct member **sorted = xcalloc(count, sizeof(struct member *));
    if (count > 0) {
        memcpy(sorted, members, count * sizeof(struct member *));
        qsort(sorted, count, sizeof(struct member *), compare);
    }
    return sorted;
}

struct member **apply_sort_members(const struct room *room)
{
    return sort_members(room->members, room->member_count, compare_names);
}

static void yield_list(struct apply *apply, struct event_parts *parts, struct text *text)
{
    parts_set_text(parts, text->bytes, text->len);
    apply_yield(apply, parts);
    free(text->bytes);
}

void apply_who(struct apply *apply)
{
    const struct room *room = apply_seen_room(apply, ACT_NAMES);
    if (room == NULL) {
        return;
    }
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_WHO, apply->command->session);
    struct text text = {0};
    struct member **sorted = apply_sort_members(room);
    parts_set_room(&parts, room);
    for (uint32_t i = 0; i < room->member_count; i++) {
        add_line(&text, &parts.count);
        add_label(&text, sorted[i]->label);
    }
    free(sorted);
    yield_list(apply, &parts, &text);
}

void apply_rooms(struct apply *apply)
{
    const struct hub *hub = apply->hub;
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_ROOMS, apply->command->session);
    struct text text = {0};
    for (uint32_t i = 0; i < hub->room_count; i++) {
        const struct room *room = hub->rooms[i];
        if (room_is_hidden(room) || !apply_may(apply, ACT_LIST, room)) {
            continue;
        }
        add_line(&text, &parts.count);
        add_label(&text, room->label);
        add_bytes(&text, "\t", 1);
        add_number(&text, room->member_count);
        add_bytes(&text, "\t", 1);
        if (room->topic != NULL) {
            add_bytes(&text, room->topic->text, room->topic->len);
        }
    }
    yield_list(apply, &parts, &text);
}

static void add_client(struct text *text, const struct member *member)
{
    add_number(text, member->session);
    add_bytes(text, "\t", 1);
    add_label(text, member->label);
    add_bytes(text, "\t", 1);
    add_bytes(text, member->host, strlen(member->host));
    add_bytes(text, "\t", 1);
    for (uint32_t i = 0; i < member->room_count; i++) {
        if (i > 0) {
            add_bytes(text, ",", 1);
        }
        add_label(text, member_room(member, i)->room->label);
    }
}

void apply_clients(struct apply *apply)
{
    const struct hub *hub = apply->hub;
    struct event_parts parts =
        apply_to_session(apply, EVENT_REPLY_CLIENTS, apply->command->session);
    struct text text = {0};
    struct member **sorted = sort_members(hub->members, hub->member_count, compare_sessions);
    for (uint32_t i = 0; i < hub->member_count; i++) {
        add_line(&text, &parts.count);
        add_client(&text, sorted[i]);
    }
    free(sorted);
    yield_list(apply, &parts, &text);
}

void apply_echo(struct apply *apply)
{
    struct event_parts parts = apply_to_session(apply, EVENT_ECHO, apply->command->session);
    parts_set_text(&parts, apply->command->text, apply->command->text_len);
    (void)apply_yield(apply, &parts);
}
