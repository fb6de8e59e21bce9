/* SPDX-License-Identifier: MIT */
#include "wire/irc_cap.h"

#include <string.h>

#include "wire/irc_writer.h"

#define VERSION_MAX 65535

/* The last parameter while it is collected. */
struct items {
    char bytes[IRC_BODY_MAX_BYTES];
    size_t len;
};

static struct irc_span value_of(const struct irc_cap_list *list, const struct irc_cap *cap)
{
    return list->has_values ? cap->value : (struct irc_span){0};
}

static bool is_item(struct irc_span span)
{
    return span.len == 0 || (!irc_span_breaks_line(span) && !memchr(span.text, ' ', span.len));
}

/* Bytes of an item without the space before it; 0 when it cannot be one. */
static size_t item_size(const struct irc_cap_list *list, const struct irc_cap *cap)
{
    struct irc_span value = value_of(list, cap);
    if (cap->name.len == 0 || !is_item(cap->name) || !is_item(value)) {
        return 0;
    }
    return (cap->is_off ? 1 : 0) + cap->name.len + (value.text ? 1 + value.len : 0);
}

static void add(struct items *items, struct irc_span span)
{
    if (span.len > 0) {
        memcpy(items->bytes + items->len, span.text, span.len);
        items->len += span.len;
    }
}

static void add_item(struct items *items, const struct irc_cap_list *list,
                     const struct irc_cap *cap)
{
    struct irc_span value = value_of(list, cap);
    add(items, irc_span(items->len > 0 ? " " : ""));
    add(items, irc_span(cap->is_off ? "-" : ""));
    add(items, cap->name);
    if (value.text) {
        add(items, irc_span("="));
        add(items, value);
    }
}

bool irc_cap_next(struct irc_span *list, struct irc_cap *ret_cap)
{
    while (list->len > 0 && list->text[0] == ' ') {
        list->text++;
        list->len--;
    }
    if (list->len == 0) {
        return false;
    }
    const char *space = memchr(list->text, ' ', list->len);
    struct irc_span item = {list->text, space ? (size_t)(space - list->text) : list->len};
    list->text += item.len;
    list->len -= item.len;
    struct irc_cap cap = {.name = item, .is_off = item.text[0] == '-'};
    if (cap.is_off) {
        cap.name.text++;
        cap.name.len--;
    }
    const char *equals = cap.name.len > 0 ? memchr(cap.name.text, '=', cap.name.len) : NULL;
    if (equals) {
        size_t name_len = (size_t)(equals - cap.name.text);
        cap.value = (struct irc_span){equals + 1, cap.name.len - name_len - 1};
        cap.name.len = name_len;
    }
    *ret_cap = cap;
    return true;
}

unsigned irc_cap_version(struct irc_span version)
{
    unsigned number = 0;
    for (size_t i = 0; i < version.len; i++) {
        if (version.text[i] < '0' || version.text[i] > '9') {
            return 0;
        }
        number = number * 10 + (unsigned)(version.text[i] - '0');
        number = number < VERSION_MAX ? number : VERSION_MAX;
    }
    return number;
}

bool irc_cap_put(struct irc_writer *writer, const struct irc_cap_list *list, size_t *at)
{
    irc_writer_put_source(writer, list->source);
    irc_writer_put_command(writer, irc_span("CAP"));
    irc_writer_put_param(writer, list->client.len > 0 ? list->client : irc_span("*"));
    irc_writer_put_param(writer, irc_span(list->subcommand));
    /* Room for the '*' that says there is more, and for " :" before the list. */
    size_t room = irc_writer_room(writer);
    size_t taken = strlen(" :") + (list->is_continued ? strlen(" *") : 0);
    room = room > taken ? room - taken : 0;
    struct items items;
    items.len = 0;
    for (; *at < list->count; (*at)++) {
        size_t size = item_size(list, &list->caps[*at]);
        if (size == 0 || size > room) {
            continue;
        }
        if (items.len > 0 && items.len + 1 + size > room) {
            break;
        }
        add_item(&items, list, &list->caps[*at]);
    }
    bool has_more = *at < list->count;
    if (has_more && list->is_continued) {
        irc_writer_put_param(writer, irc_span("*"));
    }
    irc_writer_put_text(writer, (struct irc_span){items.bytes, items.len});
    return has_more;
}
