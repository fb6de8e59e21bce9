/* SPDX-License-Identifier: MIT */
#include "wire/sniff.h"

#include <stdbool.h>
#include <string.h>

/*
 * Each protocol compares the bytes with the openings it knows and says no, perhaps or yes. No two
 * of them can say yes to the same bytes, and neither yes nor no changes when more bytes come; so
 * the answer of the whole is yes if one says yes, undecided while one says perhaps, else a line.
 */

enum match { MATCH_NO, MATCH_PERHAPS, MATCH_YES };

struct input {
    const uint8_t *bytes;
    size_t len;
};

static const char *const irc_verbs[] = {"CAP",     "PASS",   "NICK",        "USER",
                                        "SERVICE", "SERVER", "AUTHENTICATE"};

/* PRI opens the preface of HTTP/2 (RFC 9113, 3.4): "PRI * HTTP/2.0". */
static const char *const http_verbs[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                         "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"};

/* What a request can be about (RFC 9112, 3.2); CONNECT has a form of its own. */
static const char *const http_targets[] = {"/", "*", "http:", "https:"};

/* QUIT alone is how line users leave. */
static const char quit_opening[] = "QUIT :";
static const char webirc_opening[] = "WEBIRC ";
static const char tls_opening[] = "\x16\x03";
static const char proxy_opening[] = "PROXY ";
static const char proxy2_opening[] = "\r\n\r\n\0\r\nQUIT\n";

static enum match better(enum match a, enum match b)
{
    return a > b ? a : b;
}

static struct input skip(struct input input, size_t count)
{
    return (struct input){input.bytes + count, input.len - count};
}

/* Whether the input starts with the text: perhaps, while it is as far as it goes the same. */
static enum match match_start(struct input input, const char *text, size_t len)
{
    size_t common = input.len < len ? input.len : len;
    if (common > 0 && memcmp(input.bytes, text, common) != 0) {
        return MATCH_NO;
    }
    return common == len ? MATCH_YES : MATCH_PERHAPS;
}

static uint8_t to_lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* Names of schemes are written in either case (RFC 3986, 3.1). */
static enum match match_target(struct input input, const char *lower)
{
    size_t len = strlen(lower);
    for (size_t i = 0; i < len; i++) {
        if (i == input.len) {
            return MATCH_PERHAPS;
        }
        if (to_lower(input.bytes[i]) != (uint8_t)lower[i]) {
            return MATCH_NO;
        }
    }
    return MATCH_YES;
}

static enum match match_irc_verb(struct input input, const char *verb)
{
    size_t len = strlen(verb);
    enum match match = match_start(input, verb, len);
    if (match != MATCH_YES) {
        return match;
    }
    if (input.len == len) {
        return MATCH_PERHAPS;
    }
    uint8_t next = input.bytes[len];
    return next == ' ' || next == '\r' || next == '\n' ? MATCH_YES : MATCH_NO;
}

/* Whether "@tags" and blanks open the input; how many bytes they are in ret_len. */
static enum match match_irc_tags(struct input input, size_t *ret_len)
{
    size_t at = 1;
    while (at < input.len && input.bytes[at] != ' ') {
        uint8_t byte = input.bytes[at];
        if (byte == '\r' || byte == '\n' || byte == '\0') {
            return MATCH_NO;
        }
        at++;
    }
    if (at == input.len) {
        return MATCH_PERHAPS;
    }
    if (at == 1) {
        return MATCH_NO; /* "@ ": no tag has an empty name */
    }
    while (at < input.len && input.bytes[at] == ' ') {
        at++;
    }
    *ret_len = at;
    return at == input.len ? MATCH_PERHAPS : MATCH_YES;
}

/* ---- IRC in lower case, which may be chat ---- */

/* A line taken apart: the first words of it, and how many there are. */
#define WORDS_MAX 6
struct words {
    struct input word[WORDS_MAX];
    size_t count; /* all of them, also those that are not in word */
};

static bool is_line_end(uint8_t byte)
{
    return byte == '\r' || byte == '\n';
}

/* Up to the end of the line, or of the input. */
static size_t line_len(struct input input)
{
    size_t len = 0;
    while (len < input.len && !is_line_end(input.bytes[len])) {
        len++;
    }
    return len;
}

static void take_words(struct input line, struct words *ret)
{
    *ret = (struct words){.count = 0};
    for (size_t at = 0; at < line.len;) {
        size_t from = at;
        while (at < line.len && line.bytes[at] != ' ') {
            at++;
        }
        if (at > from && ret->count++ < WORDS_MAX) {
            ret->word[ret->count - 1] = (struct input){line.bytes + from, at - from};
        }
        at += at < line.len;
    }
}

