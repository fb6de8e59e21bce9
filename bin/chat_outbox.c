/* SPDX-License-Identifier: MIT */
#include "chat_outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct chat_outbox_entry {
    char *typed;
    char *name; /* under which it was sent; NULL before */
};

static void free_entry(struct chat_outbox_entry *entry)
{
    free(entry->typed);
    free(entry->name);
}

static void drop_first(struct chat_outbox *outbox, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free_entry(&outbox->entries[i]);
    }
    outbox->count -= count;
    outbox->sent -= count;
    memmove(outbox->entries, outbox->entries + count, outbox->count * sizeof(*outbox->entries));
}

void chat_outbox_finish(struct chat_outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++) {
        free_entry(&outbox->entries[i]);
    }
    free(outbox->entries);
    *outbox = (struct chat_outbox){0};
}

bool chat_outbox_add(struct chat_outbox *outbox, const char *typed)
{
    if (outbox->count >= CHAT_OUTBOX_MAX) {
        return false;
    }
    if (!outbox->entries) {
        outbox->entries = xcalloc(CHAT_OUTBOX_MAX, sizeof(*outbox->entries));
    }
    outbox->entries[outbox->count++] =
        (struct chat_outbox_entry){.typed = xmemdup0(typed, strlen(typed))};
    return true;
}

const char *chat_outbox_next(const struct chat_outbox *outbox)
{
    return outbox->sent < outbox->count ? outbox->entries[outbox->sent].typed : NULL;
}

void chat_outbox_sent(struct chat_outbox *outbox, const char *name)
{
    struct chat_outbox_entry *entry = &outbox->entries[outbox->sent++];
    free(entry->name);
    entry->name = xmemdup0(name, strlen(name));
}

static bool is_echo(const struct chat_line *line, const char *typed, const char *name)
{
    char *echo = chat_typed_echo(name, typed);
    bool same =
        echo && strlen(echo) == line->body_len && memcmp(echo, line->body, line->body_len) == 0;
    free(echo);
    return same;
}

void chat_outbox_confirm(struct chat_outbox *outbox, const struct chat_line *line, const char *name)
{
    for (size_t i = 0; i < outbox->sent; i++) {
        const struct chat_outbox_entry *entry = &outbox->entries[i];
        /* The name may have changed between sending and saying. */
        if (is_echo(line, entry->typed, entry->name) || is_echo(line, entry->typed, name)) {
            drop_first(outbox, i + 1);
            return;
        }
    }
}

void chat_outbox_refuse(struct chat_outbox *outbox)
{
    if (outbox->sent > 0) {
        drop_first(outbox, 1);
    }
}

size_t chat_outbox_rewind(struct chat_outbox *outbox)
{
    outbox->sent = 0;
    return outbox->count;
}
