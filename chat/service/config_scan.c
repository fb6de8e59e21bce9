/* SPDX-License-Identifier: MIT */
#include "service/config_scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/xalloc.h"
#include "service/config.h"

/*
 * A walk over libyaml's events with a stack of the mappings and lists that are open. A mapping
 * alternates between a key, which is kept in the frame, and the value it names.
 */

struct frame {
    size_t node;
    char *key; /* of the value that comes next; NULL: a key comes next, or it is a list */
    size_t key_line;
};

struct scanner {
    const struct config_report *report;
    const char *text;
    size_t len;
    struct config_scan *scan;
    struct frame frames[CONFIG_DEPTH_MAX];
    size_t depth;
    unsigned documents;
    bool done;
};

/* Bytes of the UTF-8 sequence at p, which a NUL ends; 0 when it is cut. Else valid by libyaml. */
static size_t utf8_bytes(const char *p)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

/* A message quotes values from the file, cut anywhere: it must stay one line of UTF-8. */
static void make_printable(char *text)
{
    for (char *p = text; *p != '\0';) {
        size_t n = *p == '\x7f' || (*p >= 0 && *p < 0x20) ? 0 : utf8_bytes(p);
        if (n == 0) {
            *p++ = '?';
        } else {
            p += n;
        }
    }
}

int config_fail(const struct config_report *report, size_t line, const char *key, const char *fmt,
                ...)
{
    char what[CONFIG_MESSAGE_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    make_printable(what);
    char where[32] = "";
    if (line > 0) {
        (void)snprintf(where, sizeof where, ":%zu", line);
    }
    (void)snprintf(report->message, report->cap, "%s%s: %s%s%s", report->path, where, key,
                   key[0] != '\0' ? ": " : "", what);
    return -1;
}

/* Bytes that may not stand in a key or a value: they would reach terminals, or cut a C string. */
static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
            return true;
        }
        if (c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0) {
            return true;
        }
    }
    return false;
}

