/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "front/irc/irc_internal.h"
#include "wire/text.h"

/* Which way a line takes; see irc_internal.h. */

/* The first byte of a COMMAND_ECHO's text says what it is for. */
enum echo_kind {
    ECHO_LINE = 'l',     /* the line behind it is to be carried out; nothing waits for it */
    ECHO_WAITED = 'w',   /* the same, and nothing more was heard since */
    ECHO_SECRET = 's',   /* the same, with irc->secret as the line */
    ECHO_BEGIN = 'b',    /* answers with the label behind it begin */
    ECHO_END = 'e',      /* and end */
    ECHO_ASIDE = 'a',    /* what comes now answers no line of the peer */
    ECHO_AGAIN = 'o',    /* that is over */
    ECHO_TOO_LONG = 't', /* a line was too long; behind it its label */
    ECHO_NUMERIC = 'n',  /* the numeric behind it, three digits and perhaps a parameter, is due */
    ECHO_NOTE = 'c',     /* what is behind it is for the answer that comes next */
    ECHO_FAULT = 'f',    /* the batch that comes in is spoilt */
};

static const struct irc_command *const families[] = {
    irc_registration_commands, irc_message_commands, irc_channel_commands,
    irc_people_commands,       irc_server_commands,  irc_history_commands,
    irc_oper_commands,         irc_help_commands,    irc_batch_commands,
};

const struct irc_command *irc_command_find(struct irc_span name)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        for (const struct irc_command *row = families[i]; row->name; row++) {
            if (irc_span_is_nocase(name, row->name)) {
                return row;
            }
        }
    }
    return NULL;
}

static void send_round(struct irc_session *irc, enum echo_kind kind, const char *text, size_t len)
{
    char *copy = xmalloc(len + 1);
    copy[0] = (char)kind;
    if (len > 0) {
        memcpy(copy + 1, text, len);
    }
    (void)session_submit(&irc->base, COMMAND_ECHO, NULL, 0, copy, len + 1);
    free(copy);
}

