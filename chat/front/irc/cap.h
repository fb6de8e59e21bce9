/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_IRC_CAP_H
#define CHAT_FRONT_IRC_CAP_H

#include <stddef.h>
#include <stdint.h>

#include "wire/irc_message.h"

/* The capabilities of this server: one table, X(name in code, name on the wire). */
#define IRC_CAPS(X)                                                                                \
    X(ACCOUNT_NOTIFY, "account-notify")                                                            \
    X(ACCOUNT_TAG, "account-tag")                                                                  \
    X(AWAY_NOTIFY, "away-notify")                                                                  \
    X(BATCH, "batch")                                                                              \
    X(CAP_NOTIFY, "cap-notify")                                                                    \
    X(CHGHOST, "chghost")                                                                          \
    X(CHANNEL_RENAME, "draft/channel-rename")                                                      \
    X(CHATHISTORY, "draft/chathistory")                                                            \
    X(EVENT_PLAYBACK, "draft/event-playback")                                                      \
    X(REDACTION, "draft/message-redaction")                                                        \
    X(MULTILINE, "draft/multiline")                                                                \
    X(READ_MARKER, "draft/read-marker")                                                            \
    X(ECHO_MESSAGE, "echo-message")                                                                \
    X(EXTENDED_JOIN, "extended-join")                                                              \
    X(EXTENDED_MONITOR, "extended-monitor")                                                        \
    X(INVITE_NOTIFY, "invite-notify")                                                              \
    X(LABELED_RESPONSE, "labeled-response")                                                        \
    X(MESSAGE_TAGS, "message-tags")                                                                \
    X(MULTI_PREFIX, "multi-prefix")                                                                \
    X(SERVER_TIME, "server-time")                                                                  \
    X(SETNAME, "setname")                                                                          \
    X(STANDARD_REPLIES, "standard-replies")                                                        \
    X(USERHOST_IN_NAMES, "userhost-in-names")

enum irc_cap_index {
#define IRC_CAP_INDEX(name, wire) IRC_CAP_INDEX_##name,
    IRC_CAPS(IRC_CAP_INDEX)
#undef IRC_CAP_INDEX
        IRC_CAP_INDEX_COUNT
};

#define IRC_CAP(name) (UINT32_C(1) << IRC_CAP_INDEX_##name)

#endif
