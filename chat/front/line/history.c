/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/xalloc.h"
#include "front/line/line_internal.h"
#include "front/shard_internal.h"

/* /history and /search: the question to the reader, and how its answer is shown. */

static const char usage[] = "*** /history [N] | before NUMBER | after NUMBER | since TIME | until "
                            "TIME, with TIME as 12:31, 2026-11-20 or 2026-11-20 12:31:07\n";

static bool parse_number(const char *text, uint64_t *ret)
{
    char *end;
    errno = 0;
    if (*text == '#') {
        text++;
    }
    if (*text < '0' || *text > '9') {
        return false;
    }
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0') {
        return false;
    }
    *ret = value;
    return true;
}

/* Local time of the server; a time of day alone is today's. */
static bool parse_time(const char *text, int64_t *ret_ms)
{
    static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
                                          "%Y-%m-%d %H:%M",    "%Y-%m-%d",
                                          "%H:%M:%S",          "%H:%M"};
    time_t now = time(NULL);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct tm tm;
        if (!localtime_r(&now, &tm)) {
            return false;
        }
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        const char *end = strptime(text, formats[i], &tm);
        if (end && *end == '\0') {
            tm.tm_isdst = -1;
            time_t t = mktime(&tm);
            if (t == (time_t)-1) {
                return false;
            }
            *ret_ms = (int64_t)t * 1000;
            return true;
        }
    }
    return false;
}

static bool parse_args(const char *args, const struct front_settings *settings,
                       struct history_query *query)
{
    static const struct {
        const char *word;
        enum history_kind kind;
    } kinds[] = {{"before", HISTORY_BEFORE},
                 {"after", HISTORY_AFTER},
                 {"since", HISTORY_SINCE},
                 {"until", HISTORY_UNTIL}};
    uint64_t number = 0;
    query->kind = HISTORY_LAST;
    query->count = settings->history_default;
    if (*args == '\0') {
        return true;
    }
    if (parse_number(args, &number)) {
        query->count = number < settings->history_max ? (uint32_t)number : settings->history_max;
        return number > 0;
    }
    query->count = settings->history_max;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i].word);
        if (strncasecmp(args, kinds[i].word, len) != 0 || args[len] != ' ') {
            continue;
        }
        query->kind = kinds[i].kind;
        const char *value = args + len + strspn(args + len, " ");
        if (kinds[i].kind == HISTORY_BEFORE || kinds[i].kind == HISTORY_AFTER) {
            return parse_number(value, &query->seq);
        }
        return parse_time(value, &query->time_ms);
    }
    return false;
}

static void ask(struct line_session *line, struct query *query)
{
    const struct room_view *room = session_room(&line->base);
    if (!room) {
        line_printf(&line->base, "*** You are not in a room.\n");
        query_destroy(query);
        return;
    }
    query->history.room_id = room->id;
    query->history.floor = room->floor;
    if (session_ask(&line->base, query)) {
        line->waiting = true; /* until line_on_answer */
    } else {
        line_printf(&line->base, "*** Too many people ask for history now. Try again later.\n");
    }
}

void line_history(struct line_session *line, const char *args, size_t len)
{
    char *copy = xmemdup0(args, len);
    struct query *query = query_create(line->base.id);
    if (parse_args(copy, shard_settings(line->base.shard), &query->history)) {
        ask(line, query);
    } else {
        session_write(&line->base, usage, sizeof(usage) - 1);
        query_destroy(query);
    }
    free(copy);
}

void line_search(struct line_session *line, const char *args, size_t len)
{
    struct query *query = query_create(line->base.id);
    query->history.kind = HISTORY_SEARCH;
    query->history.count = shard_settings(line->base.shard)->history_default;
    query->text = xmemdup0(args, len);
    query->history.text = query->text;
    ask(line, query);
}

static size_t line_bytes(const struct event *event)
{
    return event->text_len + event->actor_len + LINE_MARGIN_BYTES;
}

/* As many lines as an answer may have, but one at least; the rest can be asked. */
static size_t add_lines(struct session *session, const struct query *query, struct text_out *out,
                        size_t *ret_first)
{
    size_t max = session_answer_max(session);
    bool forward = query->history.kind == HISTORY_AFTER || query->history.kind == HISTORY_SINCE;
    struct event **items = query->found.items;
    size_t count = query->found.count, first = 0, end = count, bytes = 0;
    if (forward) {
        for (end = 0; end < count && (end == 0 || bytes + line_bytes(items[end]) <= max); end++) {
            bytes += line_bytes(items[end]);
        }
    } else {
        /* The newest are wanted: the oldest are left out. */
        for (first = count;
             first > 0 && (first == count || bytes + line_bytes(items[first - 1]) <= max);
             first--) {
            bytes += line_bytes(items[first - 1]);
        }
    }
    *ret_first = first;
    for (size_t i = first; i < end; i++) {
        line_encode(session->shard, items[i], 0, out);
    }
    return end;
}

static void show_answer(struct session *session, const struct query *query)
{
    struct text_out out = {0};
    const struct event_list *found = &query->found;
    bool search = query->history.kind == HISTORY_SEARCH;
    bool forward = query->history.kind == HISTORY_AFTER || query->history.kind == HISTORY_SINCE;
    if (!room_has(session, query->history.room_id)) {
        /* Put out meanwhile: the reader may have seen what was said since. */
        line_printf(session, "*** You are not in that room any more.\n");
        return;
    }
    if (query->fault != LOG_OK) {
        line_printf(session, "*** The history cannot be read now. Try again later.\n");
        return;
    }
    if (found->count == 0) {
        line_printf(session, "*** Nothing %s.\n",
                    !search       ? "there"
                    : query->more ? "found in the newer lines; older ones were not looked at"
                                  : "found");
        return;
    }
    size_t first;
    size_t end = add_lines(session, query, &out, &first);
    session_write(session, out.data, out.len);
    text_out_finish(&out);
    uint64_t low = found->items[first]->seq;
    uint64_t high = found->items[end - 1]->seq;
    bool more = query->more || first > 0 || end < found->count;
    line_printf(session, "*** %zu line%s, number %" PRIu64 " to %" PRIu64 ".", end - first,
                end - first == 1 ? "" : "s", low, high);
    if (more && search) {
        line_printf(session, " There are older ones.\n");
    } else if (more) {
        line_printf(session, " More: /history %s %" PRIu64 "\n", forward ? "after" : "before",
                    forward ? high : low);
    } else {
        line_printf(session, "\n");
    }
}

void line_on_answer(struct session *session, const struct query *query)
{
    struct line_session *line = (struct line_session *)session;
    show_answer(session, query);
    line->waiting = false;
    line_go_on(line);
}
