/* SPDX-License-Identifier: MIT */
#include "script.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * A line is a template with places: %r a room (or what should be one), %n a nick, %u a user name,
 * %x a text, %m modes, %p their parameters, %c capabilities, %t client tags, %h a point in the
 * history, %i a msgid, %d a number, %l conditions of LIST. Each takes one byte of the script.
 */

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

#define SMILES8     "ä€😀ä€😀ä€😀ä€😀ä€😀ä€😀ä€😀ä€😀"
#define X50         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const char *const rooms[] = {
    "#a",
    "#a",
    "#b",
    "#b",
    "#A",
    "#room-ö",
    "#lobby",
    "#cafe\xcc\x81",
    "#c",
    "#a,#b",
    "#B,#a,",
    "#a,#b,#c,#d",
    "@#a",
    "+#b",
    "a",
    "#",
    "#" X50,
    "0",
    "*",
    "ann",
    "#\x02"
    "bold",
    "#a:b",
};
static const char *const nicks[] = {"ann",    "bob",
                                    "cid",    "dave",
                                    "ann",    "bob",
                                    "Ann",    "BOB",
                                    "eve",    "an",
                                    "zoë",    "ann,bob,cid",
                                    "*",      "server",
                                    "nobody", X50,
                                    "1st",    "a*",
                                    "guest1", "#a",
                                    "*!*@*",  "аnn" /* with a Cyrillic letter */,
                                    "ann\x03"};
static const char *const users[] = {"user", "u", "~x", "a@b", X50, "\x01", "root"};
static const char *const texts[] = {
    "hello",
    "",
    "a b c",
    ":colon first",
    " space first",
    "\001ACTION waves\001",
    "\001ACTION \001",
    "\001VERSION\001",
    "\001",
    "\002bold\00304,05colour\017",
    "tab\there",
    "\xff\xfe not text",
    "cut \xf0\x9f\x98",
    "\xe2\x80\xae turned",
    "@tag=x :ann JOIN #a",
    "right",
    X50 X50 X50 X50 X50 X50 X50 X50,
    X50 X50 X50 X50 X50 X50 X50 X50 X50,
    SMILES8 SMILES8 SMILES8 SMILES8 SMILES8,
    "\001ACTION " SMILES8 SMILES8 SMILES8 SMILES8 SMILES8 SMILES8 "\001",
};
static const char *const modes[] = {"+o",   "-o",          "+v",
                                    "-v",   "+b",          "-b",
                                    "b",    "+e",          "+I",
                                    "+k",   "-k",          "+l",
                                    "-l",   "+i",          "+m",
                                    "+n",   "+s",          "+t",
                                    "+C",   "-imnstC",     "+ov",
                                    "-ov",  "+B",          "-iB",
                                    "+bb",  "+lk",         "-k+k",
                                    "+zZ",  "+imnstC-imn", "",
                                    "+",    "I",           "e",
                                    "+w",   "-o",          "+o",
                                    "-n+s", "+oooooo",     "+bbbbbbbbbbbbbbbb"};
static const char *const mode_params[] = {
    "",           "ann",         "bob",
    "cid ann",    "5",           "1",
    "-1",         "99999999999", "key",
    "k,y",        "*!*@*",       "$a",
    "m:bob",      "bob!*@* x",   "*",
    ":a b",       X50 X50,       "$m:ann!*@*",
    "~account:x", "dave",        "a b c d e f g h i j k l m n o p q r"};
static const char *const caps[] = {
    "message-tags server-time batch labeled-response echo-message",
    "draft/multiline draft/chathistory draft/event-playback draft/message-redaction",
    "extended-join away-notify setname invite-notify account-tag account-notify chghost",
    "multi-prefix userhost-in-names draft/channel-rename draft/read-marker extended-monitor",
    "account-notify account-tag away-notify batch cap-notify chghost draft/channel-rename "
    "draft/chathistory draft/event-playback draft/message-redaction draft/multiline "
    "draft/read-marker echo-message extended-join extended-monitor invite-notify labeled-response "
    "message-tags multi-prefix server-time setname standard-replies userhost-in-names",
    "batch",
    "labeled-response",
    "message-tags",
    "server-time",
    "echo-message",
    "draft/event-playback draft/chathistory",
    "draft/multiline",
    "-batch",
    "-message-tags",
    "-labeled-response",
    "-server-time -echo-message",
    "-draft/channel-rename -extended-join",
    "-draft/multiline -draft/event-playback",
    "sasl",
    "",
    "batch -batch",
    "cap-notify -cap-notify unknown",
};
static const char *const tags[] = {
    "+typing=active",
    "+draft/reply=m1",
    "+draft/react=\\:",
    "+a=1;+a=2;b=3",
    "label=x\\s;+x",
    "",
    ";;=;+=;+a b",
    "+x=" X50 X50 X50 X50 X50 X50 X50 X50 X50 X50,
    "+vendor.example/x=\xff",
    "msgid=m1;time=2026-01-01T00:00:00.000Z;account=x",
    "+a;+b;+c;+d;+e;+f;+g;+h;+i;+j;+k;+l;+m;+n;+o;+p;+q;+r;+s;+t",
};
static const char *const conditions[] = {"",    ">1",    "<2", "*a*", "!#b", "C>1",
                                         "T<5", "#a,#b", ">x", ",",   "U<3"};

