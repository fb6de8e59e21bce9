/* SPDX-License-Identifier: MIT */
#include "service/config_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "service/password.h"

/* The keys that hold passwords. No message quotes the value of one. */

#define NAME_MAX 64
#define PATH_CAP 64

struct secrets {
    const struct config_report *report;
    const struct config_scan *scan;
    struct config *config;
};

static int fail_at(const struct secrets *s, const char *path, const char *what)
{
    return config_fail(s->report, config_scan_line(s->scan, path), path, "%s", what);
}

/* Returns: NULL when a peer could give this password, else what is wrong. */
static const char *text_fault(const char *text)
{
    if (text[0] == '\0') {
        return "the value is empty";
    }
    if (strlen(text) > PASSWORD_MAX_BYTES) {
        return "longer than the 256 bytes a password may have";
    }
    return strpbrk(text, "\n\t") != NULL ? "a tab or more than one line" : NULL;
}

static int check_password(const struct secrets *s, const char *text)
{
    if (text == NULL) {
        return 0;
    }
    const char *wrong = password_is_hash(text) ? password_hash_fault(text) : text_fault(text);
    if (wrong != NULL) {
        return fail_at(s, "password", wrong);
    }
    s->config->password = xmemdup0(text, strlen(text));
    return 0;
}

/* Returns: NULL when an operator can be called so. */
static const char *name_fault(const struct secrets *s, const char *name)
{
    if (name == NULL || name[0] == '\0') {
        return "the name is missing";
    }
    if (strlen(name) > NAME_MAX) {
        return "longer than the 64 bytes a name may have";
    }
    if (strpbrk(name, " \n\t") != NULL || name[0] == ':') {
        return "a name is one word and does not begin with a colon";
    }
    for (size_t i = 0; i < s->config->operator_count; i++) {
        if (strcmp(s->config->operators[i].name, name) == 0) {
            return "two operators have this name";
        }
    }
    return NULL;
}

static int check_operator(const struct secrets *s, const struct config_raw_operator *raw, size_t i)
{
    char entry[PATH_CAP], path[PATH_CAP + 16];

    (void)snprintf(entry, sizeof entry, "operators[%zu]", i);
    (void)snprintf(path, sizeof path, "%s.name", entry);
    const char *wrong = name_fault(s, raw->name);
    if (wrong != NULL) {
        return fail_at(s, raw->name != NULL ? path : entry, wrong);
    }
    if ((raw->password == NULL) == (raw->password_hash == NULL)) {
        return fail_at(s, entry,
                       raw->password == NULL ? "neither password nor password_hash is there"
                                             : "both password and password_hash are there");
    }
    bool is_plain = raw->password != NULL;
    (void)snprintf(path, sizeof path, "%s.%s", entry, is_plain ? "password" : "password_hash");
    if (is_plain && password_is_hash(raw->password)) {
        return fail_at(s, path, "a hash stands in password_hash");
    }
    wrong = is_plain ? text_fault(raw->password) : password_hash_fault(raw->password_hash);
    if (wrong != NULL) {
        return fail_at(s, path, wrong);
    }
    const char *stored = is_plain ? raw->password : raw->password_hash;
    s->config->operators[s->config->operator_count++] = (struct config_operator){
        .name = xmemdup0(raw->name, strlen(raw->name)),
        .password = xmemdup0(stored, strlen(stored)),
        .is_plain = is_plain,
    };
    return 0;
}

int config_check_secrets(const struct config_report *report, const struct config_scan *scan,
                         const struct config_raw *raw, struct config *config)
{
    const struct secrets s = {report, scan, config};

    if (check_password(&s, raw->password) < 0) {
        return -1;
    }
    if (raw->operators_count > 0) {
        config->operators = xcalloc(raw->operators_count, sizeof *config->operators);
    }
    for (unsigned i = 0; i < raw->operators_count; i++) {
        if (check_operator(&s, &raw->operators[i], i) < 0) {
            return -1;
        }
    }
    return 0;
}

bool config_operators_differ(const struct config *a, const struct config *b)
{
    if (a->operator_count != b->operator_count) {
        return true;
    }
    for (size_t i = 0; i < a->operator_count; i++) {
        if (strcmp(a->operators[i].name, b->operators[i].name) != 0 ||
            strcmp(a->operators[i].password, b->operators[i].password) != 0) {
            return true;
        }
    }
    return false;
}

void config_finish_secrets(struct config *config)
{
    xfree_wiped_string(config->password);
    for (size_t i = 0; i < config->operator_count; i++) {
        free(config->operators[i].name);
        xfree_wiped_string(config->operators[i].password);
    }
    free(config->operators);
}

void config_warn(const struct config *config, void (*fn)(const char *text, void *user), void *user)
{
    char text[256];

    for (size_t i = 0; i < config->operator_count; i++) {
        if (config->operators[i].is_plain) {
            (void)snprintf(text, sizeof text,
                           "the password of the operator '%s' can be read in the configuration; "
                           "partyline hash makes a password_hash of it",
                           config->operators[i].name);
            fn(text, user);
        }
    }
}
