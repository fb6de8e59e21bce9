/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/irc/irc_internal.h"

/*
 * Events for one session, and a session's own events in its rooms. While answers are held back for
 * a label, only what the session did itself belongs to them; what others did goes out at once.
 */

/* Whether an event for this session alone is an answer to it. */
static bool is_own(const struct irc_session *irc, const struct event *event)
{
    switch (event->type) {
    case EVENT_MESSAGE:
    case EVENT_ACTION:
    case EVENT_NOTICE:
    case EVENT_TAGS:
    case EVENT_ONLINE:
    case EVENT_OFFLINE:
        return (event->flags & EVENT_FLAG_OWN) != 0;
    case EVENT_PRIVATE_TO: /* also from itself: its echo is the answer */
    case EVENT_INVITED:
        return false;
    case EVENT_WALLOPS:
        return irc->nick && strcmp(event->actor, irc->nick) == 0;
    case EVENT_GONE_FROM:
        return event->code != GONE_REMOVED;
    default:
        return (event->flags & EVENT_FLAG_WATCHED) == 0;
    }
}

static void take_name(struct irc_session *irc, const char *name, size_t len)
{
    free(irc->nick);
    irc->nick = xmemdup0(name, len);
}

/* The hub has said no to COMMAND_REGISTER: the next NICK is the next try. */
static void refuse_registration(struct irc_session *irc, const struct event *event)
{
    irc->asked = false;
    irc->base.entered = false;
    irc->base.gone = true;
    irc_error(irc, event);
    free(irc->nick);
    irc->nick = NULL;
    if (irc->leaving) {
        party_stream_finish(irc->base.stream);
        return;
    }
    irc_go_on(irc);
}

static void goodbye(struct irc_session *irc, const struct event *event)
{
    struct irc_writer writer;
    char text[IRC_BODY_MAX_BYTES];
    if (event->code == GOODBYE_KILLED) {
        irc_start(irc, &writer);
        irc_writer_put_source(&writer, irc_span_of(event->target, event->target_len));
        irc_writer_put_command(&writer, irc_span("KILL"));
        irc_writer_put_param(&writer, irc_nick(irc));
        irc_writer_put_text(&writer, irc_span_of(event->text, event->text_len));
        irc_send(irc, &writer);
    }
    int n = snprintf(text, sizeof(text), "Closing link: (%s@%s) [%.*s]", irc->user, irc->host,
                     (int)event->text_len, event->text);
    irc_start(irc, &writer);
    irc_writer_put_command(&writer, irc_span("ERROR"));
    irc_writer_put_text(&writer,
                        irc_span_of(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1));
    irc_send(irc, &writer);
    irc_label_end(irc);
    irc->leaving = true;
    party_stream_finish(irc->base.stream);
}

/* What concerns the session's life and name. Returns: false when the event is none of these. */
static bool session_event(struct irc_session *irc, const struct event *event)
{
    switch (event->type) {
    case EVENT_WELCOME:
        irc_welcome(irc, event);
        session_log(&irc->base, PARTY_LOG_INFO, "is %s", event->actor);
        return true;
    case EVENT_GOODBYE:
        goodbye(irc, event);
        return true;
    case EVENT_RENAMED:
        if (strcmp(event->actor, event->target) == 0) {
            return true; /* a NICK to what one is called has no answer */
        }
        irc_write_event(irc, event);
        irc->holds_name = irc->label != NULL;
        take_name(irc, event->target, event->target_len);
        session_log(&irc->base, PARTY_LOG_INFO, "is now %s", event->target);
        return true;
    case EVENT_ECHO:
        irc_echo(irc, event);
        return true;
    case EVENT_ERROR:
        if (irc->registered) {
            irc_error(irc, event);
        } else {
            refuse_registration(irc, event);
        }
        return true;
    default:
        return false;
    }
}

void irc_on_event(struct session *session, const struct event *event)
{
    struct irc_session *irc = (struct irc_session *)session;
    struct irc_label *held = irc->label;
    bool is_aside = held && (irc->is_aside || (!irc->holds_name && !is_own(irc, event)));
    if (event->type != EVENT_REPLY_NAMES) {
        irc_bulk_end(irc);
    }
    if (is_aside) {
        irc->label = NULL;
    }
    if (!session_event(irc, event) && !irc_channel_event(irc, event) &&
        !irc_message_event(irc, event) && !irc_people_event(irc, event)) {
        (void)irc_oper_event(irc, event);
    }
    if (is_aside) {
        irc->label = held;
    }
}

/* A message of its own is seen by who asked for that (echo-message). */
static bool is_seen(const struct irc_session *irc, const struct event *event)
{
    switch (event->type) {
    case EVENT_MESSAGE:
    case EVENT_ACTION:
    case EVENT_NOTICE:
    case EVENT_TAGS:
        return (irc->caps & IRC_CAP(ECHO_MESSAGE)) != 0;
    case EVENT_INVITED: /* EVENT_INVITING is its own view */
        return false;
    default:
        return true;
    }
}

bool irc_on_own(struct session *session, const struct event *event)
{
    struct irc_session *irc = (struct irc_session *)session;
    if (!is_seen(irc, event)) {
        return true;
    }
    if (!irc->label) {
        return false;
    }
    irc_write_event(irc, event);
    return true;
}
