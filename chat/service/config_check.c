/* SPDX-License-Identifier: MIT */
#include "service/config_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "core/name.h"

/*
 * The second pass: every value has the right type, now it must make sense. Numbers are rows of a
 * table; texts have a function each.
 */

#define CONFIG_NAME_MAX_BYTES        63
#define CONFIG_NETWORK_MAX_BYTES     64
#define CONFIG_DESCRIPTION_MAX_BYTES 200
#define CONFIG_DATA_MAX_BYTES        3840 /* leaves room in PATH_MAX for the files within */
#define CONFIG_TAG_MAX_BYTES         128
#define CONFIG_RATE_MIN              0.1
#define CONFIG_RATE_MAX              1000.0
#define CONFIG_RATE_DEFAULT          5.0

struct number {
    const char *key;
    size_t raw_offset; /* in config_raw: int64_t * */
    size_t offset;     /* in config: uint32_t */
    uint32_t min, max, fallback;
};

static const struct number numbers[] = {
#define NUMBER_ROW(member, min, max, fallback)                                                     \
    {#member, offsetof(struct config_raw, member), offsetof(struct config, member), min, max,      \
     fallback},
    CONFIG_NUMBERS(NUMBER_ROW)
#undef NUMBER_ROW
};

#define NUMBER_COUNT (sizeof numbers / sizeof numbers[0])

static uint32_t *number_at(struct config *config, const struct number *number)
{
    return (uint32_t *)(void *)((char *)config + number->offset);
}

static uint32_t number_of(const struct config *config, const struct number *number)
{
    return *(const uint32_t *)(const void *)((const char *)config + number->offset);
}

static const int64_t *raw_number(const struct config_raw *raw, const struct number *number)
{
    return *(int64_t *const *)(const void *)((const char *)raw + number->raw_offset);
}

void config_check_default(struct config *config)
{
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        *number_at(config, &numbers[i]) = numbers[i].fallback;
    }
    config->limits.flood.rate = CONFIG_RATE_DEFAULT;
}

size_t config_check_diff(const struct config *old_config, const struct config *new_config,
                         config_diff_fn fn, void *user)
{
    size_t count = 0;

    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        if (number_of(old_config, &numbers[i]) != number_of(new_config, &numbers[i])) {
            count++;
            if (fn != NULL) {
                fn(numbers[i].key, strcmp(numbers[i].key, "loops") == 0, user);
            }
        }
    }
    return count;
}

/* ---- the form of scalars ---- */

/* A sign is no mistake of form: it gives the better message that the number is too small. */
static bool is_whole_number(const char *text)
{
    text += text[0] == '-';
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0' &&
           (text[0] != '0' || text[1] == '\0');
}

static bool is_decimal(const char *text)
{
    text += text[0] == '-';
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole;
    if (whole > 0 && whole < 16 && rest[0] == '.') {
        size_t fraction = strspn(rest + 1, "0123456789");
        return fraction > 0 && fraction < 16 && rest[1 + fraction] == '\0';
    }
    return whole > 0 && whole < 16 && rest[0] == '\0';
}

static int check_whole_form(const struct config_report *report, const struct config_node *node,
                            const struct number *number)
{
    if (!is_whole_number(node->text)) {
        return config_fail(report, node->line, node->path, "'%.40s' is not a whole number",
                           node->text);
    }
    if (!node->is_plain) {
        return config_fail(report, node->line, node->path, "a number is written without quotes");
    }
    if (strlen(node->text) > 18) {
        return config_fail(report, node->line, node->path, "%.40s%s is %s than %u", node->text,
                           strlen(node->text) > 40 ? "..." : "",
                           node->text[0] == '-' ? "less" : "more",
                           node->text[0] == '-' ? number->min : number->max);
    }
    return 0;
}

static bool is_switch(const struct config_node *node)
{
    return node->is_plain && (strcmp(node->text, "false") == 0 || strcmp(node->text, "true") == 0);
}

/* This one may be 0 as well, as limits are ... */
#define SWITCH_FLOOD 0
/* ... and this one a tag, which '+' tells from a word. */
#define SWITCH_TAGS 3

