/* SPDX-License-Identifier: MIT */
#include "service/config_schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cyaml/cyaml.h>

/*
 * limits.flood is false or a mapping, history.persist_tags true, false, a tag or a list, listen a
 * URL or a list, and any key may be null: no libcyaml schema can say that. So the schema is put
 * together for each file, from the tables below and what the first pass saw.
 */

#define OPTIONAL                  (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)
#define STRICT                    (OPTIONAL | CYAML_FLAG_STRICT)

#define INT_IN(structure, member) CYAML_FIELD_INT_PTR(#member, OPTIONAL, structure, member)
#define STRING_IN(structure, member)                                                               \
    CYAML_FIELD_STRING_PTR(#member, OPTIONAL, structure, member, 0, CYAML_UNLIMITED)

static const cyaml_strval_t backends[] = {{"epoll", CONFIG_BACKEND_EPOLL},
                                          {"io_uring", CONFIG_BACKEND_IO_URING}};

static const cyaml_strval_t targets[] = {
    {"stderr", LOGGER_STDERR}, {"syslog", LOGGER_SYSLOG}, {"journal", LOGGER_JOURNAL}};

static const cyaml_strval_t levels[] = {{"error", PARTY_LOG_ERROR},
                                        {"warning", PARTY_LOG_WARNING},
                                        {"info", PARTY_LOG_INFO},
                                        {"debug", PARTY_LOG_DEBUG}};

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED)};

#define BOOL_IN(structure, member) CYAML_FIELD_BOOL_PTR(#member, OPTIONAL, structure, member)

/* The first entry is replaced when the file has no list there. */
static const cyaml_schema_field_t history_fields[] = {
    CYAML_FIELD_SEQUENCE("persist_tags", OPTIONAL, struct config_raw_history, persist_list,
                         &text_entry, 0, CONFIG_TAGS_MAX),
    INT_IN(struct config_raw_history, on_join), INT_IN(struct config_raw_history, max),
    BOOL_IN(struct config_raw_history, enabled), CYAML_FIELD_END};

static const cyaml_schema_field_t persist_switch =
    CYAML_FIELD_BOOL_PTR("persist_tags", OPTIONAL, struct config_raw_history, persist_switch);

static const cyaml_schema_field_t persist_one = CYAML_FIELD_STRING_PTR(
    "persist_tags", OPTIONAL, struct config_raw_history, persist_one, 0, CYAML_UNLIMITED);

static const cyaml_schema_field_t operator_fields[] = {
    STRING_IN(struct config_raw_operator, name), STRING_IN(struct config_raw_operator, password),
    STRING_IN(struct config_raw_operator, password_hash), CYAML_FIELD_END};

static const cyaml_schema_value_t operator_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_raw_operator, operator_fields)};

static const cyaml_schema_field_t flood_fields[] = {
    INT_IN(struct config_raw_flood, burst),
    CYAML_FIELD_FLOAT_PTR("rate", STRICT, struct config_raw_flood, rate), CYAML_FIELD_END};

#define LIMIT(member) INT_IN(struct config_raw_limits, member)
/* The first entry is replaced when the file has no mapping there. */
static const cyaml_schema_field_t limit_fields[] = {
    CYAML_FIELD_MAPPING("flood", CYAML_FLAG_OPTIONAL, struct config_raw_limits, flood,
                        flood_fields),
    LIMIT(connections),
    LIMIT(connections_per_address),
    LIMIT(connection_rate),
    LIMIT(sendq),
    LIMIT(line),
    LIMIT(nick),
    LIMIT(channel),
    LIMIT(topic),
    LIMIT(kick),
    LIMIT(away),
    LIMIT(rooms),
    LIMIT(channels),
    LIMIT(monitor),
    LIMIT(whowas),
    LIMIT(history),
    LIMIT(multiline_bytes),
    LIMIT(multiline_lines),
    LIMIT(announce),
    LIMIT(write_timeout),
    LIMIT(idle_timeout),
    LIMIT(ping),
    LIMIT(pong),
    LIMIT(registration),
    LIMIT(password_tries),
    CYAML_FIELD_END};