void irc_finally(struct irc_session *irc, enum irc_numeric numeric, struct irc_span param)
{
    char text[IRC_BODY_MAX_BYTES];
    int n = snprintf(text, sizeof(text), "%03d%.*s", (int)numeric, (int)param.len,
                     param.len > 0 ? param.text : "");
    send_round(irc, ECHO_NUMERIC, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* A numeric is due: "366#lobby". */
static void write_due(struct irc_session *irc, const char *text, size_t len)
{
    if (len < 3) {
        return;
    }
    int number = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    const struct irc_span param = irc_span_of(text + 3, len - 3);
    irc_numeric(irc, (enum irc_numeric)number, &param, param.len > 0 ? 1 : 0);
}

void irc_aside(struct irc_session *irc, bool is_begin)
{
    send_round(irc, is_begin ? ECHO_ASIDE : ECHO_AGAIN, NULL, 0);
}

void irc_note(struct irc_session *irc, enum irc_note kind, struct irc_span text)
{
    char *copy = xmalloc(text.len + 1);
    copy[0] = (char)kind;
    if (text.len > 0) {
        memcpy(copy + 1, text.text, text.len);
    }
    send_round(irc, ECHO_NOTE, copy, text.len + 1);
    free(copy);
}

void irc_fault_round(struct irc_session *irc)
{
    irc->waiting = true;
    send_round(irc, ECHO_FAULT, NULL, 0);
}

char *irc_take_note(struct irc_session *irc, enum irc_note kind)
{
    char *note = irc->note;
    if (!note || note[0] != (char)kind) {
        return NULL;
    }
    irc->note = NULL;
    char *text = xmemdup0(note + 1, strlen(note + 1));
    free(note);
    return text;
}

/* The label among tags as it is on the wire; absent when there is none to answer with. */
static struct irc_span label_in(const struct irc_session *irc, struct irc_span tags)
{
    struct irc_span none = {NULL, 0};
    if (!(irc->caps & IRC_CAP(LABELED_RESPONSE)) || !tags.text) {
        return none;
    }
    struct irc_span label = irc_tags_find(tags, "label");
    return irc_is_label(label) ? label : none;
}

static struct irc_span label_of(const struct irc_session *irc, const struct irc_message *message)
{
    if (irc_is_batch_opening(irc, message)) {
        return irc_span_of(NULL, 0);
    }
    return irc_is_batch_closing(irc, message) ? irc_multiline_label(irc)
                                              : label_in(irc, message->tags);
}

/* NUL is in no message (Modern IRC, "Message Format"). What stands before one says how a line that
   holds it is answered; that is all it is read for. */
static bool has_nul(const struct irc_line *line)
{
    return memchr(line->text, '\0', line->len) != NULL;
}

static enum irc_message_fault parse(const char *text, size_t len, struct irc_line *ret_line)
{
    *ret_line = (struct irc_line){.text = text, .len = len};
    return irc_message_parse(text, strnlen(text, len), &ret_line->message);
}

/* The batch that a line of a registered user says it is of, beyond those that were taken. */
static struct irc_span stray_batch(const struct irc_session *irc, const struct irc_message *message)
{
    struct irc_span none = {NULL, 0};
    return irc->registered && message->tags.text ? irc_tags_find(message->tags, "batch") : none;
}

/* What is wrong with a line whatever its command does. Returns: false when it was told. */
static bool is_sound(struct irc_session *irc, const struct irc_line *line,
                     const struct irc_command *command)
{
    const struct irc_message *message = &line->message;
    struct irc_span batch = stray_batch(irc, message);
    if (has_nul(line)) {
        irc_fail(irc, command ? command->name : "*", IRC_STANDARD_INVALID_MESSAGE);
        return false;
    }
    if (!text_is_utf8(line->text, line->len)) {
        irc_fail(irc, command ? command->name : "*", IRC_STANDARD_INVALID_UTF8);
        return false;
    }
    if (batch.len > 0) {
        irc_multiline_stray(irc, batch);
        return false;
    }
    if (!command) {
        if (!irc->registered) {
            irc_reply0(irc, IRC_ERR_NOTREGISTERED);
        } else {
            irc_reply(irc, IRC_ERR_UNKNOWNCOMMAND, message->command);
        }
        return false;
    }
    if (!irc->registered && !(command->when & IRC_BEFORE)) {
        irc_reply0(irc, IRC_ERR_NOTREGISTERED);
        return false;
    }
    if (irc->registered && !(command->when & IRC_AFTER)) {
        irc_reply0(irc, IRC_ERR_ALREADYREGISTERED);
        return false;
    }
    if (message->param_count < command->least) {
        irc_reply(irc, IRC_ERR_NEEDMOREPARAMS, irc_span(command->name));
        return false;
    }
    return true;
}

/* Before registration nothing is under way at the hub: all is carried out at once. */
static void hear_unregistered(struct irc_session *irc, struct irc_line *line,
                              const struct irc_command *command)
{
    struct irc_span label = label_of(irc, &line->message);
    line->in_turn = true;
    if (label.text) {
        irc_label_begin(irc, label);
    }
    if (is_sound(irc, line, command)) {
        (void)command->fn(irc, line);
    }
    irc_label_end(irc);
}

static bool goes_to_hub(struct irc_session *irc, const struct irc_line *line,
                        const struct irc_command *command)
{
    return command && !command->is_local && (command->when & IRC_AFTER) &&
           line->message.param_count >= command->least && text_is_utf8(line->text, line->len) &&
           command->fn(irc, line);
}

static void write_too_long(struct irc_session *irc, struct irc_span label)
{
    if (label.len > 0) {
        irc_label_begin(irc, label);
    }
    irc_reply0(irc, IRC_ERR_INPUTTOOLONG);
    if (label.len > 0) {
        irc_label_end(irc);
    }
}

void irc_hear_too_long(struct irc_session *irc, const char *text, size_t len)
{
    struct irc_span tags = irc_span_of(len > 2 ? text + 1 : NULL, len > 2 ? len - 2 : 0);
    struct irc_span label = label_in(irc, tags);
    if (!irc->registered) {
        write_too_long(irc, label);
        return;
    }
    send_round(irc, ECHO_TOO_LONG, label.text, label.len);
    irc_multiline_lacks(irc, tags, len == 1);
}

void irc_forget_secret(struct irc_session *irc)
{
    xfree_wiped(irc->secret, irc->secret_len);
    irc->secret = NULL;
}

/* A line with a password goes round without its text, since commands and events are not wiped. */
static void send_secret(struct irc_session *irc, const struct irc_line *line)
{
    irc_forget_secret(irc);
    irc->secret = xmemdup0(line->text, line->len);
    irc->secret_len = (uint16_t)line->len;
    irc->waiting = true;
    send_round(irc, ECHO_SECRET, NULL, 0);
}

static void hear_registered(struct irc_session *irc, const struct irc_line *line,
                            const struct irc_command *command)
{
    if (command && command->is_secret) {
        send_secret(irc, line);
        return;
    }
    bool is_refused = has_nul(line) || stray_batch(irc, &line->message).len > 0;
    if (is_refused || (command && (command->is_local || command->waits))) {
        irc->waiting = !is_refused && command->waits;
        send_round(irc, irc->waiting ? ECHO_WAITED : ECHO_LINE, line->text, line->len);
        return;
    }
    struct irc_span label = label_of(irc, &line->message);
    bool is_labelled = label.text && command;
    if (is_labelled) {
        send_round(irc, ECHO_BEGIN, label.text, label.len);
    }
    if (!goes_to_hub(irc, line, command)) {
        /* It may send commands when it is back: whatever is heard now would overtake them. */
        irc->waiting = true;
        send_round(irc, ECHO_WAITED, line->text, line->len);
    } else if (is_labelled) {
        send_round(irc, ECHO_END, NULL, 0);
    }
}

void irc_hear(struct irc_session *irc, const char *text, size_t len)
{
    struct irc_line line;
    enum irc_message_fault fault = parse(text, len, &line);
    if (fault != IRC_MESSAGE_OK && fault != IRC_MESSAGE_BAD_COMMAND && !has_nul(&line)) {
        return; /* nothing that could be answered */
    }
    if (irc_multiline_take(irc, &line)) {
        return;
    }
    const struct irc_command *command = irc_command_find(line.message.command);
    if (irc->registered) {
        hear_registered(irc, &line, command);
    } else {
        hear_unregistered(irc, &line, command);
    }
}

void irc_answered(struct irc_session *irc, unsigned submitted)
{
    if (irc->submitted == submitted) {
        irc_label_end(irc);
    } else if (irc->label) {
        send_round(irc, ECHO_END, NULL, 0);
    }
    irc_go_on(irc);
}

/*
 * A line is back. When it sends commands itself, their answers are its answers too. One that waits
 * for something else ends its label, and the waiting, with its answer; one that nothing waited for
 * must not end the wait for one behind it.
 */
static void carry_out(struct irc_session *irc, bool was_waited, const char *text, size_t len)
{
    struct irc_line line;
    (void)parse(text, len, &line);
    line.in_turn = true;
    const struct irc_command *command = irc_command_find(line.message.command);
    struct irc_span label = label_of(irc, &line.message);
    unsigned submitted = irc->submitted;
    if (label.text) {
        irc_label_begin(irc, label);
    }
    irc->waiting = irc->waiting && !was_waited;
    if (is_sound(irc, &line, command)) {
        (void)command->fn(irc, &line);
    }
    if (!was_waited) {
        irc_label_end(irc);
    } else if (!irc->waiting) {
        irc_answered(irc, submitted);
    }
}

void irc_echo(struct irc_session *irc, const struct event *event)
{
    if (event->text_len == 0) {
        return;
    }
    const char *text = event->text + 1;
    size_t len = event->text_len - 1;
    switch ((enum echo_kind)event->text[0]) {
    case ECHO_LINE:
    case ECHO_WAITED:
        carry_out(irc, event->text[0] == ECHO_WAITED, text, len);
        break;
    case ECHO_SECRET:
        if (irc->secret) {
            carry_out(irc, true, irc->secret, irc->secret_len);
            irc_forget_secret(irc);
        }
        break;
    case ECHO_BEGIN:
        irc_label_begin(irc, irc_span_of(text, len));
        break;
    case ECHO_END:
        irc_label_end(irc);
        break;
    case ECHO_ASIDE:
    case ECHO_AGAIN:
        irc->is_aside = text[-1] == ECHO_ASIDE;
        break;
    case ECHO_TOO_LONG:
        write_too_long(irc, irc_span_of(text, len));
        break;
    case ECHO_NUMERIC:
        write_due(irc, text, len);
        break;
    case ECHO_FAULT:
        irc->waiting = false;
        irc_multiline_fault(irc);
        irc_go_on(irc);
        break;
    case ECHO_NOTE:
        free(irc->note);
        irc->note = xmemdup0(text, len);
        break;
    }
}