/* libcyaml would take "yes", "no" and more. */
static int check_switch_form(const struct config_report *report, const struct config_node *node)
{
    static const struct {
        const char *key, *what;
    } switches[] = {
        [SWITCH_FLOOD] = {"limits.flood", "true, false nor a mapping of burst and rate"},
        {"cloak", "true nor false"},
        {"history.enabled", "true nor false"},
        [SWITCH_TAGS] = {"history.persist_tags", "true, false nor a list of tags"},
    };

    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        bool is_zero = i == SWITCH_FLOOD && node->is_plain && strcmp(node->text, "0") == 0;
        bool is_tag = i == SWITCH_TAGS && node->text[0] == '+';
        if (strcmp(node->path, switches[i].key) == 0 && !is_switch(node) && !is_zero && !is_tag) {
            return config_fail(report, node->line, node->path, "'%.40s' is neither %s", node->text,
                               switches[i].what);
        }
    }
    return 0;
}

static int check_node_form(const struct config_report *report, const struct config_node *node)
{
    if (node->is_null) {
        return 0;
    }
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        if (strcmp(numbers[i].key, node->path) == 0) {
            return check_whole_form(report, node, &numbers[i]);
        }
    }
    if (strcmp(node->path, "limits.flood.rate") == 0 &&
        (!node->is_plain || !is_decimal(node->text))) {
        return config_fail(report, node->line, node->path, "'%.40s' is not a number", node->text);
    }
    return check_switch_form(report, node);
}

