/* SPDX-License-Identifier: MIT */
/*
 * For people. A connection goes through
 *
 *     GREETING    until the server says which room one is in
 *     MOVING      after an outage: /join ROOM was sent, where the lobby is not the room
 *     CATCHING_UP after an outage: /history since TIME was sent
 *     LIVE        what is typed is sent, what comes is shown
 *
 * and from LIVE, or wherever the connection ends, to an outage: a timer, then GREETING again. On
 * the way back to LIVE lines of the room are held, because what was missed stands before them;
 * chat_catchup.h tells which of them were shown already.
 *
 * What is said goes through the outbox (chat_outbox.h), so that nothing typed is lost: a line stays
 * there until the server has shown it to the room. After an outage the history tells which of the
 * lines that were on their way have arrived; the others are sent again.
 */
#include "chat.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "chat_asked.h"
#include "chat_catchup.h"
#include "chat_line.h"
#include "chat_outbox.h"
#include "command.h"
#include "prompt.h"
#include "stop_signal.h"

enum phase { OFFLINE, GREETING, MOVING, CATCHING_UP, LIVE };

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 30000
#define NICK_AGAIN_MS                                                                              \
    10000 /* the server may not have noticed yet that the old connection is gone */
#define NICK_AGAIN_MAX 12
#define GOODBYE_MS     2000
#define HELD_MAX       4096 /* lines kept back while catching up; then they are shown */
#define PAGES_MAX      20   /* answers of the history after one outage */

struct live {
    const struct chat_options *options;
    struct chat_link link;
    struct prompt *prompt;
    struct chat_catchup *catchup;
    struct chat_outbox outbox;
    struct chat_asked asked; /* what the time is */
    bool colours;
    enum phase phase;
    bool entered;   /* once at least: what ends now is an outage */
    bool outage;    /* was told; its end was not */
    bool returning; /* this connection follows another: what was missed is to be shown */
    bool settling;  /* back, and the room may still bring what the history had */
    bool leaving;   /* /quit was sent */
    bool dismissed; /* the server said goodbye by itself */
    bool over;
    int code;                                 /* when over: the exit code */
    char failure[640];                        /* when over before it began: why; "" if not */
    char name[NAME_CEILING_BYTES + 1];        /* now; "" before the greeting */
    char room[ROOM_NAME_CEILING_BYTES + 1];   /* now */
    char wanted_name[NAME_CEILING_BYTES + 1]; /* "": whatever the server gives */
    unsigned nick_tries;
    char **held; /* stored lines, each with a NUL */
    size_t held_count;
    unsigned pages;
    unsigned attempts;     /* since the last greeting */
    int64_t retry_ms;      /* when to connect again; -1: not now */
    int64_t deadline_ms;   /* for the server's next word; -1: none is due */
    int64_t nick_again_ms; /* -1: never */
    int signal_fd;
};

/* ---- what is shown ---- */

static void tell(struct live *live, const char *format, ...) PARTY_PRINTF(2, 3);

static void tell(struct live *live, const char *format, ...)
{
    char text[1024] = "--- ";
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + 4, sizeof text - 4, format, args);
    va_end(args);
    prompt_print(live->prompt, text, strlen(text));
}

static void show(struct live *live, const struct chat_line *line)
{
    size_t len;
    if (!live->colours) {
        prompt_print(live->prompt, line->text, line->len);
        return;
    }
    char *painted = chat_line_paint(line, &len);
    prompt_print(live->prompt, painted, len);
    free(painted);
}

static void set_prompt(struct live *live)
{
    char text[sizeof(live->name) + 2];
    (void)snprintf(text, sizeof text, "%s> ", live->name);
    prompt_set_text(live->prompt, text);
}

static void finish(struct live *live, int code)
{
    live->over = true;
    live->code = code;
}

static void send_line(struct live *live, const char *format, ...) PARTY_PRINTF(2, 3);

static void send_line(struct live *live, const char *format, ...)
{
    char text[CHAT_TYPED_MAX_BYTES + 1];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int r = chat_link_send(&live->link, text);
    if (r < 0) {
        tell(live, "not sent: %s", party_strerror(r));
    }
}

/* The answer to a question of one's own is not shown; to one that was typed it is. */
static void ask_time(struct live *live, const char *line, bool own)
{
    if (chat_asked_add(&live->asked, own)) {
        send_line(live, "%s", line);
    } else {
        tell(live, "not sent: too many questions wait for an answer");
    }
}

/* ---- catching up ---- */

