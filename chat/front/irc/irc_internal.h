/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_IRC_INTERNAL_H
#define CHAT_FRONT_IRC_INTERNAL_H

#include "core/limit.h"
#include "core/record.h"
#include "front/irc/cap.h"
#include "front/session.h"
#include "front/shard_internal.h"
#include "wire/irc_message.h"
#include "wire/irc_mode.h"
#include "wire/irc_name.h"
#include "wire/irc_numeric.h"
#include "wire/irc_splitter.h"
#include "wire/irc_standard.h"
#include "wire/irc_tag.h"
#include "wire/irc_writer.h"

/*
 * Inside the IRC front.
 *
 * A line of a registered user takes one of two ways. What the hub answers becomes commands at once;
 * their answers come back in the order of the questions. What this front answers itself would
 * overtake those, so the line is sent round by the hub (COMMAND_ECHO) and carried out when it is
 * back. So whoever gets the answer to PING has seen all that was before it.
 *
 * labeled-response: the events that a line causes lie together in the one order. Two COMMAND_ECHO
 * around a line's commands mark them; what the session gets between is held back (irc_label_) and
 * goes out with the label on it.
 */

/* What a server on this port calls itself in answers without a name yet. */
#define IRC_NO_NAME "*"

/* The modes there are, by their types as CHANMODES has them; what they mean is the hub's. */
#define IRC_LIST_MODES    "beI"
#define IRC_ALWAYS_MODES  "k"
#define IRC_WHEN_ON_MODES "l"
#define IRC_FLAG_MODES    "Cimnst"
#define IRC_MEMBER_MODES  "ov"
#define IRC_MEMBER_MARKS  "@+"
#define IRC_USER_MODES    "Biow"
/* For RPL_MYINFO: all of a channel, and those that take a parameter. */
#define IRC_ROOM_MODES  "CIbeiklmnostv"
#define IRC_PARAM_MODES "Ibeklov"

/* Changes with a parameter in one MODE: MODES. */
#define IRC_MODES_A_LINE 12

/* Targets of one line: TARGMAX. */
#define IRC_TARGETS_MAX 20

struct irc_label;
struct irc_multiline;
struct irc_marks;

struct irc_session {
    struct session base;
    struct irc_splitter splitter;
    uint32_t caps;        /* IRC_CAP_ that are on */
    uint16_t cap_version; /* of CAP LS; 0: none was asked for */
    bool in_negotiation;  /* registration waits for CAP END */
    bool registered;      /* EVENT_WELCOME came */
    bool is_unknown;      /* counted as one that has yet to register */
    bool asked;           /* COMMAND_REGISTER is under way: no line is heard */
    bool waiting;         /* for a reader or a password: no line is heard */
    bool ended;           /* the peer will say no more */
    bool spoke;           /* a first line came */
    bool leaving;         /* COMMAND_QUIT was sent, or the session is finished without */
    bool is_operator;     /* no flood control */
    bool holds_name;  /* what is held back for a label tells it its name: nothing overtakes that */
    bool is_aside;    /* what comes from the hub now answers no line: see irc_aside */
    bool password_ok; /* PASS was right */
    bool bot;
    uint8_t oper_failures;
    uint8_t early_lines; /* heard before registration, up to EARLY_LINES_FREE */
    uint16_t secret_len;
    uint16_t uncharged; /* bytes heard since the last that cost something */
    bool ping_sent;
    int64_t heard_ns; /* when the peer last said something */
    int64_t began_ns;
    uint64_t identity;               /* in the log */
    char *nick;                      /* wanted, then had; NULL before NICK */
    char *user, *real_name;          /* NULL before USER */
    char *host;                      /* the shown one */
    char *password;                  /* of PASS, until it is checked */
    char *secret;                    /* a line with a password that goes round; NULL: none */
    char *later;                     /* the line that is carried out when its wait is over */
    char *note;                      /* what the next answer is to know; NULL: nothing */
    struct text_out *bulk;           /* messages put together: irc_bulk_begin; NULL: none are */
    struct irc_label *label;         /* answers being held back; NULL: none */
    struct irc_multiline *multiline; /* draft/multiline: the batch that comes in; NULL: none */
    uint64_t refused_batch;          /* a hash of the reference that was refused last; 0: none */
    struct irc_marks *marks;         /* draft/read-marker; NULL: none */
    unsigned batches;                /* that were opened, for names that no other has */
    unsigned submitted; /* commands sent to the hub, ever: tells whether a line sent any */
};

