/* SPDX-License-Identifier: MIT */
/*
 * Lines have no numbers, only a time in seconds, and two of them may be alike: somebody says "ok"
 * twice within a second. So lines are counted, not remembered: after an outage every line comes up
 * to twice, once from the room (its last lines on entering, then each new one) and once from the
 * history. Each of the two brings one event at most once. So an event that is alike n others was
 * shown when the count of shown ones is at least the count of its source, and a line is new exactly
 * when its source has brought it more often than it was shown.
 *
 * Where to begin: events come in the order of their time, so what is older than the newest line
 * shown was shown too (or is older than the user's coming). Of that newest second the lines are
 * kept with their counts: they are what `shown` begins with.
 *
 * Where to end: the history's answer is a state of the log at one moment. A line of the room that
 * is younger than all of the answer is none of the answer's, and so are all that follow it.
 */
#include "chat_catchup.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Different lines of one second and of one outage that are told apart; beyond that some may be
 * shown twice. The pages that are asked for hold fewer. */
#define ENTRIES_MAX 65536u
#define SLOTS_MIN   64u

struct entry {
    char *text; /* the whole line; NULL: the slot is free */
    size_t len;
    uint32_t shown;
    uint32_t from[2]; /* by enum chat_source */
};

struct chat_catchup {
    struct entry *slots; /* a hash table with open addresses; NULL while empty */
    size_t slot_count;   /* a power of two */
    size_t entry_count;
    char stamp[CHAT_STAMP_BYTES + 1];   /* of the newest line shown; "" when there is none */
    char history[CHAT_STAMP_BYTES + 1]; /* of the newest line of the history's answer, or "" */
};

static uint64_t hash_line(const char *text, size_t len)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    }
    return hash ^ hash >> 29;
}

static struct entry *find_slot(const struct chat_catchup *catchup, const char *text, size_t len)
{
    size_t mask = catchup->slot_count - 1;
    size_t at = (size_t)hash_line(text, len) & mask;
    while (catchup->slots[at].text &&
           (catchup->slots[at].len != len || memcmp(catchup->slots[at].text, text, len) != 0)) {
        at = (at + 1) & mask;
    }
    return &catchup->slots[at];
}

static void grow(struct chat_catchup *catchup)
{
    struct entry *old = catchup->slots;
    size_t old_count = catchup->slot_count;
    catchup->slot_count = old_count == 0 ? SLOTS_MIN : old_count * 2;
    catchup->slots = xcalloc(catchup->slot_count, sizeof(*catchup->slots));
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].text) {
            *find_slot(catchup, old[i].text, old[i].len) = old[i];
        }
    }
    free(old);
}

static void clear(struct chat_catchup *catchup)
{
    for (size_t i = 0; i < catchup->slot_count; i++) {
        free(catchup->slots[i].text);
    }
    free(catchup->slots);
    catchup->slots = NULL;
    catchup->slot_count = catchup->entry_count = 0;
}

/* Keeps the lines of one second: a catch-up may have left lines of several. */
static void keep_second(struct chat_catchup *catchup, const char *stamp)
{
    struct chat_catchup old = *catchup;
    catchup->slots = NULL;
    catchup->slot_count = catchup->entry_count = 0;
    for (size_t i = 0; i < old.slot_count; i++) {
        struct entry *entry = &old.slots[i];
        if (!entry->text) {
            continue;
        }
        if (memcmp(entry->text, stamp, CHAT_STAMP_BYTES) != 0) {
            free(entry->text);
            continue;
        }
        if (catchup->entry_count * 2 >= catchup->slot_count) {
            grow(catchup);
        }
        *find_slot(catchup, entry->text, entry->len) = *entry;
        catchup->entry_count++;
    }
    free(old.slots);
}

/* NULL when there are too many. */
static struct entry *get_entry(struct chat_catchup *catchup, const struct chat_line *line)
{
    if (catchup->entry_count * 2 >= catchup->slot_count) {
        grow(catchup);
    }
    struct entry *entry = find_slot(catchup, line->text, line->len);
    if (!entry->text) {
        if (catchup->entry_count >= ENTRIES_MAX) {
            return NULL;
        }
        catchup->entry_count++;
        entry->text = xmemdup0(line->text, line->len);
        entry->len = line->len;
    }
    return entry;
}

struct chat_catchup *chat_catchup_create(void)
{
    return xcalloc(1, sizeof(struct chat_catchup));
}

void chat_catchup_destroy(struct chat_catchup *catchup)
{
    if (catchup) {
        clear(catchup);
        free(catchup);
    }
}

void chat_catchup_forget(struct chat_catchup *catchup)
{
    clear(catchup);
    catchup->stamp[0] = catchup->history[0] = '\0';
}

void chat_catchup_start_at(struct chat_catchup *catchup, const char stamp[CHAT_STAMP_BYTES + 1])
{
    if (catchup->stamp[0] == '\0') {
        memcpy(catchup->stamp, stamp, sizeof(catchup->stamp));
    }
}

void chat_catchup_note(struct chat_catchup *catchup, const struct chat_line *line)
{
    int order = memcmp(line->text, catchup->stamp, CHAT_STAMP_BYTES);
    if (catchup->stamp[0] != '\0' && order < 0) {
        return; /* something older, as the user asked for it */
    }
    if (order != 0) {
        keep_second(catchup, line->text);
        memcpy(catchup->stamp, line->text, CHAT_STAMP_BYTES);
        catchup->stamp[CHAT_STAMP_BYTES] = '\0';
    }
    struct entry *entry = get_entry(catchup, line);
    if (entry) {
        entry->shown++;
    }
}

const char *chat_catchup_begin(struct chat_catchup *catchup)
{
    catchup->history[0] = '\0';
    for (size_t i = 0; i < catchup->slot_count; i++) {
        catchup->slots[i].from[0] = catchup->slots[i].from[1] = 0;
    }
    return catchup->stamp[0] != '\0' ? catchup->stamp : NULL;
}

bool chat_catchup_is_new(struct chat_catchup *catchup, const struct chat_line *line,
                         enum chat_source source)
{
    if (memcmp(line->text, catchup->stamp, CHAT_STAMP_BYTES) < 0) {
        return false;
    }
    if (source == CHAT_FROM_HISTORY && memcmp(line->text, catchup->history, CHAT_STAMP_BYTES) > 0) {
        memcpy(catchup->history, line->text, CHAT_STAMP_BYTES);
    }
    struct entry *entry = get_entry(catchup, line);
    if (!entry) {
        return true;
    }
    entry->from[source]++;
    if (entry->from[source] <= entry->shown) {
        return false;
    }
    entry->shown++;
    return true;
}

bool chat_catchup_may_repeat(const struct chat_catchup *catchup, const struct chat_line *line)
{
    return memcmp(line->text, catchup->history, CHAT_STAMP_BYTES) <= 0;
}
