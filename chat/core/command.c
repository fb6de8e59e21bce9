/* SPDX-License-Identifier: MIT */
#include "core/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct command *command_create(enum command_type type, uint64_t session, const char *target,
                               size_t target_len, const char *text, size_t text_len)
{
    assert(target_len < UINT32_MAX && text_len < UINT32_MAX);
    struct command *command = xmalloc(sizeof(*command) + target_len + 1 + text_len + 1);
    char *target_copy = command->data;
    char *text_copy = target_copy + target_len + 1;
    if (target_len > 0) {
        memcpy(target_copy, target, target_len);
    }
    target_copy[target_len] = '\0';
    if (text_len > 0) {
        memcpy(text_copy, text, text_len);
    }
    text_copy[text_len] = '\0';
    command->next = NULL;
    command->session = session;
    command->type = (uint8_t)type;
    command->authority = AUTHORITY_USER;
    command->flags = 0;
    command->target_len = (uint32_t)target_len;
    command->text_len = (uint32_t)text_len;
    command->target = target_copy;
    command->text = text_copy;
    return command;
}

void command_destroy(struct command *command)
{
    free(command);
}
