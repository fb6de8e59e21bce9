/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_COMMAND_H
#define CHAT_CORE_COMMAND_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a session asks of the hub. A command is one block of memory: the struct, then the target and
 * the text, each ended by a NUL that its length does not count.
 */

enum command_type {
    COMMAND_ENTER,   /* a session begins. target: the name it wants, "" for a guest name; text: its
                        host and port, for operators. Puts it into the lobby. */
    COMMAND_QUIT,    /* a session ends. text: the reason */
    COMMAND_NICK,    /* target: the new name */
    COMMAND_JOIN,    /* target: the room */
    COMMAND_LEAVE,   /* target: the room, "" for the only one; text: the reason */
    COMMAND_SAY,     /* target: the room, "" for the only one; text */
    COMMAND_ACTION,  /* /me: as COMMAND_SAY */
    COMMAND_PRIVATE, /* target: a user's name; text */
    COMMAND_TOPIC,   /* target: the room, "" for the only one; text: the new topic */
    COMMAND_GET_TOPIC, /* target as above */
    COMMAND_WHO,       /* target: the room, "" for the only one */
    COMMAND_ROOMS,
    COMMAND_CLIENTS,  /* operators: all users with their hosts */
    COMMAND_ANNOUNCE, /* operators: text, to every room that has members */
    COMMAND_KICK,     /* operators. target: a user's name; text: the reason */
    COMMAND_ECHO, /* text comes back as EVENT_ECHO: when it does, all that was asked before is done
                   */
};

/* Who stands behind a command: filled in by the server, never from bytes of the peer. */
enum command_authority {
    AUTHORITY_USER,
    AUTHORITY_OPERATOR, /* the console */
};

/* COMMAND_JOIN: leave every other room, as users do who see one room at a time. */
#define COMMAND_FLAG_MOVE 1u

struct command {
    struct command *next; /* link of the queue the command is in */
    uint64_t session;     /* who asks; unique for the life of the process, never 0 */
    uint8_t type;         /* enum command_type */
    uint8_t authority;    /* enum command_authority */
    uint8_t flags;        /* COMMAND_FLAG_ */
    uint32_t target_len;
    uint32_t text_len;
    const char *target; /* into data */
    const char *text;   /* into data */
    char data[];
};

/**
 * Makes a command of copies of target and text (NULL with length 0 is "").
 * Returns: never NULL; without memory the process ends (chat/ uses xalloc).
 */
struct command *command_create(enum command_type type, uint64_t session, const char *target,
                               size_t target_len, const char *text, size_t text_len);

/** NULL is accepted. */
void command_destroy(struct command *command);

#endif