static void show_new(struct live *live, const char *text, enum chat_source source)
{
    struct chat_line line = chat_line_parse(text, strlen(text));
    if (chat_catchup_is_new(live->catchup, &line, source)) {
        show(live, &line);
        chat_outbox_confirm(&live->outbox, &line, live->name);
    }
}

/* Lines are held in the order of their coming; the last `answered` of them are the history's. */
static void release_held(struct live *live, size_t answered, bool all)
{
    size_t rest = live->held_count > answered ? live->held_count - answered : 0;
    for (size_t i = rest; i < live->held_count; i++) {
        show_new(live, live->held[i], CHAT_FROM_HISTORY);
        free(live->held[i]);
    }
    live->held_count = rest;
    if (!all) {
        return;
    }
    for (size_t i = 0; i < rest; i++) {
        show_new(live, live->held[i], CHAT_FROM_ROOM);
        free(live->held[i]);
    }
    live->held_count = 0;
}

static void drop_held(struct live *live)
{
    for (size_t i = 0; i < live->held_count; i++) {
        free(live->held[i]);
    }
    live->held_count = 0;
}

static void hold(struct live *live, const struct chat_line *line)
{
    if (live->held_count >= HELD_MAX) {
        release_held(live, 0, true);
    }
    live->held = xreallocarray(live->held, live->held_count + 1, sizeof(*live->held));
    live->held[live->held_count++] = xmemdup0(line->text, line->len);
}

static void send_outbox(struct live *live)
{
    const char *text;
    while (live->phase == LIVE && !live->leaving &&
           (text = chat_outbox_next(&live->outbox)) != NULL) {
        if (chat_link_send(&live->link, text) < 0) {
            return; /* the rest goes when there is room, or another connection */
        }
        chat_outbox_sent(&live->outbox, live->name);
    }
}

static void go_live(struct live *live)
{
    live->phase = LIVE;
    live->deadline_ms = live->leaving ? live->deadline_ms : -1;
    live->attempts = 0;
    release_held(live, 0, true);
    size_t waiting = chat_outbox_rewind(&live->outbox);
    if (waiting > 0) {
        tell(live, "sending %zu line%s that %s not said yet", waiting, waiting == 1 ? "" : "s",
             waiting == 1 ? "was" : "were");
    }
    send_outbox(live);
}

static void begin_catchup(struct live *live)
{
    const char *since = chat_catchup_begin(live->catchup);
    live->settling = true;
    live->pages = 0;
    if (!since) {
        go_live(live);
        return;
    }
    live->phase = CATCHING_UP;
    live->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
    send_line(live, "/history since %s", since);
}

/* The history's answer is complete. */
static void on_history(struct live *live, size_t count, uint64_t more)
{
    release_held(live, count, false);
    if (more == 0) {
        go_live(live);
    } else if (++live->pages >= PAGES_MAX) {
        tell(live, "more was said meanwhile: /history after %" PRIu64 " shows it", more);
        go_live(live);
    } else {
        live->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
        send_line(live, "/history after %" PRIu64, more);
    }
}

/* ---- what comes in ---- */

static bool says(const struct chat_line *line, const char *words)
{
    size_t len = strlen(words);
    return line->kind == CHAT_LINE_SERVER && line->body_len >= len &&
           memcmp(line->body, words, len) == 0;
}

static void ask_for_name(struct live *live)
{
    live->nick_again_ms = -1;
    if (live->wanted_name[0] != '\0' && strcmp(live->wanted_name, live->name) != 0) {
        send_line(live, "/nick %s", live->wanted_name);
    }
}

static void on_own_name(struct live *live, const struct chat_line *line, const char *name)
{
    (void)snprintf(live->name, sizeof live->name, "%s", name);
    set_prompt(live);
    if (chat_line_is_welcome(line)) {
        live->nick_tries = 0;
        ask_for_name(live);
    } else {
        /* Chosen, so it is what to be called after an outage too. */
        (void)snprintf(live->wanted_name, sizeof live->wanted_name, "%s", name);
        live->nick_again_ms = -1;
    }
}

/* Returns: whether it is the answer to a name that was asked for again, which is no news. */
static bool on_name_taken(struct live *live, const struct chat_line *line)
{
    if (!says(line, "The name ") || live->wanted_name[0] == '\0' ||
        strcmp(live->wanted_name, live->name) == 0 ||
        !memmem(line->body, line->body_len, live->wanted_name, strlen(live->wanted_name))) {
        return false;
    }
    if (!live->returning || live->nick_tries >= NICK_AGAIN_MAX) {
        live->wanted_name[0] = '\0';
        return false;
    }
    live->nick_again_ms = chat_now_ms() + NICK_AGAIN_MS;
    return live->nick_tries++ > 0;
}

