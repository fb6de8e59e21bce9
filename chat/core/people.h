/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_PEOPLE_H
#define CHAT_CORE_PEOPLE_H

#include "core/apply.h"
#include "core/record.h"

/* What the rules about people share: who is told when somebody comes, goes or changes. */

/* ---- watching.c: called by the rules of sessions and names ---- */

/** The member has just been added and greeted: who watches its name is told. */
void people_arrived(struct apply *apply, struct member *member);
/** The member is about to be removed: who watches its name is told, what it watches ends, and it is
 * remembered for WHOWAS. */
void people_left(struct apply *apply, struct member *member);
/** The member has just been given another name; old_label is still there. */
void people_renamed(struct apply *apply, struct member *member, const struct label *old_label);
/** Yields what happened to a member to its rooms and itself, and one by one to those who watch it
 * and share no room with it. */
void people_tell(struct apply *apply, struct member *member, struct event_parts *parts);

/* ---- apply_people.c ---- */

/** Changes a member's modes and the counts that go with them. */
void people_set_modes(struct apply *apply, struct member *member, uint8_t modes);
/** Writes the letters of modes into ret_letters, ended by a NUL. */
#define USER_MODE_LETTERS_MAX 8
void people_mode_letters(uint8_t modes, char ret_letters[USER_MODE_LETTERS_MAX]);

/* ---- fields of records ---- */

void people_put_name(struct record_out *out, const struct label *label);
/** The member's user and shown host: the two sides of source. Two fields. */
void people_put_source(struct record_out *out, const char *source);
/** The real host without its port, "" when it is not to be seen. */
void people_put_host(struct record_out *out, const struct member *member, bool is_seen);
void people_put_text(struct record_out *out, const char *text); /* NULL is "" */
/** Seconds since then, by the time of the command. */
uint64_t people_idle_s(const struct apply *apply, const struct member *member);

#endif
