/* SPDX-License-Identifier: MIT */
#include "chat_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "wire/text.h"

/* ---- its parts ---- */

static bool is_stamp(const char *text, size_t len)
{
    static const char form[] = "dddd-dd-dd dd:dd:dd ";
    if (len < CHAT_STAMP_BYTES + 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof form - 1; i++) {
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) {
            return false;
        }
    }
    return true;
}

static void parse_dated(struct chat_line *line)
{
    const char *body = line->body;
    size_t len = line->body_len;
    line->kind = CHAT_LINE_OTHER;
    if (len >= 4 && memcmp(body, "*** ", 4) == 0) {
        line->kind = CHAT_LINE_NOTED;
    } else if (len >= 1 && body[0] == '[') {
        const char *end = memchr(body, ']', len);
        line->kind = end ? CHAT_LINE_PRIVATE : CHAT_LINE_OTHER;
    } else if (len >= 2 && memcmp(body, "* ", 2) == 0) {
        const char *end = memchr(body + 2, ' ', len - 2);
        line->kind = CHAT_LINE_DID;
        line->name = body + 2;
        line->name_len = end ? (size_t)(end - line->name) : len - 2;
    } else {
        const char *end = memmem(body, len, ": ", 2);
        if (end && !memchr(body, ' ', (size_t)(end - body))) {
            line->kind = CHAT_LINE_SAID;
            line->name = body;
            line->name_len = (size_t)(end - body);
        }
    }
}

struct chat_line chat_line_parse(const char *text, size_t len)
{
    struct chat_line line = {
        .kind = CHAT_LINE_OTHER, .text = text, .len = len, .body = text, .body_len = len};
    if (is_stamp(text, len)) {
        line.body += CHAT_STAMP_BYTES + 1;
        line.body_len -= CHAT_STAMP_BYTES + 1;
        parse_dated(&line);
    } else if (len >= 4 && memcmp(text, "*** ", 4) == 0) {
        line.kind = CHAT_LINE_SERVER;
        line.body += 4;
        line.body_len -= 4;
    }
    return line;
}

bool chat_line_is_stored(const struct chat_line *line)
{
    return line->kind == CHAT_LINE_SAID || line->kind == CHAT_LINE_DID ||
           line->kind == CHAT_LINE_NOTED;
}

/* ---- what the server says ---- */

static bool starts(const struct chat_line *line, const char *with)
{
    size_t len = strlen(with);
    return line->body_len >= len && memcmp(line->body, with, len) == 0;
}

static bool says(const struct chat_line *line, const char *with)
{
    return line->kind == CHAT_LINE_SERVER && starts(line, with);
}

/* Copies what lies before one of the characters in ends. */
static bool copy_word(const char *from, const char *to, char end, char *ret, size_t cap)
{
    const char *stop = memchr(from, end, (size_t)(to - from));
    size_t len = stop ? (size_t)(stop - from) : 0;
    if (len == 0 || len >= cap || memchr(from, ' ', len)) {
        return false;
    }
    memcpy(ret, from, len);
    ret[len] = '\0';
    return true;
}

bool chat_line_is_welcome(const struct chat_line *line)
{
    return says(line, "Welcome to ");
}

bool chat_line_own_name(const struct chat_line *line, char ret_name[NAME_CEILING_BYTES + 1])
{
    static const char renamed[] = "You are now called ";
    static const char welcome[] = ". You are ";
    const char *end = line->body + line->body_len;
    if (says(line, renamed)) {
        /* A name may have dots in it, but the sentence ends with one. */
        size_t len = line->body_len - (sizeof renamed - 1);
        const char *name = line->body + sizeof renamed - 1;
        if (len < 2 || len > NAME_CEILING_BYTES + 1 || end[-1] != '.') {
            return false;
        }
        memcpy(ret_name, name, len - 1);
        ret_name[len - 1] = '\0';
        return true;
    }
    if (!chat_line_is_welcome(line)) {
        return false;
    }
    const char *at = line->body;
    const char *found = NULL;
    while ((at = memmem(at, (size_t)(end - at), welcome, sizeof welcome - 1)) != NULL) {
        at += sizeof welcome - 1; /* the network's name may hold the same words: the last counts */
        found = at;
    }
    return found && copy_word(found, end, ';', ret_name, NAME_CEILING_BYTES + 1);
}

bool chat_line_own_room(const struct chat_line *line, char ret_room[ROOM_NAME_CEILING_BYTES + 1])
{
    static const char entered[] = "You are in ";
    return says(line, entered) &&
           copy_word(line->body + sizeof entered - 1, line->body + line->body_len, ',', ret_room,
                     ROOM_NAME_CEILING_BYTES + 1) &&
           !memmem(line->body, line->body_len, "that is the most", 16);
}

bool chat_line_is_refusal(const struct chat_line *line)
{
    static const char *const words[] = {
        "Not sent",
        "That is ",
        "That line is ",
        "That name is ",
        "That room's name ",
        "That topic is ",
        "The name ",
        "There is no",
        "There are ",
        "Nobody here ",
        "Say what?",
        "Which room?",
        "You are not ",
        "This is no web server",
        "/",
    };
    static const char renamed[] = " is now called "; /* of somebody called That */
    if (line->kind != CHAT_LINE_SERVER ||
        memmem(line->body, line->body_len, renamed, sizeof renamed - 1)) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (starts(line, words[i])) {
            return true;
        }
    }
    return false;
}

