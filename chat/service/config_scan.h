/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_CONFIG_SCAN_H
#define CHAT_SERVICE_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include <partyline/api.h>

/*
 * The first pass over a configuration: is it YAML of the harmless kind, and where does each key
 * stand? It knows no key. libcyaml, which reads the values afterwards, says neither the line of a
 * value that is out of range nor minds aliases, tags, a second document, NUL in a text or
 * thousands of levels; all that ends here.
 */

/* Where messages go: the file's name in them, and the caller's buffer. */
struct config_report {
    const char *path;
    char *message;
    size_t cap;
};

/** Writes "PATH:LINE: KEY: text"; line 0 and key "" are left out. Returns: -1. */
int config_fail(const struct config_report *report, size_t line, const char *key, const char *fmt,
                ...) PARTY_PRINTF(4, 5);

enum config_node_kind { CONFIG_NODE_SCALAR, CONFIG_NODE_MAPPING, CONFIG_NODE_LIST };

struct config_node {
    enum config_node_kind kind;
    bool is_plain;   /* a scalar without quotes and not a block */
    bool is_null;    /* the word null: as if the key were not there */
    size_t line;     /* from 1: of the key, of a list's entry its own */
    size_t children; /* so far */
    size_t parent;   /* index; the root's is its own */
    char *path;      /* "limits.nick", "listen[1]"; "" for the root */
    char *text;      /* of a scalar, else NULL */
};

struct config_scan {
    struct config_node *nodes; /* the root first; none for an empty file */
    size_t count;
    size_t cap;
};

/**
 * Reads the text.
 * Returns: 0; -1 with a message. Owns: the caller ends ret_scan with config_scan_finish, after a
 *   failure too.
 */
int config_scan(const struct config_report *report, const void *text, size_t len,
                struct config_scan *ret_scan);

void config_scan_finish(struct config_scan *scan);

/** The node of a path, or NULL. */
const struct config_node *config_scan_find(const struct config_scan *scan, const char *path);

/** The line of a path; 0 when there is no such node. */
size_t config_scan_line(const struct config_scan *scan, const char *path);

#endif