/* In a room of which nothing is known. */
static void on_new_room(struct live *live, const char *room)
{
    (void)snprintf(live->room, sizeof live->room, "%s", room);
    chat_catchup_forget(live->catchup);
    /* Should nobody say anything before an outage, this is where it began. */
    ask_time(live, "/time", true);
}

static void back_in_room(struct live *live)
{
    if (live->outage) {
        live->outage = false;
        tell(live, "connected again");
    }
    begin_catchup(live);
}

/* Returns: whether the line is to be shown. */
static bool on_own_room(struct live *live, const char *room)
{
    bool same = strcasecmp(room, live->room) == 0;
    if (live->phase == GREETING && !live->returning) {
        live->entered = true;
        on_new_room(live, room);
        if (live->options->room && strcasecmp(live->options->room, room) != 0) {
            send_line(live, "/join %s", live->options->room);
        }
        go_live(live);
        return true;
    }
    if (live->phase == GREETING && !same) {
        live->phase = MOVING;
        live->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
        send_line(live, "/join %s", live->room);
        return false;
    }
    if (live->phase == GREETING || live->phase == MOVING) {
        drop_held(live); /* of the room before */
        if (!same) {
            on_new_room(live, room);
        }
        back_in_room(live);
        return false;
    }
    if (!same) {
        on_new_room(live, room);
    }
    return true;
}

static void on_stored(struct live *live, const struct chat_line *line)
{
    if (live->phase != LIVE) {
        hold(live, line);
    } else if (live->settling && chat_catchup_may_repeat(live->catchup, line)) {
        show_new(live, line->text, CHAT_FROM_ROOM);
    } else {
        live->settling = false;
        chat_catchup_note(live->catchup, line);
        show(live, line);
        chat_outbox_confirm(&live->outbox, line, live->name);
    }
}

/* The room cannot be entered any more: it goes on where one is. */
static void on_move_refused(struct live *live)
{
    live->room[0] = '\0';
    drop_held(live);
    chat_catchup_forget(live->catchup);
    back_in_room(live);
}

/* What the server tells everyone on entering is no news to who was there a moment ago. */
static bool is_news(const struct live *live, const struct chat_line *line)
{
    if (live->phase == LIVE || !live->returning) {
        return true;
    }
    return live->phase == CATCHING_UP && !says(line, "Topic: ") && !says(line, "What you type ") &&
           !says(line, "You are now called ");
}

/* Returns: whether the line is to be shown. */
static bool on_server_line(struct live *live, const struct chat_line *line)
{
    char name[NAME_CEILING_BYTES + 1], room[ROOM_NAME_CEILING_BYTES + 1];
    char stamp[CHAT_STAMP_BYTES + 1];
    size_t count;
    uint64_t more;
    if (chat_line_own_name(line, name)) {
        on_own_name(live, line, name);
        return is_news(live, line);
    }
    if (chat_line_own_room(line, room)) {
        return on_own_room(live, room);
    }
    if (chat_line_time(line, stamp) && chat_asked_take(&live->asked)) {
        chat_catchup_start_at(live->catchup, stamp);
        return false;
    }
    if (live->phase == CATCHING_UP && chat_line_ends_history(line, &count, &more)) {
        on_history(live, count, more);
        return false;
    }
    if (on_name_taken(live, line)) {
        return false;
    }
    if (chat_line_refuses_text(line)) {
        chat_outbox_refuse(&live->outbox);
    }
    if (chat_line_is_refusal(line)) {
        if (live->phase == MOVING && !says(line, "The name ")) {
            on_move_refused(live);
        }
        return true;
    }
    if (chat_line_is_goodbye(line)) {
        live->dismissed = !live->leaving;
        return true;
    }
    return is_news(live, line);
}

static void on_line(const char *text, size_t len, void *user)
{
    struct live *live = user;
    struct chat_line line = chat_line_parse(text, len);
    if (chat_line_is_stored(&line)) {
        on_stored(live, &line);
    } else if (line.kind != CHAT_LINE_SERVER || on_server_line(live, &line)) {
        show(live, &line);
    }
}

/* ---- the connection ---- */

