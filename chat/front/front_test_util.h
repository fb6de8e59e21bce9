/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_FRONT_TEST_UTIL_H
#define CHAT_FRONT_FRONT_TEST_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/hub.h"
#include "front/shard.h"

/*
 * What the tests of the fronts share: a house is a shard on a loop whose clock the test moves, with
 * a real hub behind it and the list of durable events as its log, all in the test's thread. What a
 * shard submits is applied at once and comes back with the loop's next turn, unless it is held.
 * A user is the other end of a connection.
 */

#define TEST_MS      1000000ll
#define TEST_TIME    "2026-11-20 12:31:07"
#define TEST_TIME_MS 1795177867000ll /* TEST_TIME in UTC, which the houses use */

struct house {
    struct party_loop *loop;
    struct shard *shard;
    struct hub *hub;
    struct front_settings settings;
    int64_t clock_ns;
    int64_t time_ms; /* of what is applied next */
    uint64_t number;
    struct event_list log;
    struct command *held_first, *held_last;
    bool hold;        /* commands wait until house_apply_held */
    bool backlogged;  /* what the shard is told */
    bool refuse_asks; /* too many ask */
    bool hold_answers;
    struct query *held_query;
    struct password_query *held_password;
    enum log_fault fault; /* of every answer */
    const char *cloak;    /* the host people are shown; NULL: "unix" */
    unsigned admitted, released;
    unsigned submitted, asked, operated, passwords;
    char logged[4096]; /* lines to the server's log */
};

/** The settings of a house that was not told otherwise: no flood control, no motd. */
struct front_settings house_default_settings(void);
/** settings NULL means the defaults; hub NULL likewise. */
struct house *house_open(const struct front_settings *settings, const struct hub_settings *hub);
/** Closes all connections, and checks that each was released once and nothing was left behind. */
void house_close(struct house *house);

/** Turns until nothing more happens without time, commands or bytes from outside. */
void house_settle(struct house *house);
/** Moves the clock of the loop and turns. */
void house_wait_ms(struct house *house, int64_t ms);
/** Applies what was held, and holds no more. */
void house_apply_held(struct house *house);
/** Answers the query that was held. */
void house_answer_held(struct house *house);
/** Gives the result of the password that was held. */
void house_answer_password(struct house *house);

#define USER_TEXT_MAX (1u << 20)

struct user {
    struct house *house;
    int fd;
    bool ended; /* the server closed its side */
    size_t len;
    char text[USER_TEXT_MAX]; /* what was received and not yet compared, with a NUL */
};

/** A connection that is not known yet, of a Unix socket with small buffers. */
struct user *user_connect(struct house *house, enum shard_entry entry);
/** A line user who is greeted, called name, whose greeting is forgotten. */
struct user *user_enter(struct house *house, const char *name);
/**
 * An IRC user of user name nick and real name "nick the user", registered, whose welcome is
 * forgotten. caps: capabilities by space; NULL: none.
 */
struct user *user_enter_irc(struct house *house, const char *nick, const char *caps);
/** Closes its end when it is still open. */
void user_free(struct user *user);
void user_hang_up(struct user *user);
/** Says no more, but still listens. */
void user_end_output(struct user *user);

/** Sends and lets the house settle. */
void user_send(struct user *user, const char *text);
void user_send_bytes(struct user *user, const void *bytes, size_t len);
/** Sends without turning the loop. */
void user_put(struct user *user, const void *bytes, size_t len);

/** Reads what is there, and lets the house settle, until nothing more comes. */
void user_read(struct user *user);
/** Forgets what was received. */
void user_forget(struct user *user);

/* What was received since the last look is exactly this. */
#define assert_reads(user, wanted)                                                                 \
    do {                                                                                           \
        user_read(user);                                                                           \
        assert_string_equal((user)->text, (wanted));                                               \
        user_forget(user);                                                                         \
    } while (0)

/* It contains this. */
#define assert_reads_some(user, wanted)                                                            \
    do {                                                                                           \
        user_read(user);                                                                           \
        if (!strstr((user)->text, (wanted))) {                                                     \
            print_error("no \"%s\" in \"%s\"\n", (wanted), (user)->text);                          \
            fail();                                                                                \
        }                                                                                          \
        user_forget(user);                                                                         \
    } while (0)

#endif
