/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/name.h"
#include "front/irc/irc_internal.h"
#include "front/irc/time.h"

/*
 * MARKREAD (IRCv3 draft/read-marker): how far a user has read. Without an account the marks are the
 * session's and end with it.
 */

#define MARKS_MAX 256 /* targets; the one set longest ago gives way */

struct mark_read {
    char *target; /* folded */
    int64_t time_ms;
};

struct irc_marks {
    uint32_t count;
    struct mark_read items[]; /* the one set longest ago first */
};

void irc_marks_free(struct irc_marks *marks)
{
    for (uint32_t i = 0; marks && i < marks->count; i++) {
        free(marks->items[i].target);
    }
    free(marks);
}

/* NULL for what is too long to be the name of anything: marks take no more memory than names. */
static char *fold(struct irc_span target)
{
    size_t len;
    if (target.len > ROOM_NAME_CEILING_BYTES + 1) { /* '#' */
        return NULL;
    }
    return name_fold(target.text, target.len, &len);
}

static struct mark_read *find(struct irc_marks *marks, const char *folded)
{
    for (uint32_t i = 0; marks && i < marks->count; i++) {
        if (strcmp(marks->items[i].target, folded) == 0) {
            return &marks->items[i];
        }
    }
    return NULL;
}

static void tell(struct irc_session *irc, struct irc_span target, const struct mark_read *mark)
{
    struct irc_writer writer;
    char time[IRC_TIME_CAP], text[IRC_TIME_CAP + 16] = "*";
    if (mark) {
        (void)irc_time_text(mark->time_ms, time);
        (void)snprintf(text, sizeof(text), "timestamp=%s", time);
    }
    irc_start(irc, &writer);
    irc_writer_put_source(&writer, irc_server_name(irc));
    irc_writer_put_command(&writer, irc_span("MARKREAD"));
    irc_writer_put_echo(&writer, target, IRC_ECHO_MAX);
    irc_writer_put_param(&writer, irc_span(text));
    irc_send(irc, &writer);
}

/* A mark only goes forward. Takes over folded. */
static const struct mark_read *set(struct irc_session *irc, char *folded, int64_t time_ms)
{
    struct irc_marks *marks = irc->marks;
    struct mark_read *mark = find(marks, folded);
    if (mark) {
        mark->time_ms = time_ms > mark->time_ms ? time_ms : mark->time_ms;
        free(folded);
        return mark;
    }
    uint32_t count = marks ? marks->count : 0;
    if (count == MARKS_MAX) {
        free(marks->items[0].target);
        memmove(marks->items, marks->items + 1, (count - 1) * sizeof(marks->items[0]));
        count--;
    } else {
        marks = xreallocarray(marks, 1, sizeof(*marks) + (count + 1) * sizeof(marks->items[0]));
    }
    marks->items[count] = (struct mark_read){folded, time_ms};
    marks->count = count + 1;
    irc->marks = marks;
    return &marks->items[count];
}

void irc_marks_tell(struct irc_session *irc, struct irc_span target)
{
    char *folded = fold(target);
    if (folded && irc->caps & IRC_CAP(READ_MARKER)) {
        tell(irc, target, find(irc->marks, folded));
    }
    free(folded);
}

static void fail(struct irc_session *irc, enum irc_standard code, const struct irc_message *message)
{
    irc_standard(irc, IRC_FAIL, "MARKREAD", code, message->params,
                 message->param_count < 2 ? message->param_count : 2);
}

/* "timestamp=..." */
static bool is_mark(struct irc_span text, int64_t *ret_ms)
{
    static const char prefix[] = "timestamp=";
    const size_t prefix_len = sizeof(prefix) - 1;
    return text.len > prefix_len && memcmp(text.text, prefix, prefix_len) == 0 &&
           irc_parse_time(irc_span_of(text.text + prefix_len, text.len - prefix_len), ret_ms);
}

bool irc_do_markread(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    const struct irc_span *params = message->params;
    int64_t time_ms = 0;
    if (message->param_count == 0 || params[0].len == 0) {
        fail(irc, IRC_STANDARD_NEED_MORE_PARAMS, message);
        return true;
    }
    enum irc_target_kind kind = irc_target_parse(params[0], "").kind;
    char *folded = fold(params[0]);
    bool is_target = folded && (kind == IRC_TARGET_CHANNEL || kind == IRC_TARGET_NICK);
    bool is_asked = message->param_count == 1;
    if (!is_target || (!is_asked && !is_mark(params[1], &time_ms))) {
        fail(irc, IRC_STANDARD_INVALID_PARAMS, message);
    } else if (is_asked) {
        tell(irc, params[0], find(irc->marks, folded));
    } else {
        tell(irc, params[0], set(irc, folded, time_ms));
        return true;
    }
    free(folded);
    return true;
}
