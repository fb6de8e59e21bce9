/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "wire/fuzz/line_transcript.h"
#include "wire/line.h"
#include "wire/text.h"

/*
 * The first byte of the input chooses how it is split, the second the longest line, the rest are
 * the bytes of a peer. Promises: whole, split, byte by byte and stopped at each line say the same,
 * and all of them what a second, slow decoder says that shares no code with the first.
 */

/* The slow decoder: one byte at a time, every line built in one buffer, no runs and no borrowing.
 */
struct model {
    struct line_transcript *log;
    size_t max;
    char *line; /* room for max bytes */
    size_t len;
    bool after_cr, refused; /* refused: this line is too long, and the transcript has it */
};

static void model_end_line(struct model *model)
{
    if (!model->refused) {
        bool valid = text_is_utf8(model->line, model->len);
        (void)transcript_on_line(valid ? LINE_OK : LINE_NOT_UTF8, model->line,
                                 valid ? model->len : 0, model->log);
    }
    model->refused = false;
    model->len = 0;
}

static void model_text(struct model *model, uint8_t byte)
{
    bool after_cr = model->after_cr;
    model->after_cr = byte == '\r';
    if (after_cr && (byte == '\n' || byte == '\0')) {
        return;
    }
    if (byte == '\r' || byte == '\n') {
        model_end_line(model);
    } else if (!model->refused && model->len == model->max) {
        (void)transcript_on_line(LINE_TOO_LONG, "", 0, model->log);
        model->refused = true;
        model->len = 0;
    } else if (!model->refused) {
        model->line[model->len++] = (char)byte;
    }
}

static void model_erase_char(struct model *model)
{
    if (model->len == 0) {
        return;
    }
    for (size_t back = 4; back > 1; back--) {
        if (back <= model->len && text_is_utf8(model->line + model->len - back, back)) {
            const uint8_t *last = (const uint8_t *)model->line + model->len - back;
            if (*last >= 0xc0 && (back == 4 ? *last >= 0xf0 : back == 3 ? *last >= 0xe0 : true)) {
                model->len -= back;
                return;
            }
        }
    }
    model->len--;
}

/* A whole telnet command that starts with the IAC at bytes. Returns its length. */
static size_t model_command(struct model *model, const uint8_t *bytes, size_t len)
{
    if (len < 2) {
        return len;
    }
    uint8_t command = bytes[1];
    if (command < 236) {
        model_text(model, 0xff);
        return 1;
    }
    if (command >= 251 && command <= 254) {
        if (len > 2 && (command == 251 || command == 253)) {
            uint8_t answer[] = {0xff, command == 251 ? 254 : 252, bytes[2]};
            transcript_on_answer(answer, sizeof(answer), model->log);
        }
        return len > 2 ? 3 : len;
    }
    if (command == 250) {
        size_t at = 2;
        while (at < len) {
            if (bytes[at] != 0xff) {
                at++;
            } else if (at + 1 < len && bytes[at + 1] == 240) {
                return at + 2;
            } else {
                at += 2;
            }
        }
        return len;
    }
    if (command == 255) {
        model_text(model, 0xff);
    } else if (command == 246) {
        transcript_on_are_you_there(model->log);
    } else if (command == 247) {
        model_erase_char(model);
    } else if (command == 248 || command == 244 || command == 243) {
        model->len = 0;
        model->refused = false;
    }
    return 2;
}

static void run_model(const uint8_t *bytes, size_t len, size_t max, struct line_transcript *log)
{
    struct model model = {.log = log, .max = max, .line = malloc(max)};
    fuzz_check(model.line);
    size_t at = 0;
    while (at < len) {
        if (bytes[at] == 0xff) {
            at += model_command(&model, bytes + at, len - at);
        } else {
            model_text(&model, bytes[at++]);
        }
    }
    if (model.len > 0) {
        model_end_line(&model);
    }
    free(model.line);
}

/* Feeds pieces of at most piece bytes (0: whole; odd seeds vary the size) and checks the decoder.
 */
static void run_decoder(const uint8_t *bytes, size_t len, uint32_t max, size_t piece, unsigned seed,
                        struct line_transcript *log)
{
    struct line_decoder decoder;
    line_decoder_init(&decoder, max);
    size_t at = 0;
    while (at < len) {
        seed = seed * 1103515245U + 12345U;
        size_t want = piece == 0 ? len - at : 1 + (seed >> 16) % piece;
        want = want < len - at ? want : len - at;
        uint8_t *chunk = fuzz_copy(bytes + at, want);
        size_t done = 0;
        while (done < want) {
            size_t lines = log->lines;
            size_t taken =
                line_decoder_feed(&decoder, chunk + done, want - done, &transcript_sink, log);
            done += taken;
            fuzz_check(done <= want);
            fuzz_check(done == want || (log->stop_each && log->lines == lines + 1));
            fuzz_check(!log->stop_each || log->lines <= lines + 1);
            fuzz_check(decoder.len <= decoder.cap && decoder.cap <= max);
            fuzz_check((decoder.partial == NULL) == (decoder.len == 0));
            fuzz_check(decoder.sub_len <= LINE_SUB_MAX_BYTES);
        }
        free(chunk);
        at += want;
    }
    line_decoder_end(&decoder, &transcript_sink, log);
    fuzz_check(decoder.partial == NULL);
    line_decoder_finish(&decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    uint8_t split = data[0];
    uint32_t max = 1U + data[1];
    data += 2;
    size -= 2;
    struct line_transcript expected = {0};
    run_model(data, size, max, &expected);
    const size_t pieces[] = {0, 1, 1U + split % 32U};
    for (size_t i = 0; i < 3; i++) {
        struct line_transcript log = {.stop_each = (split >> (5 + i)) & 1};
        run_decoder(data, size, max, pieces[i], split, &log);
        fuzz_check(strcmp(transcript_text(&log), transcript_text(&expected)) == 0);
        transcript_finish(&log);
    }
    transcript_finish(&expected);
    return 0;
}
