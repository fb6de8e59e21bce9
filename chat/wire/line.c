/* SPDX-License-Identifier: MIT */
#include "wire/line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "wire/text.h"

/*
 * Two machines, one in the other. The outer one takes telnet out of the bytes:
 *
 *   TEXT ─IAC─► AFTER_IAC ─WILL, WONT, DO, DONT─► AFTER_VERB ─option─► TEXT
 *                         ─SB─► IN_SUB ─IAC─► IN_SUB_IAC ─SE─► TEXT, else back to IN_SUB
 *                         ─any other command─► TEXT
 *
 * The inner one sees text only and cuts it into lines. Its state (partial, after_cr, skipping)
 * stays as it is while the outer one reads a command, so CR LF with a command in the middle is one
 * end.
 *
 * A line that lies whole in the input is handed on from there. Only the start of a line whose end
 * has not come, or that a command interrupts, is copied to `partial`, which is freed with the line:
 * partial is NULL exactly when len is 0.
 *
 * A line that is too long is reported with its byte max_bytes + 1, not with its end, which may
 * never come; `skipping` then drops the rest. Whatever is to be changed in the decoder is changed
 * before on_line is called, and nothing in it is touched after on_line said stop: it may be gone by
 * then.
 */

#define PARTIAL_MIN_BYTES 64
#define CR                '\r'
#define LF                '\n'

enum telnet_state { TEXT, AFTER_IAC, AFTER_VERB, IN_SUB, IN_SUB_IAC };

/* RFC 854; the first three are RFC 1184's. */
enum telnet_command {
    TELNET_EOF = 236, /* nothing below this is a command */
    TELNET_SUSP = 237,
    TELNET_ABORT = 238,
    TELNET_EOR = 239, /* RFC 885 */
    TELNET_SE = 240,
    TELNET_BRK = 243,
    TELNET_IP = 244,
    TELNET_AYT = 246,
    TELNET_EC = 247,
    TELNET_EL = 248,
    TELNET_SB = 250,
    TELNET_WILL = 251,
    TELNET_WONT = 252,
    TELNET_DO = 253,
    TELNET_DONT = 254,
    TELNET_IAC = 255,
};

/* One call of line_decoder_feed. */
struct feed {
    const uint8_t *bytes;
    size_t len;
    size_t at; /* bytes taken */
    const struct line_sink *sink;
    void *user;
};

static bool word_has_stop(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t lf = word ^ (ones * LF);
    uint64_t cr = word ^ (ones * CR);
    /* A byte of 0 borrows into its top bit; IAC is 0 once its bits are turned. */
    uint64_t zeros = ((lf - ones) & ~lf) | ((cr - ones) & ~cr) | ((~word - ones) & word);
    return (zeros & (ones * 0x80)) != 0;
}

/* Bytes before the first CR, LF or IAC: len when there is none. */
static size_t text_run(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        if (word_has_stop(word)) {
            break;
        }
    }
    while (at < len && bytes[at] != LF && bytes[at] != CR && bytes[at] != TELNET_IAC) {
        at++;
    }
    return at;
}

static void drop_partial(struct line_decoder *decoder)
{
    xfree_wiped(decoder->partial, decoder->len); /* it may be the password of the server */
    decoder->partial = NULL;
    decoder->len = 0;
    decoder->cap = 0;
}

/* Keeps the start of a line. The caller has checked that it fits into max_bytes. */
static void hold(struct line_decoder *decoder, const uint8_t *bytes, size_t len)
{
    if (decoder->skipping || len == 0) {
        return;
    }
    size_t want = decoder->len + len;
    if (want > decoder->cap) {
        size_t cap = decoder->cap > 0 ? decoder->cap : PARTIAL_MIN_BYTES;
        while (cap < want) {
            cap *= 2;
        }
        cap = cap < decoder->max_bytes ? cap : decoder->max_bytes;
        decoder->partial = xgrow_wiped(decoder->partial, decoder->len, cap);
        decoder->cap = (uint32_t)cap;
    }
    memcpy(decoder->partial + decoder->len, bytes, len);
    decoder->len = (uint32_t)want;
}

