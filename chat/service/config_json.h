/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_CONFIG_JSON_H
#define CHAT_SERVICE_CONFIG_JSON_H

#include <stddef.h>

/*
 * Where JSON is no YAML: JSON writes a character beyond U+FFFF as two escapes, a surrogate pair
 * ("\\ud83d\\ude00", RFC 8259 section 7), YAML as one ("\\U0001f600").
 */

/**
 * Replaces the pairs in text, within its len bytes, if it is JSON by its characters up to there;
 * lone halves stay for the YAML reader to refuse. No line begins elsewhere afterwards.
 * Returns: the new length, no more than len.
 */
size_t config_json_join_pairs(char *text, size_t len);

#endif