static const cyaml_schema_field_t flood_switch =
    CYAML_FIELD_BOOL_PTR("flood", OPTIONAL, struct config_raw_limits, flood_switch);

/* The first two entries are pointed to the file's own tables, the third is replaced when the file
   has no list there. */
static const cyaml_schema_field_t root_fields[] = {
    CYAML_FIELD_MAPPING("history", CYAML_FLAG_OPTIONAL, struct config_raw, history, history_fields),
    CYAML_FIELD_MAPPING("limits", CYAML_FLAG_OPTIONAL, struct config_raw, limits, limit_fields),
    CYAML_FIELD_SEQUENCE("listen", OPTIONAL, struct config_raw, listen, &text_entry, 1,
                         CONFIG_LISTEN_MAX),
    STRING_IN(struct config_raw, name),
    STRING_IN(struct config_raw, network),
    STRING_IN(struct config_raw, description),
    STRING_IN(struct config_raw, data),
    STRING_IN(struct config_raw, motd),
    STRING_IN(struct config_raw, lobby),
    STRING_IN(struct config_raw, password),
    CYAML_FIELD_SEQUENCE("operators", OPTIONAL, struct config_raw, operators, &operator_entry, 0,
                         CONFIG_OPERATORS_MAX),
    BOOL_IN(struct config_raw, cloak),
    INT_IN(struct config_raw, loops),
    CYAML_FIELD_ENUM_PTR("backend", STRICT, struct config_raw, backend, backends,
                         CYAML_ARRAY_LEN(backends)),
    CYAML_FIELD_ENUM_PTR("log", STRICT, struct config_raw, log, targets, CYAML_ARRAY_LEN(targets)),
    CYAML_FIELD_ENUM_PTR("log_level", STRICT, struct config_raw, log_level, levels,
                         CYAML_ARRAY_LEN(levels)),
    CYAML_FIELD_END};

static const cyaml_schema_field_t listen_one =
    CYAML_FIELD_STRING_PTR("listen", OPTIONAL, struct config_raw, listen_one, 0, CYAML_UNLIMITED);

/* The tables for one file. */
struct schema {
    cyaml_schema_field_t history[CYAML_ARRAY_LEN(history_fields)];
    cyaml_schema_field_t flood[CYAML_ARRAY_LEN(flood_fields)];
    cyaml_schema_field_t limits[CYAML_ARRAY_LEN(limit_fields)];
    cyaml_schema_field_t root[CYAML_ARRAY_LEN(root_fields)];
    cyaml_schema_value_t value;
};

static bool is_scalar(const struct config_scan *scan, const char *path)
{
    const struct config_node *node = config_scan_find(scan, path);

    return node != NULL && node->kind == CONFIG_NODE_SCALAR;
}

/* Has libcyaml pass over the keys of a table whose value is null. */
static void ignore_nulls(cyaml_schema_field_t *fields, const char *prefix,
                         const struct config_scan *scan)
{
    char path[CONFIG_DEPTH_MAX * CONFIG_KEY_MAX_BYTES];

    for (cyaml_schema_field_t *field = fields; field->key != NULL; field++) {
        (void)snprintf(path, sizeof path, "%s%s", prefix, field->key);
        const struct config_node *node = config_scan_find(scan, path);
        if (node != NULL && node->is_null) {
            *field = (cyaml_schema_field_t)CYAML_FIELD_IGNORE(field->key, CYAML_FLAG_OPTIONAL);
        }
    }
}