static bool is_word(struct input word, const char *lower)
{
    return word.len == strlen(lower) && match_target(word, lower) == MATCH_YES;
}

static bool is_cap(const struct words *words)
{
    return is_word(words->word[0], "cap") && words->count > 1 &&
           (is_word(words->word[1], "ls") || is_word(words->word[1], "list") ||
            is_word(words->word[1], "req") || is_word(words->word[1], "end"));
}

static bool begins_text(struct input word)
{
    return word.len > 0 && word.bytes[0] == ':';
}

/* "pass secret", "pass :my secret"; not "pass me the salt". */
static bool is_pass(const struct words *words)
{
    return is_word(words->word[0], "pass") &&
           (words->count == 2 || (words->count > 2 && begins_text(words->word[1])));
}

/* "user alice 0 * :Alice", as clients and libraries have it; not "user error in line :(". */
static bool is_user(const struct words *words)
{
    return is_word(words->word[0], "user") && words->count > 4 && is_word(words->word[3], "*") &&
           (words->count == 5 || begins_text(words->word[4]));
}

/* Nobody says that by chance. */
static bool is_surely_irc(const struct words *words)
{
    return is_cap(words) || is_pass(words) || is_user(words);
}

static bool is_nick(const struct words *words)
{
    return is_word(words->word[0], "nick") && words->count == 2;
}

/* Some clients measure the way before they say who they are; so does who is bored. */
static bool is_ping(const struct words *words)
{
    return is_word(words->word[0], "ping") &&
           (words->count == 2 || (words->count > 2 && begins_text(words->word[1])));
}

/* A handshake may have it, and a person may say it: two of them in a row are a handshake. */
static bool is_perhaps_irc(const struct words *words)
{
    return is_surely_irc(words) || is_nick(words) ||
           (is_word(words->word[0], "user") && words->count > 4) ||
           (is_word(words->word[0], "pass") && words->count > 1);
}

static bool may_be_lower_verb(struct input input)
{
    static const char *const verbs[] = {"cap ", "nick ", "user ", "pass ", "ping "};
    enum match match = MATCH_NO;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        match = better(match, match_target(input, verbs[i]));
    }
    return match != MATCH_NO;
}

/* Whether the next line may be IRC's, in any case of letters; nothing of it need be there. */
static enum match match_lower_line(struct input input, bool (*is_irc)(const struct words *words),
                                   size_t *ret_len)
{
    struct words words;
    *ret_len = line_len(input);
    if (!may_be_lower_verb(input)) {
        return MATCH_NO;
    }
    if (*ret_len == input.len) {
        return MATCH_PERHAPS;
    }
    take_words((struct input){input.bytes, *ret_len}, &words);
    return is_irc(&words) ? MATCH_YES : MATCH_NO;
}

static struct input skip_blank(struct input input)
{
    size_t len = 0;
    while (len < input.len && (input.bytes[len] == ' ' || is_line_end(input.bytes[len]))) {
        len++;
    }
    return skip(input, len);
}

static enum match match_lower(struct input input)
{
    size_t len;
    bool is_behind_ping = false;
    while (match_lower_line(input, is_ping, &len) == MATCH_YES) {
        input = skip_blank(skip(input, len));
        is_behind_ping = true;
    }
    if (is_behind_ping) {
        return match_lower_line(input, is_perhaps_irc, &len);
    }
    enum match match = match_lower_line(input, is_surely_irc, &len);
    if (match != MATCH_NO || match_lower_line(input, is_perhaps_irc, &len) == MATCH_NO) {
        return match;
    }
    return match_lower_line(skip_blank(skip(input, len)), is_perhaps_irc, &len);
}

/* ---- IRC ---- */

/* "WEBIRC password gateway host ip": what a gateway for browsers says first of all. */
static enum match match_webirc(struct input input)
{
    enum match match = match_start(input, webirc_opening, sizeof(webirc_opening) - 1);
    if (match != MATCH_YES) {
        return match;
    }
    size_t len = line_len(input);
    if (len == input.len) {
        return MATCH_PERHAPS;
    }
    struct words words;
    take_words((struct input){input.bytes, len}, &words);
    return words.count > 3 ? MATCH_YES : MATCH_NO;
}

