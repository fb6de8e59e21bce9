/* SPDX-License-Identifier: MIT */
#include "core/whowas.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * A ring whose memory does not move within a batch, for the journal knows its slots by address: it
 * is taken whole when the first user leaves.
 */

static const char *put(char **at, const char *text, size_t len)
{
    char *start = *at;
    memcpy(start, text, len);
    start[len] = '\0';
    *at = start + len + 1;
    return start;
}

static struct past *create(const struct member *member, const struct label *label, int64_t left_ms)
{
    const char *source = member->source != NULL ? member->source : "";
    const char *real_name = member->real_name != NULL ? member->real_name : "";
    size_t source_len = strlen(source);
    size_t real_name_len = strlen(real_name);
    struct past *past =
        xmalloc(sizeof(*past) + label->len + label->folded_len + source_len + real_name_len + 4);
    char *at = past->text;
    past->left_ms = left_ms;
    past->hash = label->hash;
    past->folded_len = label->folded_len;
    past->name = put(&at, label->text, label->len);
    past->folded = put(&at, label_folded(label), label->folded_len);
    past->source = put(&at, source, source_len);
    past->real_name = put(&at, real_name, real_name_len);
    return past;
}

void whowas_add(struct hub *hub, const struct member *member, const struct label *label,
                int64_t left_ms)
{
    struct whowas *whowas = &hub->whowas;
    if (whowas->items == NULL) {
        whowas->cap = hub->limits.whowas;
        whowas->items = xcalloc(whowas->cap, sizeof(struct past *));
    }
    uint32_t at = (whowas->start + whowas->count) % whowas->cap;
    if (whowas->count < whowas->cap) {
        journal_save(hub, &whowas->count, sizeof(whowas->count));
        whowas->count++;
    } else {
        journal_save(hub, &whowas->start, sizeof(whowas->start));
        whowas->start = (whowas->start + 1) % whowas->cap;
    }
    journal_replace(hub, (void **)&whowas->items[at], create(member, label, left_ms), free);
}

const struct past *whowas_at(const struct hub *hub, uint32_t at)
{
    const struct whowas *whowas = &hub->whowas;
    assert(at < whowas->count);
    return whowas->items[(whowas->start + whowas->count - 1 - at) % whowas->cap];
}

bool whowas_is(const struct past *past, const struct label_key *key)
{
    return past->hash == key->hash && past->folded_len == key->len &&
           memcmp(past->folded, key->folded, key->len) == 0;
}

void whowas_trim(struct hub *hub)
{
    struct whowas old = hub->whowas;
    if (old.items == NULL || old.cap == hub->limits.whowas) {
        return;
    }
    struct whowas fresh = {.cap = hub->limits.whowas};
    fresh.items = xcalloc(fresh.cap, sizeof(struct past *));
    for (uint32_t i = 0; i < old.count; i++) {
        struct past *past = old.items[(old.start + i) % old.cap];
        if (old.count - i > fresh.cap) {
            free(past);
        } else {
            fresh.items[fresh.count++] = past;
        }
    }
    free(old.items);
    hub->whowas = fresh;
}

void whowas_finish(struct hub *hub)
{
    for (uint32_t i = 0; i < hub->whowas.count; i++) {
        free((void *)whowas_at(hub, i));
    }
    free(hub->whowas.items);
    hub->whowas = (struct whowas){0};
}