/* A line as a command's function gets it. */
struct irc_line {
    struct irc_message message;
    const char *text; /* the whole line */
    size_t len;
    bool in_turn; /* it has been round by the hub: answers may be written */
};

/* Where a command is allowed. */
enum irc_when { IRC_BEFORE = 1, IRC_AFTER = 2, IRC_ALWAYS = 3 };

/**
 * Carries a line out. With in_turn false it may only send commands to the hub, and returns false
 * (having sent none) when there is something to be written: it is called again in turn then, when
 * the result is ignored.
 */
typedef bool (*irc_command_fn)(struct irc_session *irc, const struct irc_line *line);

struct irc_command {
    const char *name;
    irc_command_fn fn;
    uint8_t least;  /* parameters; with fewer it is ERR_NEEDMOREPARAMS */
    uint8_t when;   /* enum irc_when */
    uint8_t cost;   /* tokens of flood control */
    uint8_t list;   /* the parameter, from 1, whose items cost that each; 0: none does */
    uint8_t share;  /* so many items cost it together; 0: each does */
    bool is_local;  /* always in turn, and sends the hub nothing */
    bool is_secret; /* has a password in it, of which no copy is made for the way round */
    bool waits;     /* in turn, and may wait for a reader or a password, or then send commands:
                       nothing more is heard until it is done */
};

/* The commands of each family, ended by a row without name. */
extern const struct irc_command irc_registration_commands[];
extern const struct irc_command irc_channel_commands[];
extern const struct irc_command irc_message_commands[];
extern const struct irc_command irc_people_commands[];
extern const struct irc_command irc_server_commands[];
extern const struct irc_command irc_oper_commands[];
extern const struct irc_command irc_help_commands[];
extern const struct irc_command irc_batch_commands[];
extern const struct irc_command irc_history_commands[];

/* ---- irc.c ---- */

/** The session ends: the peer is told ERROR and the hub, if it knows it. Text may hold anything. */
void irc_leave(struct irc_session *irc, const char *reason, size_t len);
/** It is no unknown connection any more: it is registered, or it goes. */
void irc_known(struct irc_session *irc);
/** Reads on after `waiting`, `asked` or a pause, when nothing else is waited for. */
void irc_go_on(struct irc_session *irc);

/* ---- dispatch.c ---- */

/** Goes round by the hub and then calls irc_multiline_fault; no line is heard meanwhile. */
void irc_fault_round(struct irc_session *irc);

/** One line of the peer. */
void irc_hear(struct irc_session *irc, const char *text, size_t len);
/** A line that was too long: text is its tags with '@', '@' alone when they are too long, or empty.
 */
void irc_hear_too_long(struct irc_session *irc, const char *text, size_t len);
/** Wipes and frees the line with a password that goes round. */
void irc_forget_secret(struct irc_session *irc);

/** A COMMAND_ECHO is back. */
void irc_echo(struct irc_session *irc, const struct event *event);
/**
 * The answer to a line that waited is written: its label ends, at once or, when commands were sent
 * since irc->submitted was `submitted`, behind their answers; and more is heard.
 */