static void schema_init(struct schema *schema, const struct config_scan *scan)
{
    memcpy(schema->history, history_fields, sizeof history_fields);
    memcpy(schema->flood, flood_fields, sizeof flood_fields);
    memcpy(schema->limits, limit_fields, sizeof limit_fields);
    memcpy(schema->root, root_fields, sizeof root_fields);
    schema->limits[0].value.mapping.fields = schema->flood;
    schema->root[0].value.mapping.fields = schema->history;
    schema->root[1].value.mapping.fields = schema->limits;
    if (is_scalar(scan, "limits.flood")) {
        schema->limits[0] = flood_switch;
    }
    if (is_scalar(scan, "history.persist_tags")) {
        const char *text = config_scan_find(scan, "history.persist_tags")->text;
        schema->history[0] = text[0] == '+' ? persist_one : persist_switch;
    }
    if (is_scalar(scan, "listen")) {
        schema->root[2] = listen_one;
    }
    ignore_nulls(schema->history, "history.", scan);
    ignore_nulls(schema->flood, "limits.flood.", scan);
    ignore_nulls(schema->limits, "limits.", scan);
    ignore_nulls(schema->root, "", scan);
    schema->value = (cyaml_schema_value_t){
        CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_raw, schema->root)};
}

/*
 * libcyaml tells what went wrong through its log only: a line with the problem, then a backtrace
 * of the mappings it was in, the innermost first.
 */
struct complaint {
    char problem[256];
    char path[CONFIG_DEPTH_MAX * (CONFIG_KEY_MAX_BYTES + 1)];
    size_t line; /* of the innermost mapping field or list entry; 0: not told */
};

static void prepend_path(struct complaint *complaint, const char *key)
{
    char joined[sizeof complaint->path];
    bool is_last = complaint->path[0] == '\0' || complaint->path[0] == '[';
    int n = snprintf(joined, sizeof joined, "%s%s%s", key, is_last ? "" : ".", complaint->path);

    if (n > 0 && (size_t)n < sizeof joined) {
        memcpy(complaint->path, joined, (size_t)n + 1);
    }
}

__attribute__((format(printf, 3, 0))) static void on_log(cyaml_log_t level, void *user,
                                                         const char *fmt, va_list args)
{
    struct complaint *complaint = user;
    char text[sizeof complaint->problem];
    char key[CONFIG_KEY_MAX_BYTES + 1];
    size_t line = 0;
    unsigned entry = 0;

    if (level < CYAML_LOG_ERROR) {
        return;
    }
    (void)vsnprintf(text, sizeof text, fmt, args);
    text[strcspn(text, "\n")] = '\0';
    if (sscanf(text, " in mapping field '%64[^']' (line: %zu", key, &line) == 2) {
        prepend_path(complaint, key);
    } else if (sscanf(text, " in sequence entry '%u' (line: %zu", &entry, &line) == 2) {
        (void)snprintf(key, sizeof key, "[%u]", entry - (entry > 0)); /* it counts from 1 */
        prepend_path(complaint, key);
    } else if (complaint->problem[0] == '\0' && strncmp(text, "Load: ", 6) == 0) {
        (void)snprintf(complaint->problem, sizeof complaint->problem, "%s", text + 6);
    }
    if (complaint->line == 0) {
        complaint->line = line;
    }
}

static const char *type_word(const char *cyaml_word)
{
    static const char *const words[][2] = {
        {"MAPPING", "a mapping"},      {"SEQUENCE", "a list"},       {"STRING", "a text"},
        {"INT", "a whole number"},     {"FLOAT", "a number"},        {"ENUM", "one word"},
        {"BOOL", "true or false"},     {"SCALAR", "a single value"}, {"SEQUENCE_START", "a list"},
        {"MAPPING_START", "a mapping"}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][0], cyaml_word) == 0) {
            return words[i][1];
        }
    }
    return cyaml_word;
}

