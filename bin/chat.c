/* SPDX-License-Identifier: MIT */
#include "chat.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <partyline/error.h>

#include "chat_line.h"
#include "command.h"
#include "prompt.h"

/* partyline chat: the terminal client. */

static const char usage_text[] =
    "usage: partyline chat [HOST[:PORT]] [--nick NAME] [--room ROOM] [--plain]\n"
    "                      [--no-reconnect]\n"
    "\n"
    "Joins the chat at HOST (127.0.0.1) and PORT (60000). unix:PATH is a Unix socket; a URL that\n"
    "the server printed is accepted too.\n"
    "\n"
    "  --nick NAME     the name to have; else the server gives one\n"
    "  --room ROOM     the room to be in; else the lobby\n"
    "  --plain         for pipes: no prompt and no colours; sends each line of standard input and\n"
    "                  writes what comes in to standard output. So it is, too, when one of the "
    "two\n"
    "                  is no terminal\n"
    "  --no-reconnect  leave when the connection is lost\n"
    "\n"
    "What you type is said to the room; /help lists the commands. Ctrl-C drops the line, or "
    "leaves\n"
    "when it is empty, as Ctrl-D does. When the connection is lost it is made again, what was\n"
    "missed is shown, and what was typed meanwhile is sent. NO_COLOR in the environment switches\n"
    "colours off.\n"
    "\n"
    "With --plain the exit status is 0 only when the server has shown each line to the room; it\n"
    "waits 10 s for that. At the end of standard input it leaves.\n"
    "\n"
    "Exit status: 0 when done, 1 when the connection failed or was lost, or a line was refused, 2\n"
    "for wrong usage.\n";

void chat_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("partyline chat: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

int64_t chat_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int chat_wait_ms(int64_t until_ms)
{
    if (until_ms < 0) {
        return -1;
    }
    int64_t left = until_ms - chat_now_ms();
    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int usage_error(const char *what, const char *value)
{
    chat_complain("%s%s%s; see partyline chat --help", what, value ? ": " : "", value ? value : "");
    return EXIT_USAGE;
}

/* A name goes into a line to the server: it must not make two of it. */
static bool is_word(const char *text)
{
    return text[0] != '\0' && !strpbrk(text, " \t\r\n");
}

static bool is_bad_port(const char *port)
{
    if (port[0] == '\0' || port[strspn(port, "0123456789")] != '\0') {
        return false; /* a service's name: whether there is one is asked when connecting */
    }
    unsigned long number = strtoul(port, NULL, 10);
    return number == 0 || number > 65535;
}

/* Returns: -1 to go on; else the exit code. */
static int parse_target(const char *text, struct chat_target *ret_target)
{
    int r = chat_target_parse(text, ret_target);
    const char *scheme = strstr(text, "://");
    const char *host = scheme ? scheme + 3 : text;
    if (r == 0 && !is_bad_port(ret_target->port)) {
        return -1;
    }
    if (r == 0) {
        chat_complain("%s: %s is no port", text, ret_target->port);
    } else if (strncmp(host, "unix:", 5) != 0 && !strchr(host, '[') &&
               strchr(host, ':') != strrchr(host, ':')) {
        chat_complain("%s: an IPv6 address stands in brackets", text);
    } else {
        chat_complain("%s: %s", text, party_strerror(r));
    }
    return EXIT_USAGE;
}

/* Returns: -1 to go on; else the exit code. */
static int parse_options(int argc, char **argv, struct chat_options *options)
{
    static const struct option longs[] = {
        {"nick", required_argument, NULL, 'n'}, {"room", required_argument, NULL, 'r'},
        {"plain", no_argument, NULL, 'p'},      {"no-reconnect", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    const char *target = "";
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":n:r:h", longs, NULL)) != -1) {
        switch (option) {
        case 'n':
            options->nick = optarg;
            break;
        case 'r':
            options->room = optarg[0] == '#' ? optarg + 1 : optarg;
            break;
        case 'p':
            options->plain = true;
            break;
        case 'o':
            options->no_reconnect = true;
            break;
        case 'h':
            (void)fputs(usage_text, stdout);
            return EXIT_DONE;
        default:
            return usage_error(option == ':' ? "an argument is missing after" : "unknown option",
                               argv[optind - 1]);
        }
    }
    if (options->nick && !is_word(options->nick)) {
        return usage_error("--nick takes one word", NULL);
    }
    if (options->room && !is_word(options->room)) {
        return usage_error("--room takes one word", NULL);
    }
    if (optind < argc) {
        target = argv[optind++];
    }
    if (optind < argc) {
        return usage_error("unexpected argument", argv[optind]);
    }
    return parse_target(target, &options->target);
}

int cmd_chat(int argc, char **argv)
{
    struct chat_options options = {0};
    int r = parse_options(argc, argv, &options);
    if (r >= 0) {
        return r;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (options.plain || !prompt_is_possible() || !prompt_has_cursor()) {
        return chat_plain_run(&options);
    }
    return chat_live_run(&options);
}
