/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_COMMAND_H
#define CHAT_CORE_COMMAND_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a session asks of the hub. A command is one block of memory: the struct, then its strings,
 * each ended by a NUL that its length does not count. Some strings are records: see record.h.
 */

enum command_type {
    COMMAND_ENTER,   /* a session begins. target: the name it wants, "" for a guest name; text: its
                        host and port, for operators; extra: a record, as COMMAND_REGISTER, may be
                        "". Puts it into the lobby. */
    COMMAND_QUIT,    /* a session ends. text: the reason */
    COMMAND_NICK,    /* target: the new name */
    COMMAND_JOIN,    /* target: the room; extra: its key */
    COMMAND_LEAVE,   /* target: the room, "" for the only one; text: the reason */
    COMMAND_SAY,     /* target: the room, "" for the only one; text; tags; kind; value: '@' or '+':
                        only for members of at least that rank; 0: for all */
    COMMAND_ACTION,  /* /me: as COMMAND_SAY of MESSAGE_ACTION */
    COMMAND_PRIVATE, /* target: a user's name; text; tags; kind */
    COMMAND_TOPIC,   /* target: the room, "" for the only one; text: the new topic */
    COMMAND_GET_TOPIC, /* target as above */
    COMMAND_WHO,       /* target: the room, "" for the only one */
    COMMAND_ROOMS,
    COMMAND_CLIENTS,  /* operators: all users with their hosts */
    COMMAND_ANNOUNCE, /* operators: text, to every room that has members */
    COMMAND_KICK,     /* operators. target: a user's name; text: the reason */
    COMMAND_ECHO, /* text comes back as EVENT_ECHO: when it does, all that was asked before is done
                   */
    /* sessions with the manners of IRC */
    COMMAND_REGISTER,  /* a session begins. target: the name, which it gets or the session does not
                          begin; text: its host and port; extra: user, shown host, real name. It
                          enters no room. */
    COMMAND_OPER,      /* the session is an operator from now on; the server says so, never a peer.
                          text: as whom */
    COMMAND_AWAY,      /* text: why; "" when back */
    COMMAND_SETNAME,   /* text: the real name */
    COMMAND_USER_MODE, /* target: a user's name; text: changes (MODE_ below), "" to be told */
    COMMAND_KILL,      /* operators. target: a user's name; text: the reason */
    COMMAND_WALLOPS,   /* operators. text, to all who have user mode w */
    /* rooms */
    COMMAND_NAMES,  /* target: the room; "": as RPL_ENDOFNAMES for nothing */
    COMMAND_LIST,   /* rooms the session may see; target: one room, "" for all */
    COMMAND_MODE,   /* target: the room; text: changes (MODE_ below), "" to be told */
    COMMAND_INVITE, /* target: the room, "" for those one is invited to; extra: a user's name */
    COMMAND_REMOVE, /* out of a room. target: the room; extra: a user's name; text: the reason */
    COMMAND_RENAME_ROOM, /* target: the room; extra: its new name; text: the reason */
    COMMAND_REDACT, /* a stored message is taken back, by its author or who may. target: the room or
                       the other user; value: its number; text: the reason; extra: a record from the
                       log: room id, seq, the author's identity, the other's, the author's name */
    /* people */
    COMMAND_WHOX,     /* target: a room, which begins with '#', a name or a mask ("" and "0": all);
                         flags: COMMAND_FLAG_OPERS */
    COMMAND_WHOIS,    /* target: a user's name */
    COMMAND_WHOWAS,   /* target: names of users, parted by commas, of which the first 20 count;
                         value: how many entries at the most, 0: all */
    COMMAND_USERHOST, /* extra: names, a record */
    COMMAND_ISON,     /* extra: names, a record */
    COMMAND_MONITOR,  /* value: '+' '-' 'C' 'L' 'S'; extra: names, a record */
    COMMAND_LUSERS,
    COMMAND_TYPE_COUNT,
};

/* What a message is. */
enum message_kind { MESSAGE_TEXT, MESSAGE_ACTION, MESSAGE_NOTICE, MESSAGE_TAGS };

/*
 * In the text of a message '\n' ends a line and '\r' ends a part of a line that the next one goes
 * on with (draft/multiline with its concat tag); text without them is one line.
 */

/*
 * Changes of modes are records of two fields: sign and letter ("+o"), and the parameter; a third
 * field "?" when the letter takes a parameter and has none (a list is asked for, or it is missing).
 */

/* Who stands behind a command: filled in by the server, never from bytes of the peer. */
enum command_authority {
    AUTHORITY_USER,
    AUTHORITY_OPERATOR, /* the console */
};

#define COMMAND_FLAG_MOVE                                                                          \
    1u /* COMMAND_JOIN: leave every other room, as users do who see one at a                       \
          time */
#define COMMAND_FLAG_NAMES  2u  /* COMMAND_JOIN: EVENT_REPLY_NAMES follows EVENT_JOINED */
#define COMMAND_FLAG_OPERS  4u  /* COMMAND_WHOX: operators only */
#define COMMAND_FLAG_SECURE 8u  /* COMMAND_ENTER, COMMAND_REGISTER: came by TLS */
#define COMMAND_FLAG_KEEP   16u /* COMMAND_SAY, COMMAND_PRIVATE of MESSAGE_TAGS: it is stored */

struct command {
    struct command *next; /* link of the queue the command is in */
    uint64_t session;     /* who asks; unique for the life of the process, never 0 */
    uint64_t value;       /* by type */
    uint8_t type;         /* enum command_type */
    uint8_t authority;    /* enum command_authority */
    uint8_t flags;        /* COMMAND_FLAG_ */
    uint8_t kind;         /* enum message_kind */
    uint32_t target_len;
    uint32_t text_len;
    uint32_t extra_len;
    uint32_t tags_len;
    const char *target; /* into data, as all strings */
    const char *text;
    const char *extra;
    const char *tags; /* client-only tags as they go on the wire, without '@': "+typing=active" */
    char data[];
};

struct command_parts {
    enum command_type type;
    uint64_t session, value;
    uint8_t authority, flags, kind;
    const char *target, *text, *extra, *tags; /* NULL is "" */
    size_t target_len, text_len, extra_len, tags_len;
};

/** Makes a command of copies. Returns: never NULL; without memory the process ends (xalloc). */
struct command *command_make(const struct command_parts *parts);

/** The same of AUTHORITY_USER with target and text only. */
struct command *command_create(enum command_type type, uint64_t session, const char *target,
                               size_t target_len, const char *text, size_t text_len);

/** NULL is accepted. */
void command_destroy(struct command *command);

#endif