static int fail_choice(const struct config_report *report, const struct complaint *complaint,
                       const char *value)
{
    char choices[128] = "";
    size_t used = 0;

    for (const cyaml_schema_field_t *field = root_fields; field->key != NULL; field++) {
        if (field->value.type != CYAML_ENUM || strcmp(field->key, complaint->path) != 0) {
            continue;
        }
        for (uint32_t i = 0; i < field->value.enumeration.count && used < sizeof choices; i++) {
            used += (size_t)snprintf(choices + used, sizeof choices - used, "%s%s",
                                     i > 0 ? ", " : "", field->value.enumeration.strings[i].str);
        }
    }
    return config_fail(report, complaint->line, complaint->path, "'%.40s' is none of: %s", value,
                       choices);
}

/* Turns what libcyaml said into a message of ours; what is not known here is passed on as it is. */
static int fail_complaint(const struct config_report *report, const struct config_scan *scan,
                          const struct complaint *complaint, cyaml_err_t err)
{
    const char *problem = complaint->problem;
    char path[sizeof complaint->path + CONFIG_KEY_MAX_BYTES + 2];
    char want[32], got[32];
    size_t line = config_scan_line(scan, complaint->path);

    line = line != 0 ? line : complaint->line;
    if (strncmp(problem, "Unexpected key: ", 16) == 0) {
        (void)snprintf(path, sizeof path, "%s%s%.64s", complaint->path,
                       complaint->path[0] != '\0' ? "." : "", problem + 16);
        return config_fail(report, config_scan_line(scan, path), path, "unknown key");
    }
    if (sscanf(problem, "Expecting %31[A-Z_], got event: %31[A-Z_]", want, got) == 2) {
        return config_fail(report, complaint->line != 0 ? complaint->line : line, complaint->path,
                           "%s is expected, not %s", type_word(want), type_word(got));
    }
    if (strncmp(problem, "Invalid ENUM value: ", 20) == 0) {
        return fail_choice(report, complaint, problem + 20);
    }
    if (err == CYAML_ERR_SEQUENCE_ENTRIES_MIN || err == CYAML_ERR_SEQUENCE_ENTRIES_MAX) {
        /* It is told as of the entry that would be the first, or one too many. */
        (void)snprintf(path, sizeof path, "%.*s", (int)strcspn(complaint->path, "["),
                       complaint->path);
        line = config_scan_line(scan, path);
    }
    if (err == CYAML_ERR_SEQUENCE_ENTRIES_MIN) {
        return config_fail(report, line, path, "the list is empty");
    }
    if (err == CYAML_ERR_SEQUENCE_ENTRIES_MAX) {
        /* Every list is as long at most. */
        return config_fail(report, line, path, "more than %d entries", CONFIG_LISTEN_MAX);
    }
    return config_fail(report, line, complaint->path, "%s",
                       problem[0] != '\0' ? problem : cyaml_strerror(err));
}

int config_raw_load(const struct config_report *report, const struct config_scan *scan,
                    const void *text, size_t len, struct config_raw **ret_raw)
{
    struct complaint complaint = {0};
    const cyaml_config_t how = {.log_fn = on_log,
                                .log_ctx = &complaint,
                                .mem_fn = cyaml_mem,
                                .log_level = CYAML_LOG_ERROR,
                                .flags = CYAML_CFG_NO_ALIAS};
    cyaml_data_t *data = NULL;
    struct schema schema;

    schema_init(&schema, scan);
    cyaml_err_t err = cyaml_load_data(text, len, &how, &schema.value, &data, NULL);

    if (err != CYAML_OK) {
        return fail_complaint(report, scan, &complaint, err);
    }
    *ret_raw = data;
    return 0;
}

static void wipe(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
    }
}

void config_raw_free(struct config_raw *raw, const struct config_scan *scan)
{
    const cyaml_config_t how = {.mem_fn = cyaml_mem};
    struct schema schema;

    if (raw == NULL) {
        return;
    }
    wipe(raw->password);
    for (unsigned i = 0; i < raw->operators_count; i++) {
        wipe(raw->operators[i].password);
    }
    schema_init(&schema, scan);
    (void)cyaml_free(&how, &schema.value, raw, 0);
}