/* Whether ":source" and blanks open the input. */
static enum match match_irc_source(struct input input, size_t *ret_len)
{
    size_t at = 1;
    while (at < input.len && input.bytes[at] > ' ') {
        at++;
    }
    if (at < input.len && (at == 1 || input.bytes[at] != ' ')) {
        return MATCH_NO;
    }
    while (at < input.len && input.bytes[at] == ' ') {
        at++;
    }
    *ret_len = at;
    return at == input.len ? MATCH_PERHAPS : MATCH_YES;
}

static enum match match_irc(struct input input)
{
    static const struct {
        char mark;
        enum match (*match)(struct input input, size_t *ret_len);
    } parts[] = {{'@', match_irc_tags}, {':', match_irc_source}};
    input = skip_blank(input); /* empty lines are no messages, blanks before one are left out */
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t len = 0;
        if (input.len == 0 || input.bytes[0] != (uint8_t)parts[i].mark) {
            continue;
        }
        enum match part = parts[i].match(input, &len);
        if (part != MATCH_YES) {
            return part;
        }
        input = skip(input, len);
    }
    enum match match = match_start(input, quit_opening, sizeof(quit_opening) - 1);
    for (size_t i = 0; i < sizeof(irc_verbs) / sizeof(irc_verbs[0]); i++) {
        match = better(match, match_irc_verb(input, irc_verbs[i]));
    }
    return better(match, better(match_webirc(input), match_lower(input)));
}

enum sniff_line sniff_line(const uint8_t *line, size_t len)
{
    struct input input = skip_blank((struct input){line, len});
    struct words words;
    take_words((struct input){input.bytes, line_len(input)}, &words);
    if (match_irc(input) == MATCH_YES) {
        return SNIFF_LINE_IRC;
    }
    if (words.count == 0) {
        return SNIFF_LINE_CHAT;
    }
    if (is_nick(&words)) {
        return SNIFF_LINE_IRC;
    }
    if (is_ping(&words)) {
        return SNIFF_LINE_PING;
    }
    return is_perhaps_irc(&words) ? SNIFF_LINE_PERHAPS : SNIFF_LINE_CHAT;
}

static enum match match_http_target(struct input input, bool connect)
{
    if (connect) {
        if (input.len == 0) {
            return MATCH_PERHAPS;
        }
        return input.bytes[0] > ' ' && input.bytes[0] < 0x7f ? MATCH_YES : MATCH_NO;
    }
    enum match match = MATCH_NO;
    for (size_t i = 0; i < sizeof(http_targets) / sizeof(http_targets[0]); i++) {
        match = better(match, match_target(input, http_targets[i]));
    }
    return match;
}

static enum match match_http(struct input input)
{
    enum match match = MATCH_NO;
    for (size_t i = 0; i < sizeof(http_verbs) / sizeof(http_verbs[0]); i++) {
        const char *verb = http_verbs[i];
        size_t len = strlen(verb);
        enum match found = match_start(input, verb, len);
        if (found == MATCH_YES) {
            found = match_start(skip(input, len), " ", 1);
        }
        if (found == MATCH_YES) {
            found = match_http_target(skip(input, len + 1), strcmp(verb, "CONNECT") == 0);
        }
        match = better(match, found);
    }
    return match;
}

static enum match match_proxy(struct input input)
{
    return better(match_start(input, proxy_opening, sizeof(proxy_opening) - 1),
                  match_start(input, proxy2_opening, sizeof(proxy2_opening) - 1));
}

static enum match match_tls(struct input input)
{
    return match_start(input, tls_opening, sizeof(tls_opening) - 1);
}

enum sniff_kind sniff(const uint8_t *bytes, size_t len)
{
    static const struct {
        enum match (*match)(struct input input);
        enum sniff_kind kind;
    } protocols[] = {
        {match_tls, SNIFF_TLS},
        {match_http, SNIFF_HTTP},
        {match_irc, SNIFF_IRC},
        {match_proxy, SNIFF_PROXY},
    };
    /* What lies behind the limit is not looked at, so that it cannot change the decision. */
    struct input input = {bytes, len < SNIFF_MAX_BYTES ? len : SNIFF_MAX_BYTES};
    enum match best = MATCH_NO;
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        enum match match = protocols[i].match(input);
        if (match == MATCH_YES) {
            return protocols[i].kind;
        }
        best = better(best, match);
    }
    return best == MATCH_PERHAPS && len < SNIFF_MAX_BYTES ? SNIFF_UNDECIDED : SNIFF_LINE;
}
