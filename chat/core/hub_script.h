/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_HUB_SCRIPT_H
#define CHAT_CORE_HUB_SCRIPT_H

#include "core/hub.h"

/*
 * Scripted tests of the hub: what is asked, and below it all that the hub must yield.
 *
 *     > 1 ENTER alice                      session 1 wants the name alice
 *     WELCOME @1 by=alice                  told to session 1
 *     ENTERED @1 room=lobby by=alice count=1
 *     JOINED #lobby by=alice count=1       told to the lobby
 *     > 1 SAY lobby | hello                target and text
 *     MESSAGE #lobby by=alice text=hello seq=1 n=1
 *     > 1 JOIN/MOVE games                  with COMMAND_FLAG_MOVE
 *     > 1 MONITOR=+ || bob;/carol;/        with a value and, behind ||, the extra: here records
 *     > 1 MODE games | +o;bob;/            a text that has a ';' is records too
 *     > 1 PRIVATE.NOTICE bob | hi @ +a=b   of MESSAGE_NOTICE, with tags
 *     > *9 KICK alice | rude               session 9 is an operator's
 *     > ! disk full                        the log has a fault; alone, it has none any more
 *
 * In what is yielded, a NUL or a tab is written as ';', a new line as '/' and CR as '~', and so
 * they are read in text and extra; of ENTERED the first number one may read is shown ("from") when
 * it is not 1, and a source when it is not that of those who entered without a record; rooms that
 * are told together stand between + signs. Each command is first applied in a batch that is rolled
 * back and must leave no trace, then in one that is kept; the invariants are checked after each.
 */

/** Runs the script on the hub; durable events are numbered from 1. Fails the cmocka test otherwise.
 */
void hub_script_run(struct hub *hub, const char *script);

#endif