static bool report(const char *line, size_t len, const struct line_sink *sink, void *user)
{
    if (!text_is_utf8(line, len)) {
        return sink->on_line(LINE_NOT_UTF8, "", 0, user);
    }
    return sink->on_line(LINE_OK, line, len, user);
}

/* The memory leaves the decoder first: on_line may finish it. */
static bool report_partial(struct line_decoder *decoder, const struct line_sink *sink, void *user)
{
    char *line = decoder->partial;
    size_t len = decoder->len;
    decoder->partial = NULL;
    drop_partial(decoder);
    bool go_on = report(line, len, sink, user);
    xfree_wiped(line, len);
    return go_on;
}

static bool report_too_long(struct line_decoder *decoder, const struct line_sink *sink, void *user)
{
    drop_partial(decoder);
    decoder->skipping = true;
    return sink->on_line(LINE_TOO_LONG, "", 0, user);
}

static bool end_line(struct line_decoder *decoder, const uint8_t *rest, size_t len,
                     const struct feed *feed)
{
    if (decoder->skipping) {
        decoder->skipping = false;
        return true;
    }
    if (!decoder->partial) {
        return report((const char *)rest, len, feed->sink, feed->user);
    }
    hold(decoder, rest, len);
    return report_partial(decoder, feed->sink, feed->user);
}

/* Takes text up to and with the next CR, LF or IAC. Returns false to stop. */
static bool feed_text(struct line_decoder *decoder, struct feed *feed)
{
    const uint8_t *run = feed->bytes + feed->at;
    if (decoder->after_cr && run[0] != TELNET_IAC) {
        decoder->after_cr = false;
        if (run[0] == LF || run[0] == '\0') {
            feed->at++;
            return true;
        }
    }
    size_t left = feed->len - feed->at;
    size_t len = text_run(run, left);
    size_t room = decoder->max_bytes - decoder->len;
    if (!decoder->skipping && len > room) {
        /* Not more than the byte too many, so that stopping here means the same for all splits. */
        feed->at += room + 1;
        return report_too_long(decoder, feed->sink, feed->user);
    }
    if (len == left) {
        feed->at += len;
        hold(decoder, run, len);
        return true;
    }
    feed->at += len + 1;
    if (run[len] == TELNET_IAC) {
        hold(decoder, run, len);
        decoder->state = AFTER_IAC;
        return true;
    }
    decoder->after_cr = run[len] == CR;
    return end_line(decoder, run, len, feed);
}

/* The data byte 0xFF. Returns false to stop. */
static bool put_iac(struct line_decoder *decoder, const struct feed *feed)
{
    static const uint8_t iac = TELNET_IAC;
    decoder->after_cr = false;
    if (!decoder->skipping && decoder->len == decoder->max_bytes) {
        return report_too_long(decoder, feed->sink, feed->user);
    }
    hold(decoder, &iac, 1);
    return true;
}

static void erase_char(struct line_decoder *decoder)
{
    if (decoder->len > 0) {
        decoder->len = (uint32_t)text_cut(decoder->partial, decoder->len, decoder->len - 1);
    }
    if (decoder->len == 0) {
        drop_partial(decoder);
    }
}

static void erase_line(struct line_decoder *decoder)
{
    drop_partial(decoder);
    decoder->skipping = false;
}

