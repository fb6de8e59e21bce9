/* SPDX-License-Identifier: MIT */
#include "service/config_schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cyaml/cyaml.h>

/*
 * limits.flood is false or a mapping, which no libcyaml schema can say. So there are two schemas
 * that differ in this key alone, and the first pass tells which of them the file asks for.
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

static const cyaml_schema_field_t history_fields[] = {INT_IN(struct config_raw_history, on_join),
                                                      INT_IN(struct config_raw_history, max),
                                                      CYAML_FIELD_END};

static const cyaml_schema_field_t flood_fields[] = {
    INT_IN(struct config_raw_flood, burst),
    CYAML_FIELD_FLOAT_PTR("rate", STRICT, struct config_raw_flood, rate), CYAML_FIELD_END};

#define LIMIT(member) INT_IN(struct config_raw_limits, member)
#define LIMIT_FIELDS                                                                               \
    LIMIT(connections), LIMIT(connections_per_address), LIMIT(connection_rate), LIMIT(sendq),      \
        LIMIT(line), LIMIT(nick), LIMIT(channel), LIMIT(topic), LIMIT(kick), LIMIT(rooms),         \
        LIMIT(announce), LIMIT(write_timeout), LIMIT(idle_timeout), CYAML_FIELD_END

static const cyaml_schema_field_t limit_fields[] = {
    CYAML_FIELD_MAPPING("flood", CYAML_FLAG_OPTIONAL, struct config_raw_limits, flood,
                        flood_fields),
    LIMIT_FIELDS};

static const cyaml_schema_field_t limit_fields_switch[] = {
    CYAML_FIELD_BOOL_PTR("flood", OPTIONAL, struct config_raw_limits, flood_switch), LIMIT_FIELDS};

static const cyaml_schema_value_t listen_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED)};

#define ROOT_FIELDS(limits_schema)                                                                 \
    STRING_IN(struct config_raw, name), STRING_IN(struct config_raw, network),                     \
        STRING_IN(struct config_raw, description), STRING_IN(struct config_raw, data),             \
        STRING_IN(struct config_raw, motd), STRING_IN(struct config_raw, lobby),                   \
        CYAML_FIELD_SEQUENCE("listen", OPTIONAL, struct config_raw, listen, &listen_entry, 1,      \
                             CONFIG_LISTEN_MAX),                                                   \
        INT_IN(struct config_raw, loops),                                                          \
        CYAML_FIELD_ENUM_PTR("backend", STRICT, struct config_raw, backend, backends,              \
                             CYAML_ARRAY_LEN(backends)),                                           \
        CYAML_FIELD_ENUM_PTR("log", STRICT, struct config_raw, log, targets,                       \
                             CYAML_ARRAY_LEN(targets)),                                            \
        CYAML_FIELD_ENUM_PTR("log_level", STRICT, struct config_raw, log_level, levels,            \
                             CYAML_ARRAY_LEN(levels)),                                             \
        CYAML_FIELD_MAPPING("history", CYAML_FLAG_OPTIONAL, struct config_raw, history,            \
                            history_fields),                                                       \
        CYAML_FIELD_MAPPING("limits", CYAML_FLAG_OPTIONAL, struct config_raw, limits,              \
                            limits_schema),                                                        \
        CYAML_FIELD_END

static const cyaml_schema_field_t root_fields[] = {ROOT_FIELDS(limit_fields)};
static const cyaml_schema_field_t root_fields_switch[] = {ROOT_FIELDS(limit_fields_switch)};

static const cyaml_schema_value_t root = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_raw, root_fields)};
static const cyaml_schema_value_t root_switch = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_raw, root_fields_switch)};

static const cyaml_schema_value_t *choose_schema(const struct config_scan *scan)
{
    const struct config_node *flood = config_scan_find(scan, "limits.flood");

    return flood != NULL && flood->kind == CONFIG_NODE_SCALAR ? &root_switch : &root;
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
    int n = snprintf(joined, sizeof joined, "%s%s%s", key, complaint->path[0] != '\0' ? "." : "",
                     complaint->path);

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
    } else if (sscanf(text, " in sequence entry '%u' (line: %zu", &entry, &line) != 2 &&
               complaint->problem[0] == '\0' && strncmp(text, "Load: ", 6) == 0) {
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
    if (err == CYAML_ERR_SEQUENCE_ENTRIES_MIN) {
        return config_fail(report, line, complaint->path, "the list is empty");
    }
    if (err == CYAML_ERR_SEQUENCE_ENTRIES_MAX) {
        return config_fail(report, line, complaint->path, "more than %d entries",
                           CONFIG_LISTEN_MAX);
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
    cyaml_err_t err = cyaml_load_data(text, len, &how, choose_schema(scan), &data, NULL);

    if (err != CYAML_OK) {
        return fail_complaint(report, scan, &complaint, err);
    }
    *ret_raw = data;
    return 0;
}

void config_raw_free(struct config_raw *raw, const struct config_scan *scan)
{
    const cyaml_config_t how = {.mem_fn = cyaml_mem};

    (void)cyaml_free(&how, choose_schema(scan), raw, 0);
}
