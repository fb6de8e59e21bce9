/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <partyline/error.h>
#include <partyline/resolve.h>

#include "bench_mark.h"
#include "command.h"

enum scenario_bit { IN_ROOM = 1, IN_IDLE = 2, IN_ECHO = 4 };
enum option_kind { TEXT, CONNECT, COUNT, SECONDS, PROTOCOL };

/* An option: where its value goes, in which scenarios it means something, and its bounds. */
struct option_row {
    const char *name;
    enum option_kind kind;
    unsigned scenarios;
    size_t offset; /* in struct bench_options */
    double min, max;
};

#define AT(field) offsetof(struct bench_options, field)

static const struct option_row option_rows[] = {
    {"connect", CONNECT, IN_ROOM | IN_IDLE | IN_ECHO, AT(connect), 0, 0},
    {"protocol", PROTOCOL, IN_ROOM | IN_IDLE, AT(protocol), 0, 0},
    {"room", TEXT, IN_ROOM | IN_IDLE, AT(room), 0, 0},
    {"json", TEXT, IN_ROOM | IN_IDLE | IN_ECHO, AT(json), 0, 0},
    {"pid", COUNT, IN_ROOM | IN_IDLE | IN_ECHO, AT(pid), 1, 4194304},
    {"members", COUNT, IN_ROOM | IN_IDLE, AT(members), 1, 1000000},
    {"connections", COUNT, IN_ECHO, AT(members), 1, 1000000},
    {"senders", COUNT, IN_ROOM, AT(senders), 1, MARK_SENDERS_MAX},
    {"window", COUNT, IN_ROOM, AT(window), 1, 65536},
    {"size", COUNT, IN_ROOM | IN_ECHO, AT(size), 1, 1 << 20},
    {"depth", COUNT, IN_ECHO, AT(depth), 1, 65536},
    {"messages", COUNT, IN_ROOM, AT(messages), 1, 1e12},
    {"seconds", SECONDS, IN_ROOM | IN_ECHO, AT(seconds), 0.01, 1e6},
    {"warmup", SECONDS, IN_ROOM | IN_ECHO, AT(warmup), 0, 1e6},
    {"hold", SECONDS, IN_IDLE, AT(hold), 0, 1e6},
    {"patience", SECONDS, IN_ROOM | IN_IDLE | IN_ECHO, AT(patience), 0.1, 1e6},
};

#define OPTION_COUNT (sizeof option_rows / sizeof option_rows[0])

static const char common_help[] =
    "  --connect ADDRESS  HOST:PORT or unix:PATH, also as a URL a server printed: "
    "line://HOST:PORT\n"
    "  --pid PID          the server's process: its CPU time and memory are measured\n"
    "  --json FILE        write the result as JSON too; \"-\": to standard output, instead\n"
    "  --patience S       seconds without progress until the run has failed (10)\n"
    "\n"
    "The limits of a partyline server must be lifted for it, in its configuration file:\n"
    "  limits: {flood: false, connections_per_address: 0, connection_rate: 0}\n";

static const char room_help[] =
    "usage: partyline bench room --connect ADDRESS [OPTION]...\n\n"
    "Fills a room, lets some of its members send, and checks that each message reaches every\n"
    "member once and in its sender's order. Fails if one is lost, doubled or out of order.\n\n"
    "  --members N        connections (1000)\n"
    "  --senders N        how many of them send (8)\n"
    "  --window N         messages outstanding in all; done is what every member has (64)\n"
    "  --size N           bytes of a message with its newline (64)\n"
    "  --seconds S        how long to measure (10)\n"
    "  --messages N       measure N messages instead of a time\n"
    "  --warmup S         seconds before that are not measured (2)\n"
    "  --protocol P       line, raw (no greeting, everybody gets every line) or irc (line)\n"
    "  --room NAME        join this room first (line: stay where one is; irc: #bench)\n";

