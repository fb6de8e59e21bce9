/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_CONFIG_SCHEMA_H
#define CHAT_SERVICE_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/limit.h"
#include "service/config.h"
#include "service/config_scan.h"

/*
 * What libcyaml loads: the file as it stands, each value behind a pointer that is NULL when its key
 * is not there (libcyaml 1.3 has no defaults). config_check turns it into a struct config.
 */

struct config_raw_history {
    int64_t *on_join, *max;
    bool *enabled;
    bool *persist_switch; /* `persist_tags: true` or `persist_tags: false` ... */
    char *persist_one;    /* ... or a tag ... */
    char **persist_list;  /* ... or a list */
    unsigned persist_list_count;
};

struct config_raw_operator {
    char *name, *password, *password_hash;
};

struct config_raw_flood {
    int64_t *burst;
    double *rate;
};

struct config_raw_limits {
    bool *flood_switch;            /* `flood: true` or `flood: false` ... */
    struct config_raw_flood flood; /* ... or a mapping */
    int64_t *connections, *connections_per_address, *connection_rate, *sendq, *line, *nick,
        *channel, *topic, *kick, *away, *rooms, *channels, *monitor, *whowas, *history,
        *multiline_bytes, *multiline_lines, *announce, *write_timeout, *idle_timeout, *ping, *pong,
        *registration, *password_tries;
};

struct config_raw {
    char *name, *network, *description, *data, *motd, *lobby, *password;
    char *listen_one;      /* `listen: URL` ... */
    char **listen;         /* ... or a list */
    unsigned listen_count; /* libcyaml's type */
    struct config_raw_operator *operators;
    unsigned operators_count;
    bool *cloak;
    int64_t *loops;
    enum config_backend *backend;
    enum logger_target *log;
    enum party_log_level *log_level;
    struct config_raw_history history;
    struct config_raw_limits limits;
};

/*
 * Each whole number: its path in config and in config_raw, which is its key's path too, its range
 * and its default. 0 is allowed for all of limits.
 */
#define CONFIG_NUMBERS(X)                                                                          \
    X(loops, 0, 64, 0)                                                                             \
    X(history.on_join, 0, RECENT_CEILING, RECENT_DEFAULT)                                          \
    X(history.max, 1, 1000, 100)                                                                   \
    X(limits.flood.burst, 1, 1000, 20)                                                             \
    X(limits.connections, 0, 1000000, 0)                                                           \
    X(limits.connections_per_address, 0, 1000000, 64)                                              \
    X(limits.connection_rate, 0, 1000000, 240)                                                     \
    X(limits.sendq, 16384, 67108864, 98304)                                                        \
    X(limits.line, 64, TEXT_CEILING_BYTES, TEXT_MAX_BYTES)                                         \
    X(limits.nick, 9, NAME_CEILING_BYTES, NAME_MAX_BYTES)                                          \
    X(limits.channel, 5, ROOM_NAME_CEILING_BYTES, ROOM_NAME_MAX_BYTES)                             \
    X(limits.topic, 0, CONFIG_TEXT_CEILING, TOPIC_MAX_BYTES)                                       \
    X(limits.kick, 0, CONFIG_TEXT_CEILING, REASON_MAX_BYTES)                                       \
    X(limits.away, 0, CONFIG_TEXT_CEILING, AWAY_MAX_BYTES)                                         \
    X(limits.rooms, 1, 1000000, ROOMS_MAX)                                                         \
    X(limits.channels, 0, 1000000, ROOMS_PER_MEMBER_MAX)                                           \
    X(limits.monitor, 0, 1000000, MONITOR_MAX)                                                     \
    X(limits.whowas, 0, CONFIG_WHOWAS_CEILING, WHOWAS_MAX)                                         \
    X(limits.history, 0, CONFIG_CHATHISTORY_CEILING, 1000)                                         \
    X(limits.multiline_bytes, 0, CONFIG_MULTILINE_CEILING_BYTES, MULTILINE_MAX_BYTES)              \
    X(limits.multiline_lines, 0, CONFIG_MULTILINE_CEILING_LINES, MULTILINE_MAX_LINES)              \
    X(limits.announce, 0, 1000000, ANNOUNCE_MAX_MEMBERS)                                           \
    X(limits.write_timeout, 0, 3600, 10)                                                           \
    X(limits.idle_timeout, 0, 604800, 0)                                                           \
    X(limits.ping, 0, 86400, 120)                                                                  \
    X(limits.pong, 0, 86400, 60)                                                                   \
    X(limits.registration, 0, 3600, 60)                                                            \
    X(limits.password_tries, 0, 1000, 10)

/**
 * Loads the text by the schema. scan is the first pass over the same text.
 * Returns: 0 and the loaded file, NULL when it sets nothing; -1 with a message.
 * Owns: the caller ends ret_raw with config_raw_free.
 */
int config_raw_load(const struct config_report *report, const struct config_scan *scan,
                    const void *text, size_t len, struct config_raw **ret_raw);

/** NULL is accepted. */
void config_raw_free(struct config_raw *raw, const struct config_scan *scan);

/* ---- config_secret.c ---- */

/**
 * Checks `password` and `operators` and puts them into config. Returns: 0; -1 with a message that
 * holds no password.
 */
int config_check_secrets(const struct config_report *report, const struct config_scan *scan,
                         const struct config_raw *raw, struct config *config);

/** Whether the operators or their passwords differ. */
bool config_operators_differ(const struct config *a, const struct config *b);

/** Wipes and frees the passwords of config. */
void config_finish_secrets(struct config *config);

/* ---- config_check.c ---- */

/** The numbers' defaults. */
void config_check_default(struct config *config);

/** Whether the scalars have the form their keys ask for; libcyaml takes "nan", 0x10 and more. */
int config_check_form(const struct config_report *report, const struct config_scan *scan);

/** Checks raw and puts it into config, which holds the defaults. Returns: 0; -1 with a message. */
int config_check_values(const struct config_report *report, const struct config_scan *scan,
                        const struct config_raw *raw, struct config *config);

/** The part of config_diff for the numbers. */
size_t config_check_diff(const struct config *old_config, const struct config *new_config,
                         config_diff_fn fn, void *user);

#endif