static const char *const irc_lines[] = {
    "NICK %n\r\n",
    "USER %u 0 * :%x\r\n",
    "NICK %n\r\nUSER %u 0 * :%x\r\n",
    "CAP LS 302\r\n",
    "CAP LIST\r\n",
    "CAP REQ :%c\r\n",
    "CAP REQ :%c\r\n",
    "CAP END\r\n",
    "CAP %x\r\n",
    "PASS %x\r\n",
    "JOIN %r\r\n",
    "JOIN %r\r\n",
    "JOIN %r\r\n",
    "JOIN %r %p\r\n",
    "JOIN #a,#b,%r\r\n",
    "PART %r\r\n",
    "PART %r :%x\r\n",
    "TOPIC %r\r\n",
    "TOPIC %r :%x\r\n",
    "NAMES %r\r\n",
    "LIST\r\n",
    "LIST %l\r\n",
    "INVITE %n %r\r\n",
    "INVITE\r\n",
    "KICK %r %n :%x\r\n",
    "KICK %r %n :%x\r\n",
    "MODE %r\r\n",
    "MODE %r %m %p\r\n",
    "MODE %r %m %p\r\n",
    "MODE #a %m %p\r\n",
    "MODE %n %m\r\n",
    "PRIVMSG %r :%x\r\n",
    "PRIVMSG #a :%x\r\n",
    "PRIVMSG %n :%x\r\n",
    "NOTICE %r :%x\r\n",
    "NOTICE %n :%x\r\n",
    "@%t PRIVMSG %r :%x\r\n",
    "@%t PRIVMSG %n :%x\r\n",
    "@%t TAGMSG %r\r\n",
    "@%t TAGMSG %n\r\n",
    "@%t;label=y %n %r\r\n",
    "REDACT %r %i :%x\r\n",
    "REDACT #a %i\r\n",
    "REDACT %n %i :%x\r\n",
    "CHATHISTORY LATEST %r %h %d\r\n",
    "CHATHISTORY LATEST #a * %d\r\n",
    "CHATHISTORY LATEST %n %h %d\r\n",
    "CHATHISTORY BEFORE %r %h %d\r\n",
    "CHATHISTORY AFTER %r %h %d\r\n",
    "CHATHISTORY AROUND %r %h %d\r\n",
    "CHATHISTORY BETWEEN %r %h %h %d\r\n",
    "CHATHISTORY TARGETS %h %h %d\r\n",
    "CHATHISTORY %x %r\r\n",
    "MARKREAD %r\r\n",
    "MARKREAD %r %h\r\n",
    "RENAME %r %r :%x\r\n",
    "RENAME #a #c :%x\r\n",
    "WHO %r\r\n",
    "WHO %n %%tcuihsnfdlaor,42\r\n",
    "WHOIS %n\r\n",
    "WHOIS %n %n\r\n",
    "WHOWAS %n %d\r\n",
    "USERHOST %n %n %n\r\n",
    "ISON :%n %n %x\r\n",
    "AWAY :%x\r\n",
    "AWAY\r\n",
    "SETNAME :%x\r\n",
    "MONITOR + %n\r\n",
    "MONITOR - %n\r\n",
    "MONITOR L\r\nMONITOR S\r\nMONITOR C\r\n",
    "LUSERS\r\nMOTD\r\nVERSION\r\nINFO\r\n",
    "OPER root right\r\n",
    "OPER root wrong\r\n",
    "KILL %n :%x\r\n",
    "WALLOPS :%x\r\n",
    "REHASH\r\nSTATS u\r\nLINKS\r\nADMIN\r\nTIME\r\n",
    "HELP %x\r\n",
    "PING :%x\r\n",
    "PONG :%x\r\n",
    "QUIT :%x\r\n",
    "BATCH +r draft/multiline %r\r\n@batch=r PRIVMSG %r :%x\r\n@batch=r PRIVMSG #a :%x\r\n"
    "BATCH -r\r\n",
    "BATCH +r draft/multiline #a\r\n@batch=r PRIVMSG #a :%x\r\n"
    "@batch=r;draft/multiline-concat PRIVMSG #a :%x\r\nBATCH -r\r\n",
    "@%t BATCH +r draft/multiline %n\r\n@batch=r NOTICE %n :%x\r\nBATCH -r\r\n",
    "@label=z BATCH +r draft/multiline #b\r\n",
    "@batch=r PRIVMSG #b :%x\r\n",
    "BATCH -r\r\n",
    "BATCH %x %r\r\n",
    "%x %r %n\r\n",
    "%x\n",
    "WHO %x\r\nWHO\r\nNAMES\r\n",
};

