/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "wire/irc_cap.h"
#include "wire/irc_mode.h"
#include "wire/irc_name.h"
#include "wire/irc_writer.h"

/*
 * The input is the parameters of a command. Promises: what is read of MODE and written again reads
 * the same, in any number of messages; a list of capabilities comes back whole from its lines; what
 * counts as a name can stand in a line.
 */

static const struct irc_mode_types types = {
    .list = "beI", .always = "k", .when_on = "l", .flag = "imnst", .member = "ov"};

static bool is_same(struct irc_span a, struct irc_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.text, b.text, a.len) == 0);
}

static size_t end_message(struct irc_writer *writer, struct irc_message *ret_message)
{
    size_t len = irc_writer_end(writer);
    fuzz_check(len > 2 && len <= IRC_BODY_MAX_BYTES);
    fuzz_check(irc_message_parse(writer->bytes, len - 2, ret_message) == IRC_MESSAGE_OK);
    return len;
}

/* Reads the message just written and holds it against the changes it was made of. */
static void check_written(struct irc_writer *writer, const struct irc_mode_change *changes,
                          size_t done, size_t put)
{
    struct irc_message message;
    (void)end_message(writer, &message);
    struct irc_mode_change again[IRC_MODE_CHANGES_MAX];
    size_t count;
    fuzz_check(irc_mode_parse(&types, message.params + 1, message.param_count - 1, again, &count));
    fuzz_check(count == put);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        while (at < done &&
               !(changes[at].fault == IRC_MODE_OK && changes[at].letter == again[i].letter &&
                 changes[at].is_on == again[i].is_on &&
                 is_same(changes[at].param, again[i].param))) {
            at++;
        }
        fuzz_check(at < done);
        at++;
    }
}

static void check_modes(const struct irc_message *message)
{
    struct irc_mode_change changes[IRC_MODE_CHANGES_MAX];
    size_t count;
    (void)irc_mode_parse(&types, message->params, message->param_count, changes, &count);
    for (size_t at = 0; at < count;) {
        struct irc_writer writer;
        irc_writer_init(&writer, 0);
        irc_writer_put_command(&writer, irc_span("MODE"));
        irc_writer_put_param(&writer, irc_span("#c"));
        size_t put;
        size_t done = irc_mode_put(&writer, changes + at, count - at, 1 + count % 20, &put);
        fuzz_check(done > 0 && done <= count - at && put <= done);
        check_written(&writer, changes + at, done, put);
        at += done;
    }
}

static void check_caps(struct irc_span list)
{
    static struct irc_cap caps[1024];
    size_t count = 0;
    while (count < 1024 && irc_cap_next(&list, &caps[count])) {
        count++;
    }
    const struct irc_cap_list all = {.source = irc_span("irc.example.com"),
                                     .subcommand = "LS",
                                     .caps = caps,
                                     .count = count,
                                     .has_values = true,
                                     .is_continued = count % 2 == 0};
    size_t at = 0;
    size_t seen = 0;
    for (bool has_more = true; has_more;) {
        struct irc_writer writer;
        irc_writer_init(&writer, 0);
        has_more = irc_cap_put(&writer, &all, &at);
        struct irc_message message;
        (void)end_message(&writer, &message);
        fuzz_check(!writer.is_cut);
        struct irc_cap cap;
        while (irc_cap_next(&message.params[message.param_count - 1], &cap)) {
            while (seen < count &&
                   !(is_same(caps[seen].name, cap.name) && caps[seen].is_off == cap.is_off &&
                     is_same(caps[seen].value, cap.value))) {
                seen++;
            }
            fuzz_check(seen < count);
            seen++;
        }
    }
}

static void check_names(struct irc_span text)
{
    struct irc_span item;
    while (irc_name_next(&text, &item)) {
        fuzz_check(item.len > 0 && !memchr(item.text, ',', item.len));
        bool is_name = irc_name_is_channel(item) || irc_name_is_nick(item) || irc_name_is_key(item);
        fuzz_check(!is_name || (irc_span_is_middle(item) && !irc_span_breaks_line(item)));
        fuzz_check(!irc_name_is_channel(item) || !irc_name_is_nick(item));
        struct irc_target target = irc_target_parse(item, "@+");
        fuzz_check((target.prefix != '\0') == (target.kind == IRC_TARGET_STATUS));
        fuzz_check(target.kind != IRC_TARGET_NICK || irc_name_is_nick(item));
        char user[12];
        size_t len = irc_name_clean_user(item, sizeof(user), user);
        fuzz_check(len <= sizeof(user));
        fuzz_check(len == 0 || irc_span_is_middle((struct irc_span){user, len}));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096) {
        return 0;
    }
    char *line = malloc(size + 2);
    fuzz_check(line);
    memcpy(line, "X ", 2);
    if (size > 0) {
        memcpy(line + 2, data, size);
    }
    struct irc_message message;
    if (irc_message_parse(line, size + 2, &message) == IRC_MESSAGE_OK) {
        check_modes(&message);
        check_caps((struct irc_span){line + 2, size});
    }
    check_names((struct irc_span){line + 2, size});
    free(line);
    return 0;
}
