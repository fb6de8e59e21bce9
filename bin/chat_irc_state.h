/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_IRC_STATE_H
#define BIN_CHAT_IRC_STATE_H

#include "chat_irc.h"

#include <partyline/api.h>

#include "wire/irc_message.h"
#include "wire/irc_splitter.h"

/*
 * Inside chat_irc: what its files share.
 *
 *     chat_irc.c         life, bytes in and out, time
 *     chat_irc_login.c   registration, capabilities, the name
 *     chat_irc_room.c    rooms, and the history of each
 *     chat_irc_say.c     what is said: splitting, echo, refusal, pace
 *     chat_irc_event.c   messages of other people
 *     chat_irc_numeric.c replies by number, and standard replies
 *     chat_irc_typed.c   what is typed
 *     chat_irc_show.c    lines for people
 */

#define CHAT_IRC_ROOMS_MAX   200
#define CHAT_IRC_BATCHES_MAX 32
#define CHAT_IRC_HELD_MAX    4096 /* lines of a room, while its history is on its way */
#define CHAT_IRC_SEEN_MAX    1024 /* messages of a room whose ids are kept */
#define CHAT_IRC_OUTBOX_MAX  100  /* typed lines; a long one is several messages */
#define CHAT_IRC_ON_JOIN     20   /* lines of history */
#define CHAT_IRC_PAGE        100  /* of what was missed */
#define CHAT_IRC_PAGES_MAX   20
#define CHAT_IRC_TOLD_MAX    100 /* above this many in a room, comings and goings are noise */

/* What "%.*s" takes. */
#define SPAN(span) (int)(span).len, (span).text ? (span).text : ""

enum chat_irc_cap {
    CAP_SERVER_TIME = 1 << 0,
    CAP_MESSAGE_TAGS = 1 << 1,
    CAP_ECHO_MESSAGE = 1 << 2,
    CAP_BATCH = 1 << 3,
    CAP_LABELED_RESPONSE = 1 << 4,
    CAP_CHATHISTORY = 1 << 5,
    CAP_MULTI_PREFIX = 1 << 6,
    CAP_AWAY_NOTIFY = 1 << 7,
    CAP_ACCOUNT_TAG = 1 << 8,
    CAP_SETNAME = 1 << 9,
    CAP_STANDARD_REPLIES = 1 << 10,
};

enum chat_irc_phase {
    IRC_OFFLINE,
    IRC_REGISTERING,
    IRC_WELCOMED, /* until the end of the message of the day */
    IRC_ENTERING, /* rooms are joined, their history is asked for */
    IRC_READY,
};

enum chat_irc_ask {
    ASK_NOTHING,
    ASK_JOIN,  /* the last lines, on entering */
    ASK_AFTER, /* what was missed */
    ASK_USER,  /* what was typed */
};

struct chat_irc_room {
    char name[CHAT_IRC_ROOM_MAX_BYTES + 1]; /* of a channel, or a person to talk to */
    char key[64];                           /* ""; without spaces */
    bool is_person;
    bool is_in;    /* the server has let one in; of a person always */
    bool is_asked; /* JOIN was sent, and not answered yet */
    bool was_in;   /* once: an outage has something to catch up with */
    enum chat_irc_ask ask;
    bool ask_by_time;   /* ASK_AFTER: a msgid was refused */
    unsigned ask_limit; /* messages that were asked for */
    unsigned answered;  /* that have come */
    unsigned pages;
    size_t people;         /* when one entered; 0: not told */
    int64_t ask_until_ms;  /* of the history */
    int64_t join_until_ms; /* is_asked */
    char last_id[128];     /* msgid of the newest message shown; "" */
    int64_t last_ms;       /* its time; or when the room was entered */
    uint64_t seen[CHAT_IRC_SEEN_MAX];
    size_t seen_count; /* ever */
    char **held;
    size_t held_count;
};

struct chat_irc_batch {
    char name[64]; /* "": free */
    char parent[64];
    char label[64];                         /* of what it answers; "" */
    char room[CHAT_IRC_ROOM_MAX_BYTES + 1]; /* of a chathistory; else "" */
    bool is_history;
};

struct chat_irc_said {
    char *target;
    char *text;
    bool is_action, is_notice;
};

struct chat_irc {
    const struct chat_irc_events *events;
    void *user;
    char *login, *password;
    bool strict, any_nick;
    int64_t now_ms, wall_ms;
    struct irc_splitter splitter;
    enum chat_irc_phase phase;
    bool has_entered;  /* on an earlier connection or this one */
    bool is_returning; /* on an earlier one */
    bool is_closing;   /* QUIT was sent, or the connection given up */
    bool is_dismissed; /* the server does not want to have us back */
    int64_t login_until_ms;
    char farewell[400];

