/* SPDX-License-Identifier: MIT */
/*
 * What is said waits in the outbox. Its first message is sent with a PING behind it; when that is
 * answered the message was taken, or refused by what came before, and the next one goes. A server
 * with labeled-response and echo-message answers the message itself, and needs no PING. With
 * echo-message the room's own line is shown, else the line is shown when it is sent.
 *
 * When a connection ends while a message is on its way, nobody knows whether it was taken. The
 * history tells: what it has leaves the outbox, what it has not is sent again. Without history the
 * user is told, and it is not sent again.
 */
#include "chat_irc_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "wire/irc_writer.h"
#include "wire/text.h"

#define BUSY_MS        2000 /* a server that says "not now" is asked again after this */
#define BUSY_TRIES_MAX 5
#define FLOOD_PACE_MS  2000 /* between two lines, once a server has closed because of too many */
#define PACE_NONE      (-1)
#define UNKNOWN_USER   80 /* "!user@host" of whom the server has not told: 10 + 63 and more */

/* ---- queueing ---- */

/* What of a message is text: 512 bytes less what others see around it. */
static size_t text_room(const struct chat_irc *irc, const char *target, bool is_action,
                        bool is_notice)
{
    size_t source = irc->source[0] != '\0' ? strlen(irc->source) + 1 : UNKNOWN_USER;
    size_t around = 1 + strlen(irc->nick) + source + 1 + (is_notice ? 6 : 7) + 1 + strlen(target) +
                    2 + (is_action ? 9 : 0) + 2;
    return around + 40 < IRC_BODY_MAX_BYTES ? IRC_BODY_MAX_BYTES - around : 40;
}

/* At most max bytes, between characters, and between words where one is near. */
static size_t piece_of(const char *text, size_t len, size_t max)
{
    if (len <= max) {
        return len;
    }
    size_t cut = text_cut(text, len, max);
    for (size_t i = cut; i > cut - cut / 4; i--) {
        if (text[i] == ' ') {
            return i;
        }
    }
    return cut;
}

static void queue(struct chat_irc *irc, const char *target, const char *text, size_t len,
                  bool is_action, bool is_notice)
{
    if (irc->outbox_count == irc->outbox_cap) {
        irc->outbox_cap = irc->outbox_cap * 2 + 8;
        irc->outbox = xreallocarray(irc->outbox, irc->outbox_cap, sizeof(*irc->outbox));
    }
    irc->outbox[irc->outbox_count++] =
        (struct chat_irc_said){.target = xmemdup0(target, strlen(target)),
                               .text = xmemdup0(text, len),
                               .is_action = is_action,
                               .is_notice = is_notice};
}

void chat_irc_say(struct chat_irc *irc, const char *target, const char *text, bool is_action,
                  bool is_notice)
{
    size_t len = strlen(text);
    size_t max = text_room(irc, target, is_action, is_notice);
    if (irc->outbox_count >= CHAT_IRC_OUTBOX_MAX) {
        chat_irc_tell(irc, "Not kept, %d lines wait already: %.200s", CHAT_IRC_OUTBOX_MAX, text);
        return;
    }
    do {
        size_t piece = piece_of(text, len, max);
        queue(irc, target, text, piece, is_action, is_notice);
        text += piece;
        len -= piece;
        if (len > 0 && text[0] == ' ') {
            text++;
            len--;
        }
    } while (len > 0);
    chat_irc_pump(irc);
}

static void free_said(struct chat_irc_said *said)
{
    free(said->target);
    free(said->text);
}

static void pop(struct chat_irc *irc)
{
    free_said(&irc->outbox[0]);
    irc->outbox_count--;
    memmove(irc->outbox, irc->outbox + 1, irc->outbox_count * sizeof(*irc->outbox));
    irc->in_flight = irc->is_echoed = irc->is_unsure = false;
    irc->flight_tries = 0;
    irc->refusal[0] = '\0';
    irc->pace_until_ms = irc->pace_ms > 0 ? irc->now_ms + irc->pace_ms : PACE_NONE;
}

void chat_irc_say_free(struct chat_irc *irc)
{
    for (size_t i = 0; i < irc->outbox_count; i++) {
        free_said(&irc->outbox[i]);
    }
    free(irc->outbox);
    irc->outbox = NULL;
    irc->outbox_count = 0;
}

/* ---- sending ---- */

static void put_fence(struct chat_irc *irc)
{
    char token[32];
    (void)snprintf(token, sizeof token, "pl%lu", ++irc->fence);
    chat_irc_send(irc, NULL, "PING", token, NULL);
}