static bool is_null_text(const char *text)
{
    return text[0] == '\0' || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

static char *make_path(const struct scanner *s)
{
    char path[CONFIG_DEPTH_MAX * (CONFIG_KEY_MAX_BYTES + 16)];

    if (s->depth == 0) {
        return xmemdup0("", 0);
    }
    const struct frame *frame = &s->frames[s->depth - 1];
    const struct config_node *parent = &s->scan->nodes[frame->node];
    int n = 0;
    if (parent->kind == CONFIG_NODE_LIST) {
        n = snprintf(path, sizeof path, "%s[%zu]", parent->path, parent->children);
    } else {
        n = snprintf(path, sizeof path, "%s%s%s", parent->path, parent->path[0] != '\0' ? "." : "",
                     frame->key);
    }
    return xmemdup0(path, (size_t)n < sizeof path ? (size_t)n : sizeof path - 1);
}

static size_t event_line(const yaml_event_t *event)
{
    return event->start_mark.line + 1;
}

/* Opens the node of a value at the place where the walk is. */
static int add_node(struct scanner *s, const yaml_event_t *event, enum config_node_kind kind)
{
    struct config_scan *scan = s->scan;

    if (scan->count >= CONFIG_NODES_MAX) {
        return config_fail(s->report, event_line(event), "", "more than %d keys and values",
                           CONFIG_NODES_MAX);
    }
    if (scan->count == scan->cap) {
        scan->cap = scan->cap == 0 ? 64 : scan->cap * 2;
        scan->nodes = xreallocarray(scan->nodes, scan->cap, sizeof *scan->nodes);
    }
    struct config_node node = {.kind = kind, .line = event_line(event), .path = make_path(s)};
    if (s->depth > 0) {
        struct frame *frame = &s->frames[s->depth - 1];
        if (frame->key != NULL) {
            node.line = frame->key_line;
            free(frame->key);
            frame->key = NULL;
        }
        node.parent = frame->node;
        scan->nodes[frame->node].children++;
    }
    scan->nodes[scan->count++] = node;
    return 0;
}

static int open_frame(struct scanner *s, const yaml_event_t *event, enum config_node_kind kind)
{
    if (s->depth >= CONFIG_DEPTH_MAX) {
        return config_fail(s->report, event_line(event), "", "nested deeper than %d levels",
                           CONFIG_DEPTH_MAX);
    }
    if (add_node(s, event, kind) < 0) {
        return -1;
    }
    s->frames[s->depth++] = (struct frame){.node = s->scan->count - 1};
    return 0;
}

static int take_key(struct scanner *s, const yaml_event_t *event)
{
    struct frame *frame = &s->frames[s->depth - 1];
    size_t line = event_line(event);

    if (event->type != YAML_SCALAR_EVENT) {
        return config_fail(s->report, line, "", "a key is one word, not a list or a mapping");
    }
    const char *key = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    if (len > CONFIG_KEY_MAX_BYTES) {
        return config_fail(s->report, line, "", "a key of more than %d bytes",
                           CONFIG_KEY_MAX_BYTES);
    }
    if (len == 0 || has_control(key, len) || strpbrk(key, "\n\t") != NULL) {
        return config_fail(s->report, line, "", "a key that is empty or has control characters");
    }
    frame->key = xmemdup0(key, len);
    frame->key_line = line;
    char *path = make_path(s);
    const struct config_node *first = config_scan_find(s->scan, path);
    int r = 0;
    if (strpbrk(key, ".[]") != NULL) {
        /* It could look like the path of another key, and no key of ours has these. */
        r = config_fail(s->report, line, path, "unknown key");
    } else if (first != NULL) {
        r = config_fail(s->report, line, path, "given twice, first on line %zu", first->line);
    }
    free(path);
    return r;
}

static int take_scalar(struct scanner *s, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;

    if (add_node(s, event, CONFIG_NODE_SCALAR) < 0) {
        return -1;
    }
    struct config_node *node = &s->scan->nodes[s->scan->count - 1];
    if (has_control(text, len)) {
        return config_fail(s->report, node->line, node->path, "control characters in the value");
    }
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = xmemdup0(text, len);
    /* What JSON has for "no value". In a list it would leave a hole. */
    node->is_null = node->is_plain && s->depth > 0 && strcmp(text, "null") == 0 &&
                    strchr(node->path, '[') == NULL;
    if (node->is_null) {
        return 0;
    }
    /* An empty document ("---" and no more) is an empty file. */
    if (node->is_plain && is_null_text(text) && (s->depth > 0 || text[0] != '\0')) {
        return config_fail(s->report, node->line, node->path, "the value is missing");
    }
    return 0;
}

static int take_value(struct scanner *s, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(s, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_frame(s, event, CONFIG_NODE_LIST);
    default:
        return open_frame(s, event, CONFIG_NODE_MAPPING);
    }
}

static const void *event_anchor(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    default:
        return event->data.mapping_start.anchor;
    }
}

static const void *event_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.tag;
    default:
        return event->data.mapping_start.tag;
    }
}

static int take_node(struct scanner *s, const yaml_event_t *event)
{
    if (event_anchor(event) != NULL) {
        return config_fail(s->report, event_line(event), "",
                           "anchors and aliases are not supported");
    }
    if (event_tag(event) != NULL) {
        return config_fail(s->report, event_line(event), "", "tags are not supported");
    }
    if (s->depth > 0) {
        const struct frame *frame = &s->frames[s->depth - 1];
        if (s->scan->nodes[frame->node].kind == CONFIG_NODE_MAPPING && frame->key == NULL) {
            return take_key(s, event);
        }
    }
    return take_value(s, event);
}

