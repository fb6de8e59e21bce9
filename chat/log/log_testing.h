/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_LOG_TESTING_H
#define CHAT_LOG_LOG_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/event.h"
#include "log/log.h"
#include "log/log_internal.h"
#include "log/reader.h"

/*
 * What the tests of the log share: directories of their own, events, and a record of what was
 * acknowledged to compare a log with.
 */

/** Makes a fresh directory. Owns: the caller ends it with test_dir_remove. */
char *test_dir_create(void);
/** Removes the directory and the files in it, and frees the path. */
void test_dir_remove(char *dir);
/** "dir/name" in memory that is used again by the eighth call after. */
const char *test_path(const char *dir, const char *name);
/** Copies the files of a log to another directory, as they are. */
void test_copy_log(const char *from, const char *to);

/** An event of the room with this id, called roomID; its time is number * 10. */
struct event *test_event(enum event_type type, uint32_t room_id, uint64_t seq, uint64_t number,
                         const char *actor, const char *text);
/** A private message from actor (identity 1) to target (identity 2). */
struct event *test_private(uint64_t number, const char *actor, const char *target,
                           const char *text);

/** An event of the room 1 without seq: what happened to it. */
struct event *test_happening(enum event_type type, uint64_t number, const char *text);

/**
 * Makes the database of a log of schema 1, with 3 messages and a topic in room 1 ("room1"), one in
 * room 4 and a private message: the numbers 1 to 6.
 */
void test_make_old_log(const char *dir);

/** Runs SQL on the database, besides an open log or without. */
void test_run_sql(const char *dir, const char *sql);
/** The number that SQL yields. */
int64_t test_ask_sql(const char *dir, const char *sql);

/** Opens the log or fails the test with its message. */
struct log *test_open(const char *dir);
/** Commits one event, drops it and returns what the commit said. */
enum log_fault test_commit_one(struct log *log, struct event *event);
/** Stores `count` messages in room 1, which continue its order, with texts "text N", N the number.
 */
void test_fill(struct log *log, uint64_t count);

/* Names of all room messages in the log, by number and seq, checked against what was written. */
#define TEST_ROOMS 3

struct test_writer {
    uint64_t number;
    uint64_t seqs[TEST_ROOMS + 1]; /* by room id, from 1 */
};

/**
 * Commits a batch of 1 to 5 events over TEST_ROOMS rooms: messages, private ones, changes of modes,
 * and messages taken back; all of it follows from their numbers. The writer moves on only when the
 * log said LOG_OK.
 */
enum log_fault test_write_batch(struct log *log, struct test_writer *writer, uint64_t shape);

/** Moves the writer on as if it had written all up to this number. */
void test_writer_go_on(struct test_writer *writer, uint64_t number);

/**
 * Asserts that the log in dir holds exactly the events with numbers 1 to some last one that is at
 * least `least` and at most `most`, each in its place with its text. Returns: that last one.
 */
uint64_t test_check_log(const char *dir, uint64_t least, uint64_t most);

#endif