static void show_own(struct chat_irc *irc, const struct chat_irc_said *said)
{
    enum chat_irc_voice voice = said->is_action   ? VOICE_DID
                                : said->is_notice ? VOICE_NOTICE
                                                  : VOICE_SAID;
    struct irc_span target = irc_span(said->target), nick = irc_span(irc->nick);
    if (chat_irc_is_room(irc, target)) {
        chat_irc_show_said(irc, irc->wall_ms, target, nick, irc_span(said->text), voice);
    } else {
        chat_irc_show_private(irc, irc->wall_ms, nick, target, irc_span(said->text), voice);
    }
}

static bool is_labeled(const struct chat_irc *irc)
{
    const unsigned both = CAP_LABELED_RESPONSE | CAP_ECHO_MESSAGE;
    return (irc->caps & both) == both;
}

static void send_first(struct chat_irc *irc)
{
    const struct chat_irc_said *said = &irc->outbox[0];
    struct irc_writer writer;
    char text[IRC_BODY_MAX_BYTES + 16];
    (void)snprintf(text, sizeof text, said->is_action ? "\001ACTION %.500s\001" : "%.511s",
                   said->text);
    irc_writer_init(&writer, IRC_CLIENT_TAGS_MAX_BYTES);
    if (is_labeled(irc)) {
        char label[32];
        (void)snprintf(label, sizeof label, "pl%lu", irc->fence + 1);
        (void)irc_writer_put_tag(&writer, irc_span("label"), irc_span(label));
    }
    irc_writer_put_command(&writer, irc_span(said->is_notice ? "NOTICE" : "PRIVMSG"));
    irc_writer_put_param(&writer, irc_span(said->target));
    irc_writer_put_text(&writer, irc_span(text));
    size_t len = irc_writer_end(&writer);
    if (len == 0) {
        chat_irc_tell(irc, "That cannot be sent to %s.", said->target);
        irc->events->on_refused("a line cannot be sent", irc->user);
        pop(irc);
        return;
    }
    irc->in_flight = true;
    irc->is_echoed = false;
    irc->refusal[0] = '\0';
    irc->flight_until_ms = irc->now_ms + CHAT_IRC_ANSWER_MS;
    irc->events->on_send(writer.bytes, len, irc->user);
    if (is_labeled(irc)) {
        irc->fence++; /* the number is the label's */
    } else {
        put_fence(irc);
    }
    irc->flight_fence = irc->fence;
    if ((irc->caps & CAP_ECHO_MESSAGE) == 0 && irc->flight_tries == 0) {
        show_own(irc, said);
    }
}

void chat_irc_pump(struct chat_irc *irc)
{
    while (irc->phase == IRC_READY && !irc->is_closing && !irc->in_flight &&
           irc->outbox_count > 0 && (irc->pace_until_ms < 0 || irc->now_ms >= irc->pace_until_ms)) {
        irc->pace_until_ms = PACE_NONE;
        send_first(irc);
    }
}

void chat_irc_fence_command(struct chat_irc *irc)
{
    put_fence(irc);
    irc->command_fence = irc->fence;
    irc->command_until_ms = irc->now_ms + CHAT_IRC_ANSWER_MS;
}

/* ---- what becomes of it ---- */

static void on_flight_answered(struct chat_irc *irc)
{
    char text[sizeof irc->refusal];
    (void)snprintf(text, sizeof text, "%s", irc->refusal);
    if (text[0] == '\0' && irc->strict && !irc->is_echoed && (irc->caps & CAP_ECHO_MESSAGE) != 0) {
        return; /* the echo may come yet: flight_until_ms */
    }
    pop(irc);
    if (text[0] != '\0') {
        irc->events->on_refused(text, irc->user);
    }
    chat_irc_pump(irc);
}

void chat_irc_on_pong(struct chat_irc *irc, struct irc_span token)
{
    unsigned long number = 0;
    bool is_ours = token.len > 2 && token.len < 20 && memcmp(token.text, "pl", 2) == 0;
    for (size_t i = 2; is_ours && i < token.len; i++) {
        is_ours = token.text[i] >= '0' && token.text[i] <= '9';
        number = number * 10 + (unsigned long)(token.text[i] - '0');
    }
    /* Some servers answer with their own name: then it is the next one. */
    if (!is_ours) {
        number = irc->fence_seen + 1;
    }
    if (number <= irc->fence_seen || number > irc->fence) {
        return;
    }
    irc->fence_seen = number;
    if (irc->command_fence != 0 && number >= irc->command_fence) {
        irc->command_fence = 0;
        if (irc->refusal[0] != '\0' && !irc->in_flight) {
            char text[sizeof irc->refusal];
            (void)snprintf(text, sizeof text, "%s", irc->refusal);
            irc->refusal[0] = '\0';
            irc->events->on_refused(text, irc->user);
        }
    }
    if (irc->in_flight && number >= irc->flight_fence) {
        on_flight_answered(irc);
    }
}