static const char idle_help[] =
    "usage: partyline bench idle --connect ADDRESS --pid PID [OPTION]...\n\n"
    "Opens many connections that do nothing, and measures what each costs the server.\n\n"
    "  --members N        connections (10000)\n"
    "  --hold S           how long to keep them before memory is read (1)\n"
    "  --protocol P       line: wait for each greeting; irc: for each welcome; raw: for neither "
    "(line)\n"
    "  --room NAME        join this room\n";

static const char echo_help[] =
    "usage: partyline bench echo --connect ADDRESS [OPTION]...\n\n"
    "Sends requests to an echo server and checks that every byte comes back.\n\n"
    "  --connections N    (100)\n"
    "  --size N           bytes of a request, the last one a newline (64)\n"
    "  --depth N          requests in flight on each connection (1)\n"
    "  --seconds S        how long to measure (10)\n"
    "  --warmup S         seconds before that are not measured (1)\n";

struct scenario {
    const char *name;
    enum scenario_bit bit;
    int (*run)(const struct bench_options *options);
    const char *help;
    struct bench_options defaults;
};

static const struct scenario scenarios[] = {
    {"room",
     IN_ROOM,
     bench_room,
     room_help,
     {.protocol = BENCH_LINE,
      .members = 1000,
      .senders = 8,
      .window = 64,
      .size = 64,
      .seconds = 10,
      .warmup = 2,
      .patience = 10}},
    {"idle",
     IN_IDLE,
     bench_idle,
     idle_help,
     {.protocol = BENCH_LINE, .members = 10000, .size = 64, .hold = 1, .patience = 10}},
    {"echo",
     IN_ECHO,
     bench_echo,
     echo_help,
     {.protocol = BENCH_RAW,
      .members = 100,
      .size = 64,
      .depth = 1,
      .seconds = 10,
      .warmup = 1,
      .patience = 10}},
};

#define SCENARIO_COUNT (sizeof scenarios / sizeof scenarios[0])

void bench_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("partyline bench: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

int64_t bench_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool parse_protocol(const char *text, enum bench_protocol *ret_protocol)
{
    static const char *const names[] = {
        [BENCH_RAW] = "raw", [BENCH_LINE] = "line", [BENCH_IRC] = "irc"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_protocol = (enum bench_protocol)i;
            return true;
        }
    }
    return false;
}

static bool parse_number(const char *text, const struct option_row *row, double *ret_value)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    bool whole = row->kind == SECONDS || value == (double)(int64_t)value;
    if (end == text || *end != '\0' || errno != 0 || !(value >= row->min && value <= row->max) ||
        !whole) {
        bench_complain("--%s: %s: not a number from %g to %g", row->name, text, row->min, row->max);
        return false;
    }
    *ret_value = value;
    return true;
}

/* Returns false after a complaint. */
static bool store(const struct option_row *row, const char *text, struct bench_options *options)
{
    char *at = (char *)options + row->offset;
    double value = 0;
    switch (row->kind) {
    case TEXT:
    case CONNECT:
        *(const char **)(void *)at = text;
        return true;
    case PROTOCOL:
        if (!parse_protocol(text, (enum bench_protocol *)(void *)at)) {
            bench_complain("--protocol: %s: not one of line, raw, irc", text);
            return false;
        }
        return true;
    case COUNT:
        if (!parse_number(text, row, &value)) {
            return false;
        }
        *(uint64_t *)(void *)at = (uint64_t)value;
        return true;
    case SECONDS:
        if (!parse_number(text, row, &value)) {
            return false;
        }
        *(double *)(void *)at = value;
        return true;
    }
    return false;
}

