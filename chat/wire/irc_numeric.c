/* SPDX-License-Identifier: MIT */
#include "wire/irc_numeric.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "wire/irc_writer.h"

#define NUMERIC_ROW(number, name, params, text) {(number), #name, (params), (text)},
static const struct irc_numeric_info numerics[] = {IRC_NUMERICS(NUMERIC_ROW)};
#undef NUMERIC_ROW

/* A text that is being filled; what is longer than any message is dropped, then cut by the writer.
 * Four bytes more than fit: the cut has to see the whole of the character it falls into. */
struct filled {
    char bytes[IRC_BODY_MAX_BYTES + 4];
    size_t len;
};

static void fill(struct filled *filled, const char *text, size_t len)
{
    size_t room = sizeof(filled->bytes) - filled->len;
    len = len < room ? len : room;
    if (len > 0) {
        memcpy(filled->bytes + filled->len, text, len);
        filled->len += len;
    }
}

const struct irc_numeric_info *irc_numeric_find(int number)
{
    size_t low = 0;
    size_t high = sizeof(numerics) / sizeof(numerics[0]);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (numerics[middle].number == number) {
            return &numerics[middle];
        }
        if (numerics[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

void irc_numeric_start(struct irc_writer *writer, struct irc_span source, enum irc_numeric numeric,
                       struct irc_span client)
{
    unsigned number = (unsigned)numeric % 1000;
    char digits[] = {(char)('0' + number / 100), (char)('0' + number / 10 % 10),
                     (char)('0' + number % 10)};
    irc_writer_put_source(writer, source);
    irc_writer_put_command(writer, (struct irc_span){digits, sizeof(digits)});
    irc_writer_put_param(writer, client.len > 0 ? client : irc_span("*"));
}

void irc_numeric_put_text(struct irc_writer *writer, enum irc_numeric numeric,
                          const struct irc_span *values, size_t count)
{
    const struct irc_numeric_info *info = irc_numeric_find((int)numeric);
    assert(info && info->text);
    struct filled filled;
    filled.len = 0;
    const char *text = info->text;
    for (size_t i = 0; *text != '\0';) {
        size_t plain = strcspn(text, "<");
        fill(&filled, text, plain);
        text += plain;
        if (*text == '<') {
            text = strchr(text, '>') + 1; /* a test sees to it that each place is closed */
            if (i < count) {
                fill(&filled, values[i].text, values[i].len);
            }
            i++;
        }
    }
    irc_writer_put_text(writer, (struct irc_span){filled.bytes, filled.len});
}
