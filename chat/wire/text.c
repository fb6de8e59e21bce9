/* SPDX-License-Identifier: MIT */
#include "wire/text.h"

#include <string.h>

/* Eight bytes are looked at as one number: a byte that matches leaves its top bit set. */
#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))
#define TOP_BITS         EACH_BYTE(0x80)
#define WORD_BYTES       sizeof(uint64_t)

#define COLOUR           0x03
#define HEX_COLOUR       0x04
#define DELETE           0x7f
#define REPLACEMENT      "\xef\xbf\xbd"
#define CHAR_MAX_BYTES   4

/* What becomes of one character on its way to other people. */
enum fate { FATE_KEEP, FATE_SPACE, FATE_DROP };

static uint64_t load_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static bool is_ascii_word(uint64_t word)
{
    return (word & TOP_BITS) == 0;
}

/* A borrow can only run into a byte above one that matched already, so "none" is always right. */
static bool is_printable_ascii_word(uint64_t word)
{
    uint64_t controls = (word - EACH_BYTE(0x20)) & ~word;
    uint64_t not_delete = word ^ EACH_BYTE(DELETE);
    uint64_t deletes = (not_delete - EACH_BYTE(1)) & ~not_delete;
    return ((word | controls | deletes) & TOP_BITS) == 0;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/*
 * Length of the character that starts at bytes, 0 when none does. The second byte's narrower range
 * after E0, ED, F0 and F4 keeps out overlong forms, surrogates and what lies above U+10FFFF (table
 * 3-7 of the Unicode standard).
 */
static size_t char_len(const uint8_t *bytes, size_t left)
{
    uint8_t lead = bytes[0];
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4 || left < 2 || !is_continuation(bytes[1])) {
        return 0;
    }
    if (lead < 0xe0) {
        return 2;
    }
    if (left < 3 || !is_continuation(bytes[2])) {
        return 0;
    }
    if (lead < 0xf0) {
        bool overlong = lead == 0xe0 && bytes[1] < 0xa0;
        bool surrogate = lead == 0xed && bytes[1] > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (left < 4 || !is_continuation(bytes[3])) {
        return 0;
    }
    bool overlong = lead == 0xf0 && bytes[1] < 0x90;
    bool too_high = lead == 0xf4 && bytes[1] > 0x8f;
    return overlong || too_high ? 0 : 4;
}

static enum fate fate_of(const uint8_t *bytes, size_t len)
{
    uint8_t first = bytes[0];
    if (len == 1) {
        if (first == '\t') {
            return FATE_SPACE;
        }
        return first < 0x20 || first == DELETE ? FATE_DROP : FATE_KEEP;
    }
    if (len == 2) {
        return first == 0xc2 && bytes[1] < 0xa0 ? FATE_DROP : FATE_KEEP;
    }
    if (len == 3 && first == 0xe2 && bytes[1] == 0x80) {
        if (bytes[2] == 0xa8 || bytes[2] == 0xa9) {
            return FATE_SPACE; /* U+2028 and U+2029 */
        }
        return bytes[2] >= 0xaa && bytes[2] <= 0xae ? FATE_DROP : FATE_KEEP;
    }
    if (len == 3 && first == 0xe2 && bytes[1] == 0x81) {
        return bytes[2] >= 0xa6 && bytes[2] <= 0xa9 ? FATE_DROP : FATE_KEEP;
    }
    return FATE_KEEP;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_hex_digit(uint8_t byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

/* Length of one colour: one or two digits after 0x03, just six hexadecimal ones after 0x04. */
static size_t colour_number_len(uint8_t code, const uint8_t *bytes, size_t left)
{
    size_t most = code == COLOUR ? 2 : 6;
    size_t len = 0;
    while (len < most && len < left &&
           (code == COLOUR ? is_digit(bytes[len]) : is_hex_digit(bytes[len]))) {
        len++;
    }
    return code == COLOUR || len == most ? len : 0;
}

/* Length of the colours that follow a colour code: "4" or "4,12". A comma alone is text. */
static size_t colours_len(uint8_t code, const uint8_t *bytes, size_t left)
{
    size_t foreground = colour_number_len(code, bytes, left);
    if (foreground == 0 || left - foreground < 2 || bytes[foreground] != ',') {
        return foreground;
    }
    size_t comma = foreground + 1;
    size_t background = colour_number_len(code, bytes + comma, left - comma);
    return background > 0 ? comma + background : foreground;
}

bool text_is_utf8(const char *text, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t at = 0;
    while (at < len) {
        if (len - at >= WORD_BYTES && is_ascii_word(load_word(bytes + at))) {
            at += WORD_BYTES;
            continue;
        }
        /* Past a word that is not all ASCII the check for words pays again only at its end. */
        size_t stop = len - at > WORD_BYTES ? at + WORD_BYTES : len;
        while (at < stop) {
            size_t step = char_len(bytes + at, len - at);
            if (step == 0) {
                return false;
            }
            at += step;
        }
    }
    return true;
}

bool text_is_clean(const char *text, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t at = 0;
    while (at < len) {
        if (len - at >= WORD_BYTES && is_printable_ascii_word(load_word(bytes + at))) {
            at += WORD_BYTES;
            continue;
        }
        size_t stop = len - at > WORD_BYTES ? at + WORD_BYTES : len;
        while (at < stop) {
            size_t step = char_len(bytes + at, len - at);
            if (step == 0 || fate_of(bytes + at, step) != FATE_KEEP) {
                return false;
            }
            at += step;
        }
    }
    return true;
}

size_t text_clean(const char *text, size_t len, char *ret)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t at = 0;
    size_t written = 0;
    while (at < len) {
        if (len - at >= WORD_BYTES && is_printable_ascii_word(load_word(bytes + at))) {
            memcpy(ret + written, bytes + at, WORD_BYTES);
            written += WORD_BYTES;
            at += WORD_BYTES;
            continue;
        }
        size_t step = char_len(bytes + at, len - at);
        if (step == 0) {
            memcpy(ret + written, REPLACEMENT, sizeof(REPLACEMENT) - 1);
            written += sizeof(REPLACEMENT) - 1;
            at++;
            continue;
        }
        enum fate fate = fate_of(bytes + at, step);
        if (fate == FATE_KEEP) {
            memcpy(ret + written, bytes + at, step);
            written += step;
        } else if (fate == FATE_SPACE) {
            ret[written++] = ' ';
        }
        uint8_t first = bytes[at];
        at += step;
        if (first == COLOUR || first == HEX_COLOUR) {
            at += colours_len(first, bytes + at, len - at);
        }
    }
    return written;
}

size_t text_cut(const char *text, size_t len, size_t max)
{
    if (len <= max) {
        return len;
    }
    const uint8_t *bytes = (const uint8_t *)text;
    size_t start = max;
    while (start > 0 && max - start < CHAR_MAX_BYTES - 1 && is_continuation(bytes[start])) {
        start--;
    }
    /* In bytes that are no UTF-8 there is no character to spare. */
    return char_len(bytes + start, len - start) > max - start ? start : max;
}