/* The byte after an IAC. Returns false to stop. */
static bool feed_command(struct line_decoder *decoder, uint8_t command, struct feed *feed)
{
    decoder->state = TEXT;
    if (command < TELNET_EOF) {
        /*
         * No telnet: a peer whose text is Latin-1 sent a letter. Both bytes are text, so the line
         * ends where the peer ended it and is refused with a reason, instead of losing its end.
         */
        return put_iac(decoder, feed);
    }
    feed->at++;
    switch (command) {
    case TELNET_IAC:
        return put_iac(decoder, feed);
    case TELNET_WILL:
    case TELNET_WONT:
    case TELNET_DO:
    case TELNET_DONT:
        decoder->verb = command;
        decoder->state = AFTER_VERB;
        return true;
    case TELNET_SB:
        decoder->sub_len = 0;
        decoder->state = IN_SUB;
        return true;
    case TELNET_AYT:
        feed->sink->on_are_you_there(feed->user);
        return true;
    case TELNET_EC:
        erase_char(decoder);
        return true;
    case TELNET_EL:
    case TELNET_IP:
    case TELNET_BRK:
        erase_line(decoder);
        return true;
    default:
        return true; /* NOP, DM, AO, GA, a stray SE and the rest ask for nothing here */
    }
}

/*
 * RFC 1143: every option is off and stays off. A wish to switch one on is refused; that one is off
 * is no news, and answering it could make two machines talk for ever.
 */
static void feed_option(struct line_decoder *decoder, uint8_t option, const struct feed *feed)
{
    decoder->state = TEXT;
    if (decoder->verb == TELNET_WILL || decoder->verb == TELNET_DO) {
        uint8_t refusal = decoder->verb == TELNET_WILL ? TELNET_DONT : TELNET_WONT;
        const uint8_t answer[] = {TELNET_IAC, refusal, option};
        feed->sink->on_answer(answer, sizeof(answer), feed->user);
    }
}

/* No option is on, so no subnegotiation means anything: it is counted, not kept. */
static void feed_sub(struct line_decoder *decoder, struct feed *feed)
{
    const uint8_t *bytes = feed->bytes + feed->at;
    size_t left = feed->len - feed->at;
    const uint8_t *iac = memchr(bytes, TELNET_IAC, left);
    size_t len = iac ? (size_t)(iac - bytes) : left;
    size_t room = LINE_SUB_MAX_BYTES - decoder->sub_len;
    decoder->sub_len = (uint16_t)(decoder->sub_len + (len < room ? len : room));
    feed->at += len;
    if (iac) {
        feed->at++;
        decoder->state = IN_SUB_IAC;
    }
}

static bool feed_telnet(struct line_decoder *decoder, struct feed *feed)
{
    uint8_t byte = feed->bytes[feed->at];
    switch ((enum telnet_state)decoder->state) {
    case AFTER_IAC:
        return feed_command(decoder, byte, feed);
    case AFTER_VERB:
        feed->at++;
        feed_option(decoder, byte, feed);
        return true;
    case IN_SUB:
        feed_sub(decoder, feed);
        return true;
    case IN_SUB_IAC:
        feed->at++;
        decoder->state = byte == TELNET_SE ? TEXT : IN_SUB;
        return true;
    case TEXT:
        break;
    }
    return feed_text(decoder, feed);
}

void line_decoder_init(struct line_decoder *decoder, uint32_t max_bytes)
{
    assert(max_bytes > 0);
    *decoder = (struct line_decoder){.max_bytes = max_bytes};
}

void line_decoder_finish(struct line_decoder *decoder)
{
    drop_partial(decoder);
}

size_t line_decoder_feed(struct line_decoder *decoder, const uint8_t *bytes, size_t len,
                         const struct line_sink *sink, void *user)
{
    struct feed feed = {.bytes = bytes, .len = len, .sink = sink, .user = user};
    bool go_on = true;
    while (go_on && feed.at < feed.len) {
        go_on = decoder->state == TEXT ? feed_text(decoder, &feed) : feed_telnet(decoder, &feed);
    }
    return feed.at;
}

void line_decoder_end(struct line_decoder *decoder, const struct line_sink *sink, void *user)
{
    decoder->state = TEXT;
    decoder->after_cr = false;
    decoder->skipping = false;
    if (decoder->partial) {
        (void)report_partial(decoder, sink, user); /* there is nothing left to stop */
    }
}