static void on_open(void *user)
{
    struct live *live = user;
    live->phase = GREETING;
    live->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
    live->returning = live->entered;
    live->asked = (struct chat_asked){0};
    /* A listener for all protocols waits for a first byte; an empty line is nobody's but ours. */
    send_line(live, "%s", "");
}

/* 1 s, 2 s, 4 s ... 30 s, each a quarter more or less, so that not all come back at once. */
static int64_t retry_delay_ms(unsigned attempts)
{
    int64_t delay_ms = attempts < 5 ? RETRY_MIN_MS << attempts : RETRY_MAX_MS;
    delay_ms = delay_ms * (75 + random() % 51) / 100;
    return delay_ms < RETRY_MIN_MS   ? RETRY_MIN_MS
           : delay_ms > RETRY_MAX_MS ? RETRY_MAX_MS
                                     : delay_ms;
}

static void on_closed(const char *cause, void *user)
{
    struct live *live = user;
    if (live->phase == CATCHING_UP || live->phase == LIVE) {
        release_held(live, 0, true);
    }
    drop_held(live);
    live->phase = OFFLINE;
    live->deadline_ms = live->nick_again_ms = -1;
    if (live->leaving) {
        finish(live, EXIT_DONE);
    } else if (!live->entered) {
        (void)snprintf(live->failure, sizeof live->failure, "cannot connect to %s: %s",
                       live->options->target.shown, cause);
        finish(live, EXIT_FAILED);
    } else if (live->dismissed) {
        tell(live, "the server ended the connection");
        finish(live, EXIT_FAILED);
    } else if (live->options->no_reconnect) {
        tell(live, "connection lost (%s)", cause);
        finish(live, EXIT_FAILED);
    } else {
        if (!live->outage) {
            live->outage = true;
            tell(live, "connection lost (%s), trying again", cause);
        }
        live->retry_ms = chat_now_ms() + retry_delay_ms(live->attempts++);
    }
}

static const struct chat_link_events link_events = {
    .on_open = on_open, .on_line = on_line, .on_closed = on_closed};

/* ---- what is typed ---- */

static void leave(struct live *live, const char *typed)
{
    if (live->link.state != CHAT_LINK_OPEN || live->leaving) {
        chat_link_close(&live->link);
        finish(live, live->entered ? EXIT_DONE : EXIT_FAILED);
        return;
    }
    live->leaving = true;
    live->deadline_ms = chat_now_ms() + GOODBYE_MS;
    send_line(live, "%s", typed);
}

static void say(struct live *live, const char *typed)
{
    if (!chat_outbox_add(&live->outbox, typed)) {
        tell(live, "not kept, %d lines wait already: %.200s", CHAT_OUTBOX_MAX, typed);
    } else if (live->phase == LIVE) {
        send_outbox(live);
    } else {
        tell(live, "not connected: this is sent as soon as that is");
    }
}

/* One line of what was typed, or pasted. */
static void submit(struct live *live, const char *text, size_t len)
{
    char *typed = chat_typed_clean(text, len);
    char *echo = chat_typed_echo(live->name, typed);
    if (typed[0] == '\0') {
        prompt_erase_read(live->prompt);
    } else if (strlen(typed) > CHAT_TYPED_MAX_BYTES) {
        tell(live, "not sent: longer than %d bytes", CHAT_TYPED_MAX_BYTES);
    } else if (chat_typed_is_quit(typed)) {
        leave(live, typed);
    } else if (echo) {
        if (live->phase == LIVE) {
            prompt_erase_read(live->prompt); /* the room's own line will stand there */
        }
        say(live, typed);
    } else if (live->phase == LIVE && chat_typed_is(typed, "time", NULL)) {
        ask_time(live, typed, false);
    } else if (live->phase == LIVE) {
        send_line(live, "%s", typed);
    } else {
        tell(live, "not connected: %.200s was not sent", typed);
    }
    free(echo);
    free(typed);
}

static void on_typed(struct live *live, const char *text)
{
    while (!live->over) {
        size_t len = strcspn(text, "\n");
        submit(live, text, len);
        if (text[len] == '\0') {
            return;
        }
        text += len + 1;
    }
}

/* ---- waiting ---- */

static void on_signal(struct live *live, int signo)
{
    if (signo == SIGINT && prompt_has_typed(live->prompt)) {
        prompt_drop_typed(live->prompt);
    } else {
        leave(live, "/quit");
    }
}