static bool is_flight_label(const struct chat_irc *irc, struct irc_span label)
{
    char own[32];
    (void)snprintf(own, sizeof own, "pl%lu", irc->flight_fence);
    return irc->in_flight && label.len > 0 && irc_span_is(label, own);
}

void chat_irc_on_label(struct chat_irc *irc, struct irc_span label)
{
    if (is_flight_label(irc, label)) {
        on_flight_answered(irc);
    }
}

void chat_irc_on_refusal(struct chat_irc *irc, const struct chat_irc_in *in, const char *text)
{
    /* With labels it is known whether it is the message's. */
    bool is_message = is_labeled(irc) ? is_flight_label(irc, in->label)
                                      : irc->in_flight && irc->command_fence == 0;
    if (is_message || irc->command_fence != 0) {
        (void)snprintf(irc->refusal, sizeof irc->refusal, "%s", text);
    }
}

void chat_irc_on_busy(struct chat_irc *irc)
{
    if (!irc->in_flight || irc->flight_tries >= BUSY_TRIES_MAX) {
        return;
    }
    irc->flight_tries++;
    irc->in_flight = false;
    irc->refusal[0] = '\0';
    irc->pace_until_ms = irc->now_ms + BUSY_MS;
}

static bool is_same_said(const struct chat_irc *irc, const struct chat_irc_said *said,
                         struct irc_span target, struct irc_span text, bool is_action)
{
    return said->is_action == is_action && chat_irc_same(irc, target, said->target) &&
           irc_span_is(text, said->text);
}

void chat_irc_on_own_message(struct chat_irc *irc, const struct chat_irc_in *in,
                             struct irc_span target, struct irc_span text, bool is_action)
{
    if (irc->outbox_count == 0) {
        return;
    }
    bool is_same = is_same_said(irc, &irc->outbox[0], target, text, is_action);
    if (irc->in_flight && !in->history && (is_same || is_flight_label(irc, in->label))) {
        irc->is_echoed = true;
        if (irc->fence_seen >= irc->flight_fence) {
            on_flight_answered(irc); /* the PING's answer was quicker */
        }
    } else if (irc->is_unsure && in->history && is_same) {
        pop(irc);
    }
}

/* ---- outages, time ---- */

void chat_irc_say_lost(struct chat_irc *irc)
{
    irc->is_unsure = irc->is_unsure || irc->in_flight;
    irc->in_flight = false;
    irc->command_fence = 0;
    irc->refusal[0] = '\0';
    irc->pace_until_ms = PACE_NONE;
    if (irc->is_unsure && strcasestr(irc->farewell, "flood")) {
        irc->pace_ms = FLOOD_PACE_MS;
    }
}

void chat_irc_say_resume(struct chat_irc *irc)
{
    if (irc->is_unsure && irc->outbox_count > 0 && (irc->caps & CAP_CHATHISTORY) == 0) {
        char text[sizeof irc->refusal];
        (void)snprintf(text, sizeof text, "%.500s", irc->outbox[0].text);
        pop(irc);
        chat_irc_tell(irc,
                      "The connection ended while this was on its way; it is not known "
                      "whether it was heard: %s",
                      text);
    }
    irc->is_unsure = false;
    if (irc->outbox_count > 0 && irc->is_returning) {
        chat_irc_tell(irc, "Sending %zu line%s that %s not said yet.", irc->outbox_count,
                      irc->outbox_count == 1 ? "" : "s", irc->outbox_count == 1 ? "was" : "were");
    }
    chat_irc_pump(irc);
}

int64_t chat_irc_say_next_ms(const struct chat_irc *irc)
{
    if (irc->in_flight) {
        return irc->flight_until_ms;
    }
    if (irc->command_fence != 0) {
        return irc->command_until_ms;
    }
    return irc->outbox_count > 0 && irc->phase == IRC_READY ? irc->pace_until_ms : -1;
}

void chat_irc_say_tick(struct chat_irc *irc)
{
    if (irc->in_flight && irc->now_ms >= irc->flight_until_ms) {
        /* A person sees what is missing on the screen; the line may be with others all the same. */
        pop(irc);
        irc->events->on_refused("the server did not confirm a line within 10 s", irc->user);
    }
    if (irc->command_fence != 0 && irc->now_ms >= irc->command_until_ms) {
        irc->command_fence = 0;
        irc->events->on_refused("the server did not answer a command within 10 s", irc->user);
    }
    chat_irc_pump(irc);
}

bool chat_irc_is_idle(const struct chat_irc *irc)
{
    bool asks = false;
    for (size_t i = 0; i < irc->room_count; i++) {
        asks = asks || irc->rooms[i]->ask != ASK_NOTHING || irc->rooms[i]->is_asked;
    }
    return irc->outbox_count == 0 && irc->command_fence == 0 && !asks;
}