static const char *const line_lines[] = {
    "%x\n",       "hello\n",       "/nick %n\n",   "/join a\n",  "/join b\n",
    "/join %n\n", "/leave\n",      "/msg %n %x\n", "/me %x\n",   "/topic %x\n",
    "/topic -\n", "/kick %n %x\n", "/invite %n\n", "/history\n", "/search o\n",
    "/who\n",     "/rooms\n",      "/quit %x\n",   "/topic\n",   "/history before 5\n",
};

uint8_t script_byte(struct script *script)
{
    if (script->len == 0) {
        return 0;
    }
    script->len--;
    return *script->bytes++;
}

unsigned script_irc_kinds(void)
{
    return (unsigned)COUNT(irc_lines);
}

const char *script_caps(uint8_t choice)
{
    return caps[choice % COUNT(caps)];
}

/* A point in the history: of a message there is, of one there is not, a time, or nonsense. */
static void put_point(uint8_t choice, uint64_t newest, char ret[64])
{
    static const char *const others[] = {"*",
                                         "msgid=x",
                                         "msgid=m0",
                                         "timestamp=x",
                                         "timestamp=2026-11-20T12:31:07.000Z",
                                         "timestamp=2026-11-20T12:31:09Z",
                                         "timestamp=1970-01-01T00:00:00.000Z",
                                         "timestamp=2099-01-01T00:00:00.000Z",
                                         "x=y",
                                         "msgid=m99999999999999999999"};
    if (choice < 128) {
        (void)snprintf(ret, 64, "msgid=m%" PRIu64,
                       newest > choice % 16u ? newest - choice % 16u : 1);
    } else {
        (void)snprintf(ret, 64, "%s", others[choice % COUNT(others)]);
    }
}

#define PICK(list) ((list)[script_byte(script) % COUNT(list)])

/* What stands in one place. */
static const char *word(struct script *script, char place, uint64_t newest, char scratch[64])
{
    switch (place) {
    case 'r':
        return PICK(rooms);
    case 'n':
        return PICK(nicks);
    case 'u':
        return PICK(users);
    case 'x':
        return PICK(texts);
    case 'm':
        return PICK(modes);
    case 'p':
        return PICK(mode_params);
    case 'c':
        return PICK(caps);
    case 't':
        return PICK(tags);
    case 'l':
        return PICK(conditions);
    case 'h':
        put_point(script_byte(script), newest, scratch);
        return scratch;
    case 'i':
        put_point(script_byte(script), newest, scratch);
        return strncmp(scratch, "msgid=", 6) == 0 ? scratch + 6 : scratch;
    case 'd':
        (void)snprintf(scratch, 64, "%d", script_byte(script) % 24 - 2);
        return scratch;
    default:
        return "%";
    }
}

static size_t fill(struct script *script, const char *template, uint64_t newest, char *ret)
{
    size_t len = 0;
    for (const char *at = template; *at; at++) {
        char scratch[64];
        if (*at != '%') {
            ret[len++] = *at;
            continue;
        }
        const char *text = word(script, *++at, newest, scratch);
        size_t text_len = strlen(text);
        if (text_len < SCRIPT_LINE_MAX - len - strlen(at)) {
            memcpy(ret + len, text, text_len);
            len += text_len;
        }
    }
    return len;
}

size_t script_irc_lines(struct script *script, unsigned kind, uint64_t newest,
                        char ret[SCRIPT_LINE_MAX])
{
    return fill(script, irc_lines[kind % COUNT(irc_lines)], newest, ret);
}

size_t script_line_lines(struct script *script, unsigned kind, char ret[SCRIPT_LINE_MAX])
{
    return fill(script, line_lines[kind % COUNT(line_lines)], 1, ret);
}