void irc_answered(struct irc_session *irc, unsigned submitted);
/** Has a numeric, of at most one parameter, written behind the answers to all commands before. */
void irc_finally(struct irc_session *irc, enum irc_numeric numeric, struct irc_span param);
/** The answers to the commands between two of these go out at once, whatever label is held back. */
void irc_aside(struct irc_session *irc, bool is_begin);
/* What an answer is made of that only the question says. */
enum irc_note {
    IRC_NOTE_LIST = 'l',   /* COMMAND_LIST: conditions */
    IRC_NOTE_RENAME = 'r', /* COMMAND_RENAME_ROOM: both names */
    IRC_NOTE_TOPIC = 't',  /* COMMAND_GET_TOPIC: no topic is no news */
    IRC_NOTE_WHO = 'w',    /* COMMAND_WHOX: fields and token */
};
/** Keeps text, without NUL, for the answer to the command that is sent next. */
void irc_note(struct irc_session *irc, enum irc_note kind, struct irc_span text);
/** Takes what was kept; NULL when that is nothing, or of another kind. Owns: the caller, free. */
char *irc_take_note(struct irc_session *irc, enum irc_note kind);
/** The row of a command by its name in any case; NULL: no such command. */
const struct irc_command *irc_command_find(struct irc_span name);

/* ---- label.c ---- */

/** Whether the value of a label tag can be one: it can be sent back (IRCv3 labeled-response). */
bool irc_is_label(struct irc_span label);

/** From now on what is written for this session is held back. label is unescaped. */
void irc_label_begin(struct irc_session *irc, struct irc_span label);
/** Writes what was held back with its label: ACK, one message, or a batch. */
void irc_label_end(struct irc_session *irc);
void irc_label_free(struct irc_label *label);
/** Bytes of whole messages for a session that holds back. */
void irc_label_hold(struct irc_label *label, const char *bytes, size_t len);
/** How long what is held back will be at the most. */
size_t irc_label_bytes(const struct irc_label *label);

/* ---- out.c: what is written to one session ---- */

struct irc_span irc_server_name(const struct irc_session *irc);
/** The nick, or '*'. */
struct irc_span irc_nick(const struct irc_session *irc);
/**
 * Whether an answer of many messages may go on: what is longer would have the peer cut for want of
 * room in its queue. What writes on and on asks before each message, stops and says so.
 */
bool irc_has_room(const struct irc_session *irc);
/**
 * From now on messages are put together, and go out in large pieces: those the socket takes need
 * no room in the queue. Ends with irc_bulk_end, or with the next event but for EVENT_REPLY_NAMES.
 */
void irc_bulk_begin(struct irc_session *irc);
/** Not having begun is accepted. */
void irc_bulk_end(struct irc_session *irc);
/** Bytes of whole messages; held back when the session holds back. */
void irc_write(struct irc_session *irc, const char *bytes, size_t len);
/** A message begun for this session: room for its tags. */
void irc_start(const struct irc_session *irc, struct irc_writer *writer);
/** Ends and writes it. */
void irc_send(struct irc_session *irc, struct irc_writer *writer);
/** A numeric with its parameters (as echoes: what a peer wrote is cut to IRC_ECHO_MAX) and the
 * text of the table without values. */
void irc_numeric(struct irc_session *irc, enum irc_numeric numeric, const struct irc_span *params,
                 size_t count);
/** The same with another text. */
void irc_numeric_text(struct irc_session *irc, enum irc_numeric numeric,
                      const struct irc_span *params, size_t count, struct irc_span text);
/** The same with values for the places in the text of the table. */
void irc_numeric_values(struct irc_session *irc, enum irc_numeric numeric,
                        const struct irc_span *params, size_t count, const struct irc_span *values,
                        size_t value_count);
#define IRC_ECHO_MAX (ROOM_NAME_CEILING_BYTES + 2) /* "@#" and the longest name of a room */
#define IRC_SPANS(...)                                                                             \
    (const struct irc_span[]){__VA_ARGS__},                                                        \
        sizeof((const struct irc_span[]){__VA_ARGS__}) / sizeof(struct irc_span)
