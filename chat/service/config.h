/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_CONFIG_H
#define CHAT_SERVICE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/log.h>

#include "service/config_listen.h"
#include "service/logger.h"

/*
 * The configuration of the server: a YAML file (JSON is YAML too), loaded by a schema and checked
 * whole before anything of it is used. A field has the name of its key; partyline.yaml(5) has the
 * meaning, the default and the range of each. What the file does not say has its default.
 *
 *     struct config config;
 *     char why[CONFIG_MESSAGE_MAX];
 *     if (config_load("partyline.yaml", &config, why, sizeof why) < 0) {
 *         fprintf(stderr, "partyline check: %s\n", why);   "partyline.yaml:12: limits.nick: 500
 * ..." return 1;
 *     }
 *     ...
 *     config_finish(&config);
 *
 * Threads: any; nothing is shared. Memory: what the file can make grow is bounded by the limits
 * below, each checked before memory is taken.
 */

#define CONFIG_FILE_MAX_BYTES (256 * 1024) /* of a configuration file */
#define CONFIG_NODES_MAX      1024         /* keys, values and list entries in a file */
#define CONFIG_DEPTH_MAX      8            /* mappings and lists within each other */
#define CONFIG_KEY_MAX_BYTES  64           /* of one key */
#define CONFIG_DIRECTIVES_MAX 8            /* lines that begin with % */
#define CONFIG_LISTEN_MAX     64           /* listeners */
#define CONFIG_MOTD_MAX_BYTES 16384
#define CONFIG_OPERATORS_MAX  64
#define CONFIG_TAGS_MAX       64   /* names in history.persist_tags */
#define CONFIG_MESSAGE_MAX    1024 /* enough for every message, with its NUL; longer ones are cut */

/* What 0, "no limit", means where there must be one. */
#define CONFIG_TEXT_CEILING            4096
#define CONFIG_WHOWAS_CEILING          100000
#define CONFIG_CHATHISTORY_CEILING     10000
#define CONFIG_MULTILINE_CEILING_BYTES 32768
#define CONFIG_MULTILINE_CEILING_LINES 1000

enum config_backend { CONFIG_BACKEND_EPOLL, CONFIG_BACKEND_IO_URING };

struct config_operator {
    char *name;
    char *password; /* as text or as `partyline hash` printed it */
    bool is_plain;  /* as text */
};

struct config_history {
    bool enabled;           /* whether users may ask for it */
    uint32_t on_join;       /* lines shown to who enters a room; 0: none */
    uint32_t max;           /* lines per /history */
    bool persist_tags;      /* whether a TAGMSG is ever kept for its client-only tags */
    char *persist_tag_list; /* those that make it be kept, each on a line; "": all but +typing */
};

/* How much one session may send: a bucket of burst tokens that fills at rate. */
struct config_flood {
    uint32_t burst; /* messages; 0: no limit (`flood: false`) */
    double rate;    /* messages per second; 0 with burst */
};

struct config_limits {
    struct config_flood flood;
    uint32_t connections;             /* at once; 0: what RLIMIT_NOFILE allows */
    uint32_t connections_per_address; /* at once; 0: no limit */
    uint32_t connection_rate;         /* new ones per minute and address; 0: no limit */
    uint32_t sendq;                   /* bytes of unsent output per connection */
    uint32_t line;                    /* bytes of one message */
    uint32_t nick, channel;           /* bytes */
    uint32_t topic, kick, away;       /* bytes; 0: CONFIG_TEXT_CEILING */
    uint32_t rooms;
    uint32_t channels; /* one user may be in; 0: no limit */
    uint32_t monitor;  /* names one user may watch; 0: no limit */
    uint32_t whowas;   /* names remembered of who has gone; 0: CONFIG_WHOWAS_CEILING */
    uint32_t history;  /* messages per CHATHISTORY; 0: CONFIG_CHATHISTORY_CEILING */
    uint32_t multiline_bytes, multiline_lines; /* 0: CONFIG_MULTILINE_CEILING_* */
    uint32_t announce; /* above this many members, joins and leaves are not told; 0: told always */
    uint32_t write_timeout;  /* seconds a peer may take nothing; 0: no limit */
    uint32_t idle_timeout;   /* seconds a peer may say nothing; 0: no limit */
    uint32_t ping;           /* seconds of silence before PING is sent; 0: never */
    uint32_t pong;           /* seconds to answer it; 0: no limit */
    uint32_t registration;   /* seconds to be registered in; 0: no limit */
    uint32_t password_tries; /* wrong ones of an address before it must wait; 0: it never must */
};

struct config {
    char *name;        /* of the server */
    char *network;     /* shown to people */
    char *description; /* "" when there is none */
    struct listen_url *listen;
    size_t listen_count; /* 1 to CONFIG_LISTEN_MAX */
    char *password;      /* everybody's who connects, as text or as a hash; NULL: none is asked */
    struct config_operator *operators;
    size_t operator_count; /* at most CONFIG_OPERATORS_MAX */
    bool cloak;            /* whether people see made-up host names */
    char *data;            /* directory; NULL: see config_data_dir */
    char *motd;            /* lines ended or separated by newlines; "" when there is none */
    char *lobby;
    uint32_t loops; /* 0: see config_loops */
    enum config_backend backend;
    enum logger_target log;
    enum party_log_level log_level;
    struct config_history history;
    struct config_limits limits;
};

/** Fills ret_config with the defaults. Owns: the caller ends it with config_finish. */
void config_default(struct config *ret_config);

/**
 * Reads and checks a file. An empty one gives the defaults.
 * Returns: 0; -1 with one line in message (at most cap bytes with the NUL) that names the file, the
 *   line and the key where there are such, and ret_config untouched.
 * Owns: after success the caller ends ret_config with config_finish.
 * Blocks: as long as reading the file takes; what is not a regular file is refused.
 */
int config_load(const char *path, struct config *ret_config, char *message, size_t cap);

/** The same for text of len bytes in memory; path stands in the messages. */
int config_load_text(const char *path, const void *text, size_t len, struct config *ret_config,
                     char *message, size_t cap);

/** Calls fn with each thing that is allowed but not wise, a line of text: passwords as text. */
void config_warn(const struct config *config, void (*fn)(const char *text, void *user), void *user);

/** Frees what the configuration holds, passwords wiped; the struct may be filled again. */
void config_finish(struct config *config);

/** Replaces all listeners by one more URL list, for --listen. Owns: urls is copied. */
void config_set_listen(struct config *config, const struct listen_url *urls, size_t count);

/** key is the path of a key ("limits.nick"). */
typedef void (*config_diff_fn)(const char *key, bool needs_restart, void *user);

/**
 * Names each key whose value differs; fn may be NULL. needs_restart tells those that a running
 * server cannot take over: name, listen, data, lobby, loops, backend.
 * Returns: how many differ.
 */
size_t config_diff(const struct config *old_config, const struct config *new_config,
                   config_diff_fn fn, void *user);

/**
 * The directory for the data: `data`, else $STATE_DIRECTORY (its first), else
 * $XDG_STATE_HOME/partyline, else ~/.local/state/partyline. Nothing is created.
 * Returns: 0; -ENAMETOOLONG when it does not fit into cap; -ENOENT when there is no home directory.
 */
int config_data_dir(const struct config *config, char *ret_path, size_t cap);

/** The name libpartyline and `backend` have for it: "epoll", "io_uring". */
const char *config_backend_name(enum config_backend backend);

/** How many loops to run: `loops`, else the number of CPUs this process may use, at most 64. */
unsigned config_loops(const struct config *config);

#endif
