/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_SKELETON_TABLE_H
#define CHAT_CORE_SKELETON_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* The characters whose skeleton is another one. The build makes it: skeleton_gen.c. */

extern const uint32_t skeleton_characters[]; /* rising */
extern const size_t skeleton_character_count;
extern const uint16_t skeleton_ends[];       /* where the skeleton of each ends in skeleton_bytes */
extern const unsigned char skeleton_bytes[]; /* UTF-8; each starts where the one before it ends */

#endif