int config_check_form(const struct config_report *report, const struct config_scan *scan)
{
    for (size_t i = 0; i < scan->count; i++) {
        if (scan->nodes[i].kind == CONFIG_NODE_SCALAR &&
            check_node_form(report, &scan->nodes[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- values ---- */

struct checker {
    const struct config_report *report;
    const struct config_scan *scan;
    const struct config_raw *raw;
    struct config *config;
};

/* 0 is no limit, also for what cannot be without one: the most there may be, then. */
static bool is_no_limit(const struct number *number, int64_t value)
{
    return value == 0 && number->min > 0 && strncmp(number->key, "limits.", 7) == 0;
}

static int check_numbers(const struct checker *c)
{
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        const struct number *number = &numbers[i];
        const int64_t *value = raw_number(c->raw, number);
        if (value == NULL) {
            continue;
        }
        size_t line = config_scan_line(c->scan, number->key);
        if (is_no_limit(number, *value)) {
            *number_at(c->config, number) = number->max;
            continue;
        }
        if (*value < (int64_t)number->min) {
            return config_fail(c->report, line, number->key, "%lld is less than %u",
                               (long long)*value, number->min);
        }
        if (*value > (int64_t)number->max) {
            return config_fail(c->report, line, number->key, "%lld is more than %u",
                               (long long)*value, number->max);
        }
        *number_at(c->config, number) = (uint32_t)*value;
    }
    return 0;
}

static int check_flood(const struct checker *c)
{
    const struct config_raw_limits *limits = &c->raw->limits;
    const char *key = "limits.flood.rate";

    bool is_zero = limits->flood.burst != NULL && *limits->flood.burst == 0;
    if (is_zero || (limits->flood_switch != NULL && !*limits->flood_switch)) {
        c->config->limits.flood = (struct config_flood){0, 0};
    }
    if (limits->flood.rate == NULL) {
        return 0;
    }
    double rate = *limits->flood.rate;
    if (rate < CONFIG_RATE_MIN) {
        return config_fail(c->report, config_scan_line(c->scan, key), key, "%g is less than %g",
                           rate, CONFIG_RATE_MIN);
    }
    if (rate > CONFIG_RATE_MAX) {
        return config_fail(c->report, config_scan_line(c->scan, key), key, "%g is more than %g",
                           rate, CONFIG_RATE_MAX);
    }
    c->config->limits.flood.rate = is_zero ? 0 : rate;
    return 0;
}

/* One line of at most max bytes replaces *field. */
static int take_text(const struct checker *c, const char *key, const char *text, size_t max,
                     char **field)
{
    if (text == NULL) {
        return 0;
    }
    size_t len = strlen(text);
    if (len > max) {
        return config_fail(c->report, config_scan_line(c->scan, key), key,
                           "%zu bytes are more than %zu", len, max);
    }
    free(*field);
    *field = xmemdup0(text, len);
    return 0;
}

static int take_line(const struct checker *c, const char *key, const char *text, size_t max,
                     char **field)
{
    if (text != NULL && strpbrk(text, "\n\t") != NULL) {
        return config_fail(c->report, config_scan_line(c->scan, key), key,
                           "a tab or more than one line");
    }
    return take_text(c, key, text, max, field);
}

static int take_filled(const struct checker *c, const char *key, const char *text, size_t max,
                       char **field)
{
    if (text != NULL && text[strspn(text, " ")] == '\0') {
        return config_fail(c->report, config_scan_line(c->scan, key), key, "the value is empty");
    }
    return take_line(c, key, text, max, field);
}

static int check_name(const struct checker *c)
{
    const char *name = c->raw->name;

    if (take_filled(c, "name", name, CONFIG_NAME_MAX_BYTES, &c->config->name) < 0) {
        return -1;
    }
    if (name != NULL &&
        name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] !=
            '\0') {
        return config_fail(c->report, config_scan_line(c->scan, "name"), "name",
                           "a server's name is of a-z, A-Z, 0-9, '-', '_' and '.'");
    }
    return 0;
}

/* Runs even when the file names no lobby: the default one must fit into limits.channel too. */
static int check_lobby(const struct checker *c)
{
    char room[ROOM_NAME_CEILING_BYTES + 1];
    size_t len = 0;
    const char *lobby = c->raw->lobby != NULL ? c->raw->lobby : c->config->lobby;
    size_t line = config_scan_line(c->scan, "lobby");

    switch (name_room(lobby, strlen(lobby), c->config->limits.channel, room, &len)) {
    case NAME_EMPTY:
        return config_fail(c->report, line, "lobby", "the value is empty");
    case NAME_LONG:
        return config_fail(c->report, line, "lobby", "longer than limits.channel (%u bytes)",
                           c->config->limits.channel);
    case NAME_BAD:
        return config_fail(c->report, line, "lobby", "'%.40s' cannot be a room's name", lobby);
    case NAME_OK:
        break;
    }
    free(c->config->lobby);
    c->config->lobby = xmemdup0(room, len);
    return 0;
}

static int check_texts(const struct checker *c)
{
    const struct config_raw *raw = c->raw;
    struct config *config = c->config;

    if (check_name(c) < 0 ||
        take_filled(c, "network", raw->network, CONFIG_NETWORK_MAX_BYTES, &config->network) < 0 ||
        take_line(c, "description", raw->description, CONFIG_DESCRIPTION_MAX_BYTES,
                  &config->description) < 0 ||
        take_text(c, "motd", raw->motd, CONFIG_MOTD_MAX_BYTES, &config->motd) < 0 ||
        take_filled(c, "data", raw->data, CONFIG_DATA_MAX_BYTES, &config->data) < 0) {
        return -1;
    }
    return check_lobby(c);
}

/* Two listeners on one port would share its connections by chance. */
static int check_listen_twice(const struct checker *c, const struct listen_url *urls, size_t i)
{
    char key[32];

    for (size_t k = 0; k < i; k++) {
        if ((urls[i].kind == LISTEN_UNIX || urls[i].port != 0) &&
            config_listen_equal(&urls[i], &urls[k])) {
            (void)snprintf(key, sizeof key, "listen[%zu]", i);
            return config_fail(c->report, config_scan_line(c->scan, key), key,
                               "the same as listen[%zu]", k);
        }
    }
    return 0;
}

static int check_listen(const struct checker *c)
{
    struct listen_url urls[CONFIG_LISTEN_MAX];
    char key[32];
    char why[CONFIG_MESSAGE_MAX];

    if (c->raw->listen_one != NULL) {
        if (config_listen_parse(c->raw->listen_one, urls, why, sizeof why) < 0) {
            return config_fail(c->report, config_scan_line(c->scan, "listen"), "listen", "%s", why);
        }
        config_set_listen(c->config, urls, 1);
        return 0;
    }
    if (c->raw->listen == NULL) {
        return 0;
    }
    for (size_t i = 0; i < c->raw->listen_count; i++) {
        if (config_listen_parse(c->raw->listen[i], &urls[i], why, sizeof why) < 0) {
            (void)snprintf(key, sizeof key, "listen[%zu]", i);
            return config_fail(c->report, config_scan_line(c->scan, key), key, "%s", why);
        }
        if (check_listen_twice(c, urls, i) < 0) {
            return -1;
        }
    }
    config_set_listen(c->config, urls, c->raw->listen_count);
    return 0;
}

/* vendor.example/name-1, without the '+'; IRCv3 message tags, "Rules for naming message tags". */
static bool is_client_tag(const char *name)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-./";
    const char *slash = strchr(name, '/');

    return name[0] != '\0' && strlen(name) < CONFIG_TAG_MAX_BYTES &&
           name[strspn(name, chars)] == '\0' &&
           (slash == NULL || (slash > name && slash[1] != '\0' && strchr(slash + 1, '/') == NULL));
}

/* Adds a tag to a list, each on a line with its '+'. key is where it stands in the file. */
static int add_tag(const struct checker *c, const char *key, const char *tag, char *list,
                   size_t cap)
{
    const char *name = tag + (tag[0] == '+');
    size_t len = strlen(list);

    if (!is_client_tag(name)) {
        return config_fail(c->report, config_scan_line(c->scan, key), key,
                           "'%.40s' is no client-only tag, such as +draft/persist", tag);
    }
    (void)snprintf(list + len, cap - len, "%s+%s", len > 0 ? "\n" : "", name);
    return 0;
}

static int check_persist_tags(const struct checker *c)
{
    const struct config_raw_history *raw = &c->raw->history;
    const char *key = "history.persist_tags";
    const struct config_node *node = config_scan_find(c->scan, key);
    struct config_history *history = &c->config->history;
    char list[CONFIG_TAGS_MAX * (CONFIG_TAG_MAX_BYTES + 1)] = "";
    char entry[64];

    if (node == NULL || node->is_null) {
        return 0;
    }
    if (raw->persist_switch != NULL) {
        history->persist_tags = *raw->persist_switch;
        return 0;
    }
    if (raw->persist_one != NULL && add_tag(c, key, raw->persist_one, list, sizeof list) < 0) {
        return -1;
    }
    for (unsigned i = 0; i < raw->persist_list_count; i++) {
        (void)snprintf(entry, sizeof entry, "%s[%u]", key, i);
        if (add_tag(c, entry, raw->persist_list[i], list, sizeof list) < 0) {
            return -1;
        }
    }
    history->persist_tags = list[0] != '\0';
    free(history->persist_tag_list);
    history->persist_tag_list = xmemdup0(list, strlen(list));
    return 0;
}

int config_check_values(const struct config_report *report, const struct config_scan *scan,
                        const struct config_raw *raw, struct config *config)
{
    const struct checker c = {report, scan, raw, config};

    if (check_numbers(&c) < 0 || check_flood(&c) < 0 || check_texts(&c) < 0 ||
        check_listen(&c) < 0 || check_persist_tags(&c) < 0 ||
        config_check_secrets(report, scan, raw, config) < 0) {
        return -1;
    }
    config->cloak = raw->cloak != NULL ? *raw->cloak : config->cloak;
    config->history.enabled =
        raw->history.enabled != NULL ? *raw->history.enabled : config->history.enabled;
    config->backend = raw->backend != NULL ? *raw->backend : config->backend;
    config->log = raw->log != NULL ? *raw->log : config->log;
    config->log_level = raw->log_level != NULL ? *raw->log_level : config->log_level;
    return 0;
}
