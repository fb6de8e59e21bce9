/* SPDX-License-Identifier: MIT */
#include "wire/irc_standard.h"

#include <assert.h>

#include "wire/irc_writer.h"

/* The longest command that is named in an answer. */
#define COMMAND_MAX_BYTES        32

#define STANDARD_ROW(code, text) {#code, (text)},
static const struct {
    const char *code, *text;
} replies[] = {IRC_STANDARD_CODES(STANDARD_ROW)};
#undef STANDARD_ROW

const char *irc_standard_code(enum irc_standard code)
{
    assert(code < IRC_STANDARD_COUNT);
    return replies[code].code;
}

const char *irc_standard_text(enum irc_standard code)
{
    assert(code < IRC_STANDARD_COUNT);
    return replies[code].text;
}

void irc_standard_start(struct irc_writer *writer, struct irc_span source,
                        enum irc_standard_verb verb, struct irc_span command,
                        enum irc_standard code)
{
    static const char *const verbs[] = {"FAIL", "WARN", "NOTE"};
    irc_writer_put_source(writer, source);
    irc_writer_put_command(writer, irc_span(verbs[verb]));
    irc_writer_put_echo(writer, command, COMMAND_MAX_BYTES);
    irc_writer_put_param(writer, irc_span(irc_standard_code(code)));
}