    char nick[CHAT_IRC_NICK_MAX_BYTES + 1];   /* now, or asked for */
    char wanted[CHAT_IRC_NICK_MAX_BYTES + 1]; /* what it should be */
    char source[256];                         /* "user@host" as others see it; "": not known */
    unsigned nick_tries;
    int64_t nick_again_ms; /* -1: not */
    bool nick_asked;       /* by the client itself: a refusal is no news */

    unsigned caps_offered, caps; /* enum chat_irc_cap */
    bool has_introduced;         /* NICK and USER were sent */
    bool is_partyline;
    char chantypes[8], prefixes[16], statusmsg[8];
    bool is_rfc1459; /* {}|^ are the small letters of []\~ */
    unsigned history_max;
    bool no_msgid_refs;

    struct chat_irc_room **rooms;
    size_t room_count;
    struct chat_irc_room *current; /* NULL: none */
    struct chat_irc_batch batches[CHAT_IRC_BATCHES_MAX];
    char names[1024]; /* of a NAMES reply on its way */
    size_t names_len, names_count, names_left_out;
    bool names_asked; /* was typed */

    struct chat_irc_said *outbox;
    size_t outbox_count, outbox_cap;
    bool in_flight; /* the first one was sent */
    bool is_echoed; /* and came back */
    bool is_unsure; /* it was in flight when the connection ended */
    unsigned flight_tries;
    int64_t flight_until_ms;
    int64_t pace_until_ms;       /* nothing is said before; -1 */
    int64_t pace_ms;             /* between two lines; 0 unless the server was flooded */
    char refusal[600];           /* of what is in flight, or of a command; "" */
    unsigned long fence;         /* the last PING that was sent */
    unsigned long fence_seen;    /* the last that was answered */
    unsigned long flight_fence;  /* that of the first line */
    unsigned long command_fence; /* that of the last command; 0: none waits */
    int64_t command_until_ms;

    int64_t ctcp_from_ms;
    unsigned ctcp_count;
};

/* A message while it is looked at. */
struct chat_irc_in {
    const struct irc_message *message;
    const char *line;
    size_t len;
    struct irc_source from;
    bool is_own;
    int64_t time_ms; /* since 1970 */
    struct irc_span msgid, label;
    const struct chat_irc_batch *history; /* the batch of a history it is in; NULL */
};

/** A parameter; "" when it is missing. */
struct irc_span chat_irc_param(const struct irc_message *message, size_t index);
/** From that one to the last, "" when there are none. A span over what the line has. */
struct irc_span chat_irc_params_from(const struct irc_message *message, size_t index);

/* ---- chat_irc.c ---- */

/** Sends a message: command, then parameters up to NULL; text, when not NULL, comes last. */
void chat_irc_send(struct chat_irc *irc, const char *text, const char *command, ...)
    __attribute__((sentinel));
/** Looks at one line. */
void chat_irc_handle(struct chat_irc *irc, const char *line, size_t len);
/** The connection is given up. */
void chat_irc_fail(struct chat_irc *irc, const char *format, ...) PARTY_PRINTF(2, 3);
/** Whether names are the same for the server. */
bool chat_irc_same(const struct chat_irc *irc, struct irc_span one, const char *other);
void chat_irc_copy(char *ret, size_t cap, struct irc_span span);
bool chat_irc_is_room(const struct chat_irc *irc, struct irc_span name);
struct chat_irc_batch *chat_irc_batch_find(struct chat_irc *irc, struct irc_span name);

/* ---- chat_irc_login.c ---- */

void chat_irc_login(struct chat_irc *irc, bool has_asked);
void chat_irc_on_cap(struct chat_irc *irc, const struct chat_irc_in *in);
void chat_irc_on_isupport(struct chat_irc *irc, const struct chat_irc_in *in);
void chat_irc_on_welcome(struct chat_irc *irc, const struct chat_irc_in *in);
/** RPL_MYINFO: the server's program. */
void chat_irc_on_myinfo(struct chat_irc *irc, const struct chat_irc_in *in);
/** The message of the day is over: it can begin. */
void chat_irc_on_motd_end(struct chat_irc *irc);
/** A name was refused. Returns: whether that is told already, or no news. */
bool chat_irc_on_nick_refused(struct chat_irc *irc, const struct chat_irc_in *in, int numeric);
void chat_irc_on_own_nick(struct chat_irc *irc, struct irc_span nick);
void chat_irc_ask_for_nick(struct chat_irc *irc);

/* ---- chat_irc_room.c ---- */