/* Returns: EXIT_DONE; EXIT_USAGE for a bad text, EXIT_FAILED when the name is not found. */
static int resolve_target(struct bench_options *options)
{
    const char *text = options->connect;
    const char *scheme = strstr(text, "://");
    char host[256], port[32];
    text = scheme == NULL ? text : scheme + 3;
    if (party_address_parse(text, &options->target) == 0) {
        return EXIT_DONE;
    }
    if (party_address_split(text, host, sizeof host, port, sizeof port) < 0 || port[0] == '\0') {
        bench_complain("--connect: %s: neither HOST:PORT nor unix:PATH", options->connect);
        return EXIT_USAGE;
    }
    struct party_resolve_list list = {0};
    int r = party_resolve_getaddrinfo(host, port, AF_UNSPEC, SOCK_STREAM, 0, 0, &list);
    if (r < 0 || list.count == 0) {
        bench_complain("%s: %s", options->connect, party_strerror(r < 0 ? r : PARTY_EGAI_NODATA));
        party_resolve_list_finish(&list);
        return EXIT_FAILED;
    }
    options->target = list.entries[0].address;
    party_resolve_list_finish(&list);
    return EXIT_DONE;
}

/* Returns an exit code; -1: go on. */
static int parse_options(int argc, char **argv, const struct scenario *scenario,
                         struct bench_options *options)
{
    struct option longs[OPTION_COUNT + 2] = {{"help", no_argument, NULL, 'h'}};
    const struct option_row *rows[OPTION_COUNT + 2] = {NULL};
    size_t count = 1;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if ((option_rows[i].scenarios & (unsigned)scenario->bit) != 0) {
            rows[count] = &option_rows[i];
            longs[count++] = (struct option){option_rows[i].name, required_argument, NULL, 0};
        }
    }
    int index = 0;
    int found;
    char name[32];
    (void)snprintf(name, sizeof name, "partyline bench %s", scenario->name);
    argv[0] = name; /* getopt_long writes it in front of its complaints */
    while ((found = getopt_long(argc, argv, "h", longs, &index)) != -1) {
        if (found == 'h') {
            (void)printf("%s%s", scenario->help, common_help);
            return EXIT_DONE;
        }
        if (found != 0 || !store(rows[index], optarg, options)) {
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        bench_complain("%s: not an option", argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

/* What bounds of single options cannot say. Returns false after a complaint. */
static bool check(const struct scenario *scenario, struct bench_options *options)
{
    if (options->connect == NULL) {
        bench_complain("--connect is missing");
        return false;
    }
    if (scenario->bit == IN_IDLE && options->pid == 0) {
        bench_complain("--pid is missing");
        return false;
    }
    if (scenario->bit != IN_ROOM) {
        return true;
    }
    if (options->size < MARK_BYTES + 2) {
        bench_complain("--size: a message needs at least %u bytes", MARK_BYTES + 2);
        return false;
    }
    if (options->protocol == BENCH_IRC && options->members < 2) {
        bench_complain("--members: IRC servers do not send one's own messages back: at least 2");
        return false;
    }
    if (options->senders > options->members) {
        options->senders = options->members;
    }
    if (options->protocol == BENCH_IRC && options->room == NULL) {
        options->room = "#bench";
    }
    return true;
}

int cmd_bench(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        (void)printf("usage: partyline bench room|idle|echo --connect ADDRESS [OPTION]...\n\n"
                     "%s\n%s\n%s\nIn each:\n\n%s",
                     room_help, idle_help, echo_help, common_help);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < SCENARIO_COUNT; i++) {
        const struct scenario *scenario = &scenarios[i];
        if (strcmp(name, scenario->name) != 0) {
            continue;
        }
        struct bench_options options = scenario->defaults;
        int code = parse_options(argc - 1, argv + 1, scenario, &options);
        if (code == -1 && !check(scenario, &options)) {
            code = EXIT_USAGE;
        }
        if (code == -1) {
            code = resolve_target(&options);
            return code != EXIT_DONE ? code : scenario->run(&options);
        }
        return code;
    }
    bench_complain("%s%sroom, idle or echo", name, name[0] == '\0' ? "" : ": not one of ");
    return EXIT_USAGE;
}