static int take_event(struct scanner *s, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return config_fail(s->report, event_line(event), "",
                           "anchors and aliases are not supported");
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return take_node(s, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        s->depth--;
        return 0;
    case YAML_DOCUMENT_START_EVENT:
        if (++s->documents > 1) {
            return config_fail(s->report, event_line(event), "", "a second document");
        }
        return 0;
    case YAML_STREAM_END_EVENT:
        s->done = true;
        return 0;
    default:
        return 0;
    }
}

static size_t line_of_offset(const struct scanner *s, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset && i < s->len; i++) {
        line += s->text[i] == '\n';
    }
    return line;
}

/* libyaml's words for a tab ("cannot start any token") help nobody, and it is the usual mistake. */
static bool is_tab_indented(const struct scanner *s, size_t line)
{
    size_t i = 0;

    for (size_t at = 1; at < line && i < s->len; i++) {
        at += s->text[i] == '\n';
    }
    while (i < s->len && s->text[i] == ' ') {
        i++;
    }
    return i < s->len && s->text[i] == '\t';
}

static int fail_syntax(const struct scanner *s, const yaml_parser_t *parser)
{
    const char *problem = parser->problem != NULL ? parser->problem : "unknown problem";

    if (parser->error == YAML_READER_ERROR) {
        return config_fail(s->report, line_of_offset(s, parser->problem_offset), "", "not text: %s",
                           problem);
    }
    size_t line = parser->problem_mark.line + 1;
    if (is_tab_indented(s, line)) {
        return config_fail(s->report, line, "", "not YAML: a tab; lines are indented by spaces");
    }
    return config_fail(s->report, line, "", "not YAML: %s%s%s",
                       parser->context != NULL ? parser->context : "",
                       parser->context != NULL ? ", " : "", problem);
}

/* libyaml compares each directive with all before: a file full of them would take seconds. */
static int check_directives(const struct scanner *s)
{
    size_t line = 1;
    unsigned count = 0;

    for (size_t i = 0; i < s->len; i++) {
        if (s->text[i] == '%' && (i == 0 || s->text[i - 1] == '\n') &&
            ++count > CONFIG_DIRECTIVES_MAX) {
            return config_fail(s->report, line, "", "more than %d lines begin with %%",
                               CONFIG_DIRECTIVES_MAX);
        }
        line += s->text[i] == '\n';
    }
    return 0;
}

int config_scan(const struct config_report *report, const void *text, size_t len,
                struct config_scan *ret_scan)
{
    struct scanner s = {.report = report, .text = text, .len = len, .scan = ret_scan};
    yaml_parser_t parser;
    int r = 0;

    *ret_scan = (struct config_scan){0};
    if (check_directives(&s) < 0) {
        return -1;
    }
    if (yaml_parser_initialize(&parser) == 0) {
        return config_fail(report, 0, "", "out of memory");
    }
    /* Without this a byte order mark could turn the text into UTF-16. */
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text, len);
    while (r == 0 && !s.done) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) {
            r = fail_syntax(&s, &parser);
            break;
        }
        r = take_event(&s, &event);
        yaml_event_delete(&event);
    }
    for (size_t i = 0; i < CONFIG_DEPTH_MAX; i++) {
        free(s.frames[i].key);
    }
    yaml_parser_delete(&parser);
    return r;
}

void config_scan_finish(struct config_scan *scan)
{
    for (size_t i = 0; i < scan->count; i++) {
        free(scan->nodes[i].path);
        xfree_wiped_string(scan->nodes[i].text); /* it may be a password */
    }
    free(scan->nodes);
    *scan = (struct config_scan){0};
}

const struct config_node *config_scan_find(const struct config_scan *scan, const char *path)
{
    for (size_t i = 0; i < scan->count; i++) {
        if (strcmp(scan->nodes[i].path, path) == 0) {
            return &scan->nodes[i];
        }
    }
    return NULL;
}

size_t config_scan_line(const struct config_scan *scan, const char *path)
{
    const struct config_node *node = config_scan_find(scan, path);

    return node != NULL ? node->line : 0;
}