struct chat_irc_room *chat_irc_room_find(const struct chat_irc *irc, struct irc_span name);
/** Whether it has so many people that who comes and goes is not told; any room when name is "". */
bool chat_irc_room_is_crowded(const struct chat_irc *irc, struct irc_span name);
/** NULL when there are too many. */
struct chat_irc_room *chat_irc_room_add(struct chat_irc *irc, struct irc_span name);
void chat_irc_room_remove(struct chat_irc *irc, struct chat_irc_room *room);
void chat_irc_room_free_all(struct chat_irc *irc);
void chat_irc_room_select(struct chat_irc *irc, struct chat_irc_room *room);
void chat_irc_room_join(struct chat_irc *irc, struct chat_irc_room *room);
void chat_irc_room_entered(struct chat_irc *irc, struct chat_irc_room *room);
/** JOIN was refused. */
void chat_irc_room_refused(struct chat_irc *irc, struct chat_irc_room *room);
/** JOIN was refused whatever room it named. */
void chat_irc_rooms_refused(struct chat_irc *irc, const char *text);
/** Asks for the last messages because that was typed. */
void chat_irc_room_history(struct chat_irc *irc, struct chat_irc_room *room, unsigned count);
/** A part of the answer is complete, or will not come (is_refused). */
void chat_irc_room_answered(struct chat_irc *irc, struct chat_irc_room *room, bool is_refused);
/** Whether a message is to be shown; it then counts as shown. Else it is known, or kept for later.
 */
bool chat_irc_room_takes(struct chat_irc *irc, struct chat_irc_room *room,
                         const struct chat_irc_in *in);
/** The same for a message between two people, which is shown in any case. */
void chat_irc_room_count(struct chat_irc *irc, const struct chat_irc_in *in);
void chat_irc_rooms_lost(struct chat_irc *irc);
void chat_irc_rooms_tick(struct chat_irc *irc);
int64_t chat_irc_rooms_next_ms(const struct chat_irc *irc);
/** Goes on to IRC_READY when nothing is asked for any more. */
void chat_irc_rooms_check(struct chat_irc *irc);

/* ---- chat_irc_say.c ---- */

/** Splits what is said into messages that fit and queues them. */
void chat_irc_say(struct chat_irc *irc, const char *target, const char *text, bool is_action,
                  bool is_notice);
/** Sends what can be sent. */
void chat_irc_pump(struct chat_irc *irc);
/** One's own message has come back, now or from the history. */
void chat_irc_on_own_message(struct chat_irc *irc, const struct chat_irc_in *in,
                             struct irc_span target, struct irc_span text, bool is_action);
/** Puts a PING behind what was sent: its answer comes after every other. */
void chat_irc_fence_command(struct chat_irc *irc);
void chat_irc_on_pong(struct chat_irc *irc, struct irc_span token);
/** The answer to what was sent with that label is complete. */
void chat_irc_on_label(struct chat_irc *irc, struct irc_span label);
/** The server says no: to what is in flight, or to the last command. */
void chat_irc_on_refusal(struct chat_irc *irc, const struct chat_irc_in *in, const char *text);
/** It says not now. */
void chat_irc_on_busy(struct chat_irc *irc);
void chat_irc_say_lost(struct chat_irc *irc);
/** The connection is in order again. */
void chat_irc_say_resume(struct chat_irc *irc);
void chat_irc_say_free(struct chat_irc *irc);
void chat_irc_say_tick(struct chat_irc *irc);
int64_t chat_irc_say_next_ms(const struct chat_irc *irc);

/* ---- chat_irc_event.c, chat_irc_numeric.c, chat_irc_typed.c ---- */

/** Returns: whether it knows the command. */
bool chat_irc_on_event(struct chat_irc *irc, const struct chat_irc_in *in);
void chat_irc_on_numeric(struct chat_irc *irc, const struct chat_irc_in *in, int number);
/** FAIL, WARN and NOTE. */
void chat_irc_on_standard(struct chat_irc *irc, const struct chat_irc_in *in);

/* ---- chat_irc_show.c ---- */

/** "*** text". */
void chat_irc_tell(struct chat_irc *irc, const char *format, ...) PARTY_PRINTF(2, 3);
/** The same about a room, which is named when there are several. */
void chat_irc_tell_in(struct chat_irc *irc, struct irc_span room, const char *format, ...)
    PARTY_PRINTF(3, 4);
/** "STAMP *** text". */
void chat_irc_note(struct chat_irc *irc, int64_t time_ms, struct irc_span room, const char *format,
                   ...) PARTY_PRINTF(4, 5);

enum chat_irc_voice { VOICE_SAID, VOICE_DID, VOICE_NOTICE };

/** "STAMP [#room ]NAME: text" and the like. */
void chat_irc_show_said(struct chat_irc *irc, int64_t time_ms, struct irc_span room,
                        struct irc_span name, struct irc_span text, enum chat_irc_voice voice);
/** "STAMP [bob -> you] text". */
void chat_irc_show_private(struct chat_irc *irc, int64_t time_ms, struct irc_span from,
                           struct irc_span to, struct irc_span text, enum chat_irc_voice voice);
/** A time for people, in the local zone. ret has CHAT_STAMP_BYTES + 1 bytes. */
void chat_irc_stamp(int64_t time_ms, char *ret);

#endif
