/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "front/irc/irc_internal.h"

/* Numerics whose text is a list that goes on in the next message when one is full. */

static void start(const struct irc_items *items, struct irc_writer *writer)
{
    struct irc_session *irc = items->irc;
    irc_start(irc, writer);
    irc_numeric_start(writer, irc_server_name(irc), items->numeric, irc_nick(irc));
    for (size_t i = 0; i < items->param_count; i++) {
        irc_writer_put_echo(writer, items->params[i], IRC_ECHO_MAX);
    }
}

void irc_items_begin(struct irc_items *items, struct irc_session *irc, enum irc_numeric numeric,
                     const struct irc_span *params, size_t count, char separator)
{
    struct irc_writer writer;
    items->irc = irc;
    items->numeric = numeric;
    items->params = params;
    items->param_count = count;
    items->separator = separator;
    items->len = 0;
    items->was_sent = false;
    start(items, &writer);
    size_t room = irc_writer_room(&writer);
    items->max = room > 2 ? room - 2 : 0; /* " :" */
}

static void flush(struct irc_items *items)
{
    struct irc_writer writer;
    start(items, &writer);
    irc_writer_put_text(&writer, irc_span_of(items->text, items->len));
    irc_send(items->irc, &writer);
    items->len = 0;
    items->was_sent = true;
}

void irc_items_add(struct irc_items *items, struct irc_span item)
{
    if (item.len > items->max) {
        return;
    }
    if (items->len > 0 && items->len + 1 + item.len > items->max) {
        flush(items);
    }
    if (items->len > 0) {
        items->text[items->len++] = items->separator;
    }
    memcpy(items->text + items->len, item.text, item.len);
    items->len += item.len;
}

void irc_items_end(struct irc_items *items, bool even_if_none)
{
    if (items->len > 0 || (even_if_none && !items->was_sent)) {
        flush(items);
    }
}