/* irc_reply(irc, IRC_ERR_NOSUCHNICK, nick) */
#define irc_reply(irc, numeric, ...) irc_numeric((irc), (numeric), IRC_SPANS(__VA_ARGS__))
/** A numeric without parameters. */
#define irc_reply0(irc, numeric) irc_numeric((irc), (numeric), NULL, 0)
/** FAIL, WARN, NOTE: command, code, context, text of the table; to clients without standard-replies
 * too. */
void irc_standard(struct irc_session *irc, enum irc_standard_verb verb, const char *command,
                  enum irc_standard code, const struct irc_span *context, size_t count);
#define irc_fail(irc, command, code, ...)                                                          \
    irc_standard((irc), IRC_FAIL, (command), (code), IRC_SPANS(__VA_ARGS__))
/** A NOTICE of the server. */
void irc_notice(struct irc_session *irc, const char *format, ...) PARTY_PRINTF(2, 3);
struct irc_span irc_span_of(const char *text, size_t len);
struct irc_span irc_field(const struct record_field *field);
/** Puts "2026-11-20T12:31:07.123Z" into ret. */
#define IRC_TIME_CAP 32
struct irc_span irc_time_text(int64_t time_ms, char ret[IRC_TIME_CAP]);
/** The msgid of an event that is a message. */
#define IRC_MSGID_CAP 48
struct irc_span irc_msgid(const struct event *event, char ret[IRC_MSGID_CAP]);
/** '#' and the room's name. */
#define IRC_CHANNEL_CAP (ROOM_NAME_CEILING_BYTES + 4)
struct irc_span irc_channel(const char *name, size_t len, char ret[IRC_CHANNEL_CAP]);

/* ---- items.c: numerics whose text is a list ---- */

struct irc_items {
    struct irc_session *irc;
    enum irc_numeric numeric;
    const struct irc_span *params; /* borrowed until the end */
    size_t param_count;
    char separator;
    bool was_sent;
    size_t max, len; /* of text */
    char text[IRC_BODY_MAX_BYTES];
};

void irc_items_begin(struct irc_items *items, struct irc_session *irc, enum irc_numeric numeric,
                     const struct irc_span *params, size_t count, char separator);
/** Adds one; what it would not fit in with the others is sent. One longer than a line is left out.
 */
void irc_items_add(struct irc_items *items, struct irc_span item);
/** Sends the rest; even_if_none: also when there was none at all, with an empty text. */
void irc_items_end(struct irc_items *items, bool even_if_none);

/* ---- commands to the hub ---- */

/** Sends a command; counts it. */
void irc_submit(struct irc_session *irc, const struct command_parts *parts);
/** type, target and text only. */
void irc_ask(struct irc_session *irc, enum command_type type, struct irc_span target,
             struct irc_span text);
/** The room's name without '#'; an absent span when it is no channel's name. */
struct irc_span irc_room_of(struct irc_span channel);

/* ---- registration.c ---- */

/** Wipes and frees the password of PASS. */
void irc_forget_password(struct irc_session *irc);
/** Registers when all is there that it takes. */
void irc_register_when_ready(struct irc_session *irc);
/** EVENT_WELCOME: the burst of numerics. */
void irc_welcome(struct irc_session *irc, const struct event *event);
/** The connection's password was checked. */
void irc_on_connection_password(struct irc_session *irc, const struct password_query *query);

/* ---- cap_command.c, isupport.c ---- */

bool irc_cap_command(struct irc_session *irc, const struct irc_line *line);
void irc_send_isupport(struct irc_session *irc);

/* ---- encode.c: what a member sees of an event ---- */

/** The encoding for a set of capabilities: all that changes what a room's event looks like. */
uint16_t irc_encoding_of(uint32_t caps);
void irc_encode(struct shard *shard, const struct event *event, uint16_t encoding,
                struct text_out *out);
/** The event, as irc_encode has it, for this session alone. */
void irc_write_event(struct irc_session *irc, const struct event *event);
/** A stored message as part of a batch (history), or by itself when batch is absent. */
void irc_encode_in_batch(struct shard *shard, const struct event *event, uint16_t encoding,
                         struct irc_span batch, struct text_out *out);

