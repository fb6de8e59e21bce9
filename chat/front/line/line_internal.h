/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_LINE_INTERNAL_H
#define CHAT_FRONT_LINE_INTERNAL_H

#include "front/session.h"
#include "wire/line.h"

/* Inside the line front. */

/* Date and separators around a name and a text, at the most. */
#define LINE_MARGIN_BYTES 48

struct line_session {
    struct session base;
    struct line_decoder decoder;
    int64_t began_ns;
    int64_t throttled_ns; /* when the last pause of flood control ended; 0: there was none */
    uint32_t uncharged;   /* bytes heard since the last that cost something */
    uint8_t fault;        /* enum line_fault, while waiting: of the line that was sent round */
    bool slowed;          /* told once that lines are taken slowly */
    bool talked;          /* a first line came, not an empty one */
    bool began_irc;       /* and before it a line of IRC, which was not said */
    bool was_irc;         /* while waiting: the line that was sent round is one */
    bool locked;          /* the first line has to be the server's password */
    bool checking;        /* and is being checked */
    bool welcomed;        /* EVENT_ENTERED came: from now on lines are heard */
    bool waiting;         /* for the hub to send a line back, or for a reader: no line is heard */
    bool ended;           /* the peer will say no more */
    bool leaving;         /* COMMAND_QUIT was sent: what still comes is not heard */
    bool shown_hint;      /* the hint at /help was given */
    uint32_t name_len;    /* of the user's name */
    char *name;           /* NULL before EVENT_WELCOME */
};

/* ---- line.c ---- */

void line_printf(struct session *session, const char *format, ...) PARTY_PRINTF(2, 3);
void line_leave(struct line_session *line, const char *reason, size_t len);
/** Goes on reading, unless something else is waited for. */
void line_go_on(struct line_session *line);

/* ---- commands.c ---- */

/** Carries out "/word rest"; text begins behind the slash. */
void line_command(struct line_session *line, const char *text, size_t len);
/** Tells why a line was not taken. */
void line_tell_fault(struct line_session *line, enum line_fault fault);
/** Tells that a line was IRC and was not said. */
void line_tell_irc(struct line_session *line);
/** What was sent round by the hub has come back: everything asked before is answered. */
void line_command_in_turn(struct line_session *line, const char *text, size_t len);
void line_say(struct line_session *line, enum command_type type, const char *text, size_t len);

/* ---- render.c ---- */

void line_encode(struct shard *shard, const struct event *event, uint16_t encoding,
                 struct text_out *out);
void line_on_event(struct session *session, const struct event *event);

/* ---- refusals.c ---- */

void line_add_refusal(const struct event *event, struct text_out *out);

/* ---- history.c ---- */

void line_history(struct line_session *line, const char *args, size_t len);
void line_search(struct line_session *line, const char *args, size_t len);
void line_on_answer(struct session *session, const struct query *query);

#endif