static void on_deadline(struct live *live)
{
    live->deadline_ms = -1;
    if (live->leaving) {
        finish(live, EXIT_DONE);
    } else if (live->phase == GREETING) {
        chat_link_close(&live->link);
        on_closed("the server did not greet", live);
    } else if (live->phase == MOVING) {
        on_move_refused(live);
    } else if (live->phase == CATCHING_UP) {
        tell(live, "the server did not say what was missed");
        go_live(live);
    }
}

static void run_timers(struct live *live)
{
    int64_t now_ms = chat_now_ms();
    if (live->retry_ms >= 0 && now_ms >= live->retry_ms) {
        live->retry_ms = -1;
        chat_link_open(&live->link, &live->options->target);
    }
    if (live->deadline_ms >= 0 && now_ms >= live->deadline_ms) {
        on_deadline(live);
    }
    if (live->nick_again_ms >= 0 && now_ms >= live->nick_again_ms) {
        ask_for_name(live);
    }
}

static size_t prepare(struct pollfd *fds, int *ret_timeout_ms, void *user)
{
    struct live *live = user;
    const int64_t times[] = {live->retry_ms, live->deadline_ms, live->nick_again_ms};
    int64_t first = -1;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (times[i] >= 0 && (first < 0 || times[i] < first)) {
            first = times[i];
        }
    }
    *ret_timeout_ms = chat_wait_ms(first);
    fds[0] = (struct pollfd){.fd = live->signal_fd, .events = POLLIN};
    return 1 + chat_link_prepare(&live->link, &fds[1]);
}

static bool ready(const struct pollfd *fds, size_t count, void *user)
{
    struct live *live = user;
    if (count > 1 && live->link.fd == fds[1].fd) {
        chat_link_ready(&live->link, fds[1].revents);
    }
    int signo = fds[0].revents != 0 ? stop_signal_take(live->signal_fd) : 0;
    if (signo != 0 && !live->over) {
        on_signal(live, signo);
    }
    if (!live->over) {
        run_timers(live);
        send_outbox(live);
    }
    return !live->over;
}

static const struct prompt_events prompt_events = {.prepare = prepare, .ready = ready};

/* ---- all of it ---- */

static bool wants_colours(void)
{
    const char *no = getenv("NO_COLOR"); /* no-color.org: set and not empty */
    return (!no || no[0] == '\0') && prompt_has_cursor();
}

static void read_lines(struct live *live)
{
    while (!live->over) {
        char *typed;
        enum prompt_result result = prompt_read(live->prompt, &typed);
        if (result == PROMPT_LINE) {
            on_typed(live, typed);
            free(typed);
        } else if (result == PROMPT_END) {
            leave(live, "/quit");
            break;
        }
    }
    /* The prompt is at its end; the goodbye is still to come. */
    while (!live->over) {
        struct pollfd fds[PROMPT_POLL_MAX];
        int timeout_ms;
        size_t count = prepare(fds, &timeout_ms, live);
        if (poll(fds, count, timeout_ms) >= 0) {
            (void)ready(fds, count, live);
        }
    }
}

static void say_what_is_left(const struct live *live)
{
    size_t left = live->outbox.count;
    if (left > 0) {
        chat_complain("%zu line%s not said", left, left == 1 ? " was" : "s were");
    }
}

int chat_live_run(const struct chat_options *options)
{
    struct live live = {.options = options, .retry_ms = -1, .deadline_ms = -1, .nick_again_ms = -1};
    live.signal_fd = stop_signal_open();
    if (live.signal_fd < 0) {
        chat_complain("%s", party_strerror(live.signal_fd));
        return EXIT_FAILED;
    }
    srandom((unsigned)getpid() ^ (unsigned)chat_now_ms());
    if (options->nick) {
        (void)snprintf(live.wanted_name, sizeof live.wanted_name, "%s", options->nick);
    }
    live.colours = wants_colours();
    live.catchup = chat_catchup_create();
    live.prompt = prompt_create("> ", &prompt_events, &live);
    chat_link_init(&live.link, &link_events, &live);
    chat_link_open(&live.link, &options->target);
    read_lines(&live);
    prompt_destroy(live.prompt);
    if (live.failure[0] != '\0') {
        chat_complain("%s", live.failure);
    }
    say_what_is_left(&live);
    int code = live.code == EXIT_DONE && live.outbox.count > 0 ? EXIT_FAILED : live.code;
    chat_link_finish(&live.link);
    drop_held(&live);
    free(live.held);
    chat_outbox_finish(&live.outbox);
    chat_catchup_destroy(live.catchup);
    (void)close(live.signal_fd);
    return code;
}