/* ---- events.c ---- */

void irc_on_event(struct session *session, const struct event *event);
bool irc_on_own(struct session *session, const struct event *event);
/** EVENT_ERROR as the numeric that the command's users expect. */
void irc_error(struct irc_session *irc, const struct event *event);

/* ---- the families' answers; each returns false when the event is none of its own ---- */

bool irc_channel_event(struct irc_session *irc, const struct event *event);
/** A room has another name: for who does not know of RENAME it leaves one and joins the other. */
void irc_on_room_renamed(struct session *session, const struct event *event);
bool irc_message_event(struct irc_session *irc, const struct event *event);
bool irc_people_event(struct irc_session *irc, const struct event *event);
bool irc_oper_event(struct irc_session *irc, const struct event *event);

/* ---- message.c ---- */

/** Adds a line's client-only tags as they go on; nothing without message-tags. Returns: how many.
 */
size_t irc_client_tags(const struct irc_session *irc, const struct irc_message *message,
                       struct text_out *out);
/** What a CTCP ACTION says, with *kind changed to it; any other text as it is. */
struct irc_span irc_take_action(struct irc_span text, enum message_kind *kind);
/** Sends a message to a target that is not IRC_TARGET_BAD. */
void irc_send_to(struct irc_session *irc, const struct irc_target *target, enum message_kind kind,
                 struct irc_span text, struct irc_span tags);

/* ---- oper.c ---- */

void irc_on_password(struct session *session, const struct password_query *query);

/* ---- history.c, redact.c ---- */

void irc_on_answer(struct session *session, const struct query *query);
/** Asks the reader and keeps the line until its answer is there. Returns: false when too many ask
 * already; the query is destroyed then. */
bool irc_wait_for(struct irc_session *irc, const struct irc_line *line, struct query *query);
/** The room of a channel's name that this session is in; NULL: in none of that name. */
struct room_view *irc_own_room(const struct irc_session *irc, struct irc_span channel);
/** The number behind a msgid of this server. Returns: false when it is none of its. */
bool irc_parse_msgid(struct irc_span text, uint64_t *ret_number);
bool irc_do_redact(struct irc_session *irc, const struct irc_line *line);
/** The log has looked for the message of a REDACT. */
void irc_redact_found(struct irc_session *irc, const struct irc_message *message,
                      const struct query *query);

/* ---- multiline.c ---- */

/** A line that belongs to the batch that is open, if one is: taken. */
bool irc_multiline_take(struct irc_session *irc, const struct irc_line *line);
/**
 * A line with these tags was too long: if it belongs to the open batch, that is spoilt, and so it
 * is when it has tags that nobody knows.
 */
void irc_multiline_lacks(struct irc_session *irc, struct irc_span tags, bool are_unknown);
/** Refuses, in turn, a line of a batch that is not open: its reference is told of once. */
void irc_multiline_stray(struct irc_session *irc, struct irc_span reference);
/** The fault of the batch that comes in is told; see irc_fault_round. */
void irc_multiline_fault(struct irc_session *irc);
void irc_multiline_free(struct irc_multiline *multiline);
/** Whether a line begins a batch: it is answered with the batch's end. */
bool irc_is_batch_opening(const struct irc_session *irc, const struct irc_message *message);
/** Whether a line ends the batch that is open. */
bool irc_is_batch_closing(const struct irc_session *irc, const struct irc_message *message);
/** The label of the batch that is open; absent when it has none. */
struct irc_span irc_multiline_label(const struct irc_session *irc);

/* ---- marks.c ---- */

/** Tells the mark of a channel that was joined. */
void irc_marks_tell(struct irc_session *irc, struct irc_span target);
void irc_marks_free(struct irc_marks *marks);
bool irc_do_markread(struct irc_session *irc, const struct irc_line *line);

#endif
