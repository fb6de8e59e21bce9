/* SPDX-License-Identifier: MIT */
#include "front/irc/irc_internal.h"

void irc_on_password(struct session *session, const struct password_query *query)
{
    struct irc_session *irc = (struct irc_session *)session;
    if (query->kind == PASSWORD_CONNECTION) {
        irc_on_connection_password(irc, query);
    }
}
