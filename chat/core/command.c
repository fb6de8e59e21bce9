/* SPDX-License-Identifier: MIT */
#include "core/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static const char *put_string(char **at, const char *text, size_t len, uint32_t *ret_len)
{
    assert(len < UINT32_MAX);
    char *start = *at;
    if (len > 0) {
        memcpy(start, text, len);
    }
    start[len] = '\0';
    *at = start + len + 1;
    *ret_len = (uint32_t)len;
    return start;
}

struct command *command_make(const struct command_parts *parts)
{
    size_t strings = parts->target_len + parts->text_len + parts->extra_len + parts->tags_len + 4;
    struct command *command = xmalloc(sizeof(*command) + strings);
    char *at = command->data;
    command->next = NULL;
    command->session = parts->session;
    command->value = parts->value;
    command->type = (uint8_t)parts->type;
    command->authority = parts->authority;
    command->flags = parts->flags;
    command->kind = parts->kind;
    command->target = put_string(&at, parts->target, parts->target_len, &command->target_len);
    command->text = put_string(&at, parts->text, parts->text_len, &command->text_len);
    command->extra = put_string(&at, parts->extra, parts->extra_len, &command->extra_len);
    command->tags = put_string(&at, parts->tags, parts->tags_len, &command->tags_len);
    return command;
}

struct command *command_create(enum command_type type, uint64_t session, const char *target,
                               size_t target_len, const char *text, size_t text_len)
{
    struct command_parts parts = {.type = type,
                                  .session = session,
                                  .authority = AUTHORITY_USER,
                                  .target = target,
                                  .target_len = target_len,
                                  .text = text,
                                  .text_len = text_len};
    return command_make(&parts);
}

void command_destroy(struct command *command)
{
    free(command);
}