bool chat_line_refuses_text(const struct chat_line *line)
{
    static const char *const words[] = {"Not sent: ", "That is longer ", "That line is ",
                                        "There is nothing to say "};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (says(line, words[i])) {
            return true;
        }
    }
    return false;
}

bool chat_line_is_goodbye(const struct chat_line *line)
{
    return says(line, "Goodbye");
}

bool chat_line_time(const struct chat_line *line, char ret_stamp[CHAT_STAMP_BYTES + 1])
{
    static const char words[] = "It is ";
    size_t skip = sizeof words - 1;
    if (!says(line, words) || !is_stamp(line->body + skip, line->body_len - skip)) {
        return false;
    }
    memcpy(ret_stamp, line->body + skip, CHAT_STAMP_BYTES);
    ret_stamp[CHAT_STAMP_BYTES] = '\0';
    return true;
}

bool chat_line_ends_history(const struct chat_line *line, size_t *ret_count, uint64_t *ret_more)
{
    static const char *const empty[] = {"Nothing there.", "The history cannot be read",
                                        "You are not in a room.", "One thing at a time",
                                        "/history "};
    static const char more[] = "More: /history after ";
    *ret_count = 0;
    *ret_more = 0;
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        if (says(line, empty[i])) {
            return true;
        }
    }
    char text[160];
    if (line->kind != CHAT_LINE_SERVER || line->body_len >= sizeof text) {
        return false;
    }
    memcpy(text, line->body, line->body_len);
    text[line->body_len] = '\0';
    char *end;
    errno = 0;
    unsigned long long count = strtoull(text, &end, 10);
    if (end == text || errno != 0 || count > SIZE_MAX / 2 ||
        (strncmp(end, " line, number ", 14) != 0 && strncmp(end, " lines, number ", 15) != 0)) {
        return false;
    }
    const char *next = strstr(end, more);
    *ret_count = (size_t)count;
    *ret_more = next ? strtoull(next + sizeof more - 1, NULL, 10) : 0;
    return true;
}

/* ---- colours ---- */

#define PLAIN  "\033[0m"
#define DIMMED "\033[2m"

static const char *colour_of(const char *name, size_t len)
{
    /* Those of the sixteen that can be read on black and on white alike. */
    static const char *const colours[] = {"\033[31m",   "\033[32m",   "\033[33m",   "\033[34m",
                                          "\033[35m",   "\033[36m",   "\033[1;31m", "\033[1;32m",
                                          "\033[1;34m", "\033[1;35m", "\033[1;36m"};
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    }
    return colours[hash % (sizeof colours / sizeof colours[0])];
}

static void add(char *text, size_t *len, const char *bytes, size_t count)
{
    memcpy(text + *len, bytes, count);
    *len += count;
}

static void adds(char *text, size_t *len, const char *word)
{
    add(text, len, word, strlen(word));
}

char *chat_line_paint(const struct chat_line *line, size_t *ret_len)
{
    char *text = xmalloc(line->len + 48); /* six escape sequences of at most eight bytes */
    size_t len = 0;
    if (line->kind == CHAT_LINE_SERVER) {
        adds(text, &len, DIMMED);
        add(text, &len, line->text, line->len);
        adds(text, &len, PLAIN);
    } else if (line->body != line->text) {
        adds(text, &len, DIMMED);
        add(text, &len, line->text, CHAT_STAMP_BYTES);
        adds(text, &len, PLAIN);
        const char *from = line->text + CHAT_STAMP_BYTES;
        if (line->name) {
            add(text, &len, from, (size_t)(line->name - from));
            adds(text, &len, colour_of(line->name, line->name_len));
            add(text, &len, line->name, line->name_len);
            adds(text, &len, PLAIN);
            from = line->name + line->name_len;
        }
        add(text, &len, from, (size_t)(line->text + line->len - from));
    } else {
        add(text, &len, line->text, line->len);
    }
    *ret_len = len;
    return text;
}

/* ---- what is typed ---- */

char *chat_typed_clean(const char *typed, size_t len)
{
    char *clean = xmalloc(len * 3 + 1);
    size_t count = text_clean(typed, len, clean);
    while (count > 0 && clean[count - 1] == ' ') {
        count--;
    }
    clean[count] = '\0';
    return clean;
}

bool chat_typed_is(const char *typed, const char *verb, const char **ret_args)
{
    size_t len = strlen(verb);
    if (typed[0] != '/' || strncasecmp(typed + 1, verb, len) != 0 ||
        (typed[1 + len] != ' ' && typed[1 + len] != '\0')) {
        return false;
    }
    if (ret_args) {
        *ret_args = typed + 1 + len + strspn(typed + 1 + len, " ");
    }
    return true;
}

bool chat_typed_is_quit(const char *typed)
{
    return strcasecmp(typed, "quit") == 0 || chat_typed_is(typed, "quit", NULL);
}

char *chat_typed_echo(const char *name, const char *typed)
{
    bool action = chat_typed_is(typed, "me", &typed);
    if (!action && typed[0] == '/' && typed[1] == '/' && typed[2] != '\0') {
        typed++;
    } else if (!action && (typed[0] == '/' || chat_typed_is_quit(typed))) {
        return NULL;
    }
    if (typed[0] == '\0') {
        return NULL;
    }
    size_t cap = strlen(name) + strlen(typed) + 8;
    char *echo = xmalloc(cap);
    (void)snprintf(echo, cap, "%s%s%s %s", action ? "* " : "", name, action ? "" : ":", typed);
    return echo;
}
