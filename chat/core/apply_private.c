/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <string.h>

/* Messages from one user to another. */

/* The lines of a message, and parts of lines, which count the same. */
struct lines {
    size_t count, longest;
};

static struct lines measure(const char *text, size_t len)
{
    struct lines lines = {.count = 1, .longest = len};
    if (memchr(text, '\n', len) == NULL && memchr(text, '\r', len) == NULL) {
        return lines;
    }
    size_t start = 0;
    lines.longest = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && text[i] != '\n' && text[i] != '\r') {
            continue;
        }
        lines.count += i < len;
        lines.longest = i - start > lines.longest ? i - start : lines.longest;
        start = i + 1;
    }
    return lines;
}

/* Whether no line has anything in it. Spaces are something: they are what was said. */
static bool is_message_empty(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n' && text[i] != '\r') {
            return false;
        }
    }
    return true;
}

bool apply_refuse_message(struct apply *apply)
{
    const struct command *command = apply->command;
    const struct hub_limits *limits = &apply->hub->limits;
    if (command->kind == MESSAGE_TAGS) {
        return false;
    }
    if (is_message_empty(command->text, command->text_len)) {
        apply_refuse(apply, ERROR_TEXT_EMPTY, "", 0, 0);
        return true;
    }
    struct lines lines = measure(command->text, command->text_len);
    if (lines.longest > limits->text_bytes) {
        apply_refuse(apply, ERROR_TEXT_LONG, "", 0, limits->text_bytes);
        return true;
    }
    uint32_t max = lines.count > 1 ? limits->multiline_bytes : limits->text_bytes;
    if (command->text_len > max || lines.count > limits->multiline_lines) {
        apply_refuse(apply, ERROR_TEXT_LONG, "", 0,
                     command->text_len > max ? max : limits->multiline_lines);
        return true;
    }
    return false;
}

/* A message that is stored gets its number in the log, another one its serial number. */
static void number_message(struct apply *apply, struct event_parts *parts, bool is_stored)
{
    if (is_stored) {
        parts->durable = true;
        parts->number = apply->number + apply->used++;
    } else {
        parts->count = apply_next_unstored(apply);
    }
}

void apply_private(struct apply *apply)
{
    const struct command *command = apply->command;
    struct member *member = apply->member;
    const struct member *receiver =
        member_by_name(apply->hub, command->target, command->target_len);
    if (receiver == NULL) {
        apply_refuse(apply, ERROR_NO_SUCH_NAME, command->target, command->target_len, 0);
        return;
    }
    bool has_text = command->kind != MESSAGE_TAGS;
    bool is_stored = has_text || (command->flags & COMMAND_FLAG_KEEP) != 0;
    if (apply_refuse_message(apply) || (is_stored && apply_refuse_unstored(apply))) {
        return;
    }
    journal_save(apply->hub, &member->spoke_ms, sizeof(member->spoke_ms));
    member->spoke_ms = apply->time_ms;
    struct event_parts parts = apply_to_session(apply, EVENT_PRIVATE_TO, receiver->session);
    parts.peer = command->session;
    parts.kind = command->kind;
    parts.tags = command->tags;
    parts.tags_len = command->tags_len;
    number_message(apply, &parts, is_stored);
    parts_set_actor(&parts, member);
    parts.peer_identity = receiver->identity;
    parts_set_target(&parts, receiver->label->text, receiver->label->len);
    if (has_text) {
        parts_set_text(&parts, command->text, command->text_len);
    }
    apply_yield(apply, &parts);

    parts.type = EVENT_PRIVATE_OF;
    parts.durable = false;
    parts.session = command->session;
    parts.peer = receiver->session;
    if (receiver->away != NULL && command->kind <= MESSAGE_ACTION) {
        parts.extra = receiver->away;
        parts.extra_len = strlen(receiver->away);
    }
    apply_yield(apply, &parts);
}
