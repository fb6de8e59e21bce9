/* SPDX-License-Identifier: MIT */
#include "chat.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/error.h>
#include <partyline/tls.h>

#include "chat_line.h"
#include "chat_options.h"
#include "command.h"
#include "prompt.h"

/* partyline chat: the terminal client. */

static const char usage_text[] =
    "usage: partyline chat [HOST[:PORT]] [--nick NAME] [--room ROOM]... [--protocol "
    "irc|line|auto]\n"
    "                      [--tls] [--ca FILE] [--insecure] [--password-file FILE]\n"
    "                      [--plain] [--no-reconnect]\n"
    "\n"
    "Joins the chat at HOST (127.0.0.1) and PORT (60000), on any IRC server or a Partyline.\n"
    "unix:PATH is a Unix socket; a URL that the server printed is accepted too, and so are\n"
    "irc://HOST (port 6667) and ircs://HOST (TLS, port 6697).\n"
    "\n"
    "  --nick NAME     the name to have; else your login name, or what a Partyline without IRC\n"
    "                  gives\n"
    "  --room ROOM     a room to be in; may be given several times with IRC\n"
    "  --protocol P    what to speak: irc, line, or auto, which finds out (the default)\n"
    "  --tls           encrypt, and believe only a server with a good certificate\n"
    "  --ca FILE       the authorities to trust, in PEM; else the system's. Means --tls\n"
    "  --insecure      TLS without a look at the certificate. Means --tls\n"
    "  --password-file FILE\n"
    "                  its first line is the password of an IRC server\n"
    "  --plain         for pipes: no prompt and no colours; sends each line of standard input and\n"
    "                  writes what comes in to standard output. So it is, too, when one of the "
    "two\n"
    "                  is no terminal\n"
    "  --no-reconnect  leave when the connection is lost\n"
    "\n"
    "What you type is said to the room; /help lists the commands. Ctrl-C drops the line, or "
    "leaves\n"
    "when it is empty, as Ctrl-D does. When the connection is lost it is made again, what was\n"
    "missed is shown where the server keeps it, and what was typed meanwhile is sent. NO_COLOR in\n"
    "the environment switches colours off.\n"
    "\n"
    "With --plain the exit status is 0 only when the server has taken each line for the room; it\n"
    "waits 10 s for that. At the end of standard input it leaves.\n"
    "\n"
    "Exit status: 0 when done, 1 when the connection failed or was lost, or a line was refused, 2\n"
    "for wrong usage.\n";

/* What the options say before they are put to use. */
struct wishes {
    const char *target, *protocol, *ca, *password_file;
    bool tls, insecure;
};

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
static int add_room(struct chat_options *options, const char *room)
{
    if (!is_word(room)) {
        return usage_error("--room takes one word", NULL);
    }
    if (options->room_count == CHAT_ROOMS_MAX) {
        return usage_error("too many rooms", room);
    }
    options->rooms[options->room_count++] = room;
    return -1;
}

/* Returns: -1 to go on; else the exit code. */
static int parse_options(int argc, char **argv, struct chat_options *options, struct wishes *wishes)
{
    static const struct option longs[] = {
        {"nick", required_argument, NULL, 'n'},
        {"room", required_argument, NULL, 'r'},
        {"plain", no_argument, NULL, 'p'},
        {"no-reconnect", no_argument, NULL, 'o'},
        {"protocol", required_argument, NULL, 'P'},
        {"tls", no_argument, NULL, 't'},
        {"ca", required_argument, NULL, 'c'},
        {"insecure", no_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},
        {"password-file", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    int option, r;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":n:r:h", longs, NULL)) != -1) {
        switch (option) {
        case 'n':
            options->nick = optarg;
            break;
        case 'r':
            r = add_room(options, optarg);
            if (r >= 0) {
                return r;
            }
            break;
        case 'p':
            options->plain = true;
            break;
        case 'o':
            options->no_reconnect = true;
            break;
        case 'P':
            wishes->protocol = optarg;
            break;
        case 't':
            wishes->tls = true;
            break;
        case 'c':
            wishes->ca = optarg;
            break;
        case 'i':
            wishes->insecure = true;
            break;
        case 'w':
            wishes->password_file = optarg;
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
    if (optind < argc) {
        wishes->target = argv[optind++];
    }
    return optind < argc ? usage_error("unexpected argument", argv[optind]) : -1;
}

/* Returns: -1 to go on; else the exit code. */
static int choose_protocol(const char *name, struct chat_target *target)
{
    if (!name) {
        return -1;
    }
    static const char *const names[] = {
        [CHAT_AUTO] = "auto", [CHAT_LINE] = "line", [CHAT_IRC] = "irc"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            target->protocol = (enum chat_protocol)i;
            return -1;
        }
    }
    return usage_error("--protocol takes irc, line or auto", name);
}

/* The first line of the file. Returns: -1 to go on; else the exit code. */
static int read_password(const char *path, struct chat_options *options)
{
    char *line = NULL;
    size_t cap = 0;
    FILE *file = fopen(path, "re");
    ssize_t len = file ? getline(&line, &cap, file) : -1;
    int cause = errno;
    if (file) {
        (void)fclose(file);
    }
    if (len < 0) {
        chat_complain("%s: %s", path, file ? "there is no password in it" : strerror(cause));
        free(line);
        return EXIT_FAILED;
    }
    line[strcspn(line, "\r\n")] = '\0';
    options->password = line;
    return -1;
}

/* Returns: -1 to go on; else the exit code. */
static int prepare_tls(const struct wishes *wishes, struct chat_options *options)
{
    if (!wishes->tls && !wishes->ca && !wishes->insecure && !options->target.tls) {
        return -1;
    }
    const struct party_tls_settings settings = {.ca_file = wishes->ca,
                                                .insecure_no_verify = wishes->insecure,
                                                .insecure_no_hostname = wishes->insecure};
    char text[256] = "";
    int r = party_tls_context_create(PARTY_TLS_CLIENT, &settings, text, sizeof text, &options->tls);
    if (r < 0) {
        chat_complain("TLS: %s%s%s", party_strerror(r), text[0] ? ": " : "", text);
        return EXIT_FAILED;
    }
    return -1;
}

/* Returns: -1 to go on; else the exit code. */
static int prepare(int argc, char **argv, struct chat_options *options)
{
    struct wishes wishes = {.target = ""};
    int r = parse_options(argc, argv, options, &wishes);
    r = r >= 0 ? r : parse_target(wishes.target, &options->target);
    r = r >= 0 ? r : choose_protocol(wishes.protocol, &options->target);
    if (r < 0 && wishes.password_file) {
        r = read_password(wishes.password_file, options);
    }
    return r >= 0 ? r : prepare_tls(&wishes, options);
}

int cmd_chat(int argc, char **argv)
{
    struct chat_options options = {0};
    int r = prepare(argc, argv, &options);
    if (r < 0) {
        (void)signal(SIGPIPE, SIG_IGN);
        bool plain = options.plain || !prompt_is_possible() || !prompt_has_cursor();
        r = plain ? chat_plain_run(&options) : chat_live_run(&options);
    }
    party_tls_context_unref(options.tls);
    free(options.password);
    return r;
}
