/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/irc/cap.h"
#include "scene.h"
#include "script.h"
#include "witness.h"

/*
 * Three IRC clients and a line user in one server, by a stream of operations: each input is one
 * such session. Every line a client gets is checked (witness.h), the hub checks itself after each
 * batch of commands, and what the clients believe of the rooms is compared with what the hub knows.
 *
 * The first three bytes are the settings and who is there at the beginning; an operation is its
 * kind, who does it and how, and what the kind needs.
 */

enum { ANN, BOB, CID, DAVE, PEERS }; /* dave is the line user */

#define OPERATIONS_MAX 64

/* How the bytes of an operation are sent: the second byte of it. */
#define HOW_WHO       3u /* whose it is */
#define HOW_PIPELINED 4u /* nothing is waited for before the next one */
#define HOW_LABELLED  8u
#define HOW_SPLIT     16u /* in two pieces, with a turn between */
#define HOW_BARE_LF   32u /* no CR */

struct peer {
    int fd; /* -1: not connected */
    bool is_deaf;
    bool is_pending;  /* what it said last may not have been heard yet */
    bool is_dirty;    /* an unfinished line was sent */
    bool has_batched; /* a batch may be open: what is labelled in it is answered at its end */
    size_t len;
    char text[16384]; /* what came and is no whole line yet */
    struct witness witness;
};

struct play {
    struct scene scene;
    struct script script;
    struct peer peers[PEERS];
    bool is_throttled; /* flood control is on: not every line is answered at once */
};

/* With PARTYLINE_TRACE in the environment, what is sent and received: to understand a find. */
static void trace(int who, const char *direction, const char *bytes, size_t len)
{
    if (getenv("PARTYLINE_TRACE")) {
        (void)fprintf(stderr, "%d %s %.*s\n", who, direction, (int)len, bytes);
    }
}

/* ---- what a peer gets ---- */

static void hang_up(struct play *play, int who)
{
    struct peer *peer = &play->peers[who];
    if (peer->fd != -1) {
        (void)close(peer->fd);
        peer->fd = -1;
    }
}

static void take_lines(struct play *play, int who)
{
    struct peer *peer = &play->peers[who];
    size_t at = 0;
    char *end;
    while ((end = memchr(peer->text + at, '\n', peer->len - at)) != NULL) {
        size_t len = (size_t)(end - (peer->text + at));
        char *line = fuzz_copy(peer->text + at, len);
        trace(who, "<-", line, len);
        witness_read(&peer->witness, line, len);
        free(line);
        at += len + 1;
    }
    fuzz_check(peer->len - at <= 8191 + 512);
    memmove(peer->text, peer->text + at, peer->len - at);
    peer->len -= at;
}

/* Returns: whether something came. */
static bool hear(struct play *play, int who)
{
    struct peer *peer = &play->peers[who];
    if (peer->fd == -1 || peer->is_deaf) {
        return false;
    }
    ssize_t n = recv(peer->fd, peer->text + peer->len, sizeof(peer->text) - peer->len, 0);
    if (n == -1 && errno == EAGAIN) {
        return false;
    }
    if (n <= 0) {
        hang_up(play, who);
        return true;
    }
    if (who == DAVE) { /* the line front has tests of its own */
        return true;
    }
    peer->len += (size_t)n;
    take_lines(play, who);
    return true;
}

static void hear_all(struct play *play)
{
    bool came = true;
    while (came) {
        scene_settle(&play->scene);
        came = false;
        for (int who = 0; who < PEERS; who++) {
            came |= hear(play, who);
        }
    }
    for (int who = 0; who < PEERS; who++) {
        play->peers[who].is_pending &= scene_is_holding(&play->scene) || play->peers[who].is_deaf;
    }
}

/* ---- how far it is ---- */

static bool is_present(const struct peer *peer)
{
    return peer->fd != -1 && peer->witness.is_registered && !peer->witness.is_over;
}

/* Whether all that was done so far has been told, so that everybody should know the same. */
static bool is_at_rest(const struct play *play)
{
    for (int who = ANN; who <= CID; who++) {
        if (play->peers[who].fd != -1 && play->peers[who].is_deaf) {
            return false;
        }
    }
    return !scene_is_holding(&play->scene);
}

/* ---- what a peer does ---- */

static void put(struct play *play, int who, const char *bytes, size_t len)
{
    struct peer *peer = &play->peers[who];
    if (peer->fd == -1) {
        return;
    }
    trace(who, "->", bytes, len);
    ssize_t n = send(peer->fd, bytes, len, MSG_NOSIGNAL);
    fuzz_check(n >= 0 || errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
    peer->is_pending = true;
    peer->is_dirty = n > 0 && bytes[n - 1] != '\n' && bytes[n - 1] != '\r';
}

static void puts_line(struct play *play, int who, const char *text)
{
    put(play, who, text, strlen(text));
}

static const char *const names[PEERS] = {"ann", "bob", "cid", "dave"};

static void connect_peer(struct play *play, int who, bool enters, uint8_t caps)
{
    struct peer *peer = &play->peers[who];
    char line[640];
    hang_up(play, who);
    *peer = (struct peer){.fd = scene_connect(&play->scene, who == DAVE ? ENTRY_LINE : ENTRY_IRC)};
    if (!enters) {
        return;
    }
    if (who == DAVE) {
        puts_line(play, who, "/nick dave\n");
        return;
    }
    if (caps != 0) {
        (void)snprintf(line, sizeof(line), "CAP REQ :%s\r\n", script_caps(caps));
        puts_line(play, who, line);
    }
    (void)snprintf(line, sizeof(line), "PASS right\r\nNICK %s\r\nUSER %s 0 * :%s\r\n%s", names[who],
                   names[who], names[who], caps != 0 ? "CAP END\r\nJOIN #a\r\n" : "JOIN #a\r\n");
    puts_line(play, who, line);
}

/* Puts a label in front of the line. Returns: false when it can have none. */
static bool add_label(struct peer *peer, char *text, size_t *len)
{
    char label[32];
    bool has_tags = text[0] == '@';
    if (*len > SCRIPT_LINE_MAX - 64 || text[0] == ' ' || text[0] == '\r') {
        return false;
    }
    int n = snprintf(label, sizeof(label), "@label=l%u%s", peer->witness.labels_sent++,
                     has_tags ? ";" : " ");
    memmove(text + n, text + has_tags, *len - has_tags);
    memcpy(text, label, (size_t)n);
    *len += (size_t)n - has_tags;
    return true;
}

static size_t without_cr(char *text, size_t len)
{
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\r') {
            text[kept++] = text[i];
        }
    }
    return kept;
}

static void say(struct play *play, int who, unsigned how, char *text, size_t len)
{
    size_t first = 0;
    len = how & HOW_BARE_LF ? without_cr(text, len) : len;
    if (how & HOW_SPLIT && len > 0) {
        first = script_byte(&play->script) % len;
        put(play, who, text, first);
        hear_all(play);
    }
    put(play, who, text + first, len - first);
}

static void say_raw(struct play *play, int who)
{
    char bytes[64];
    size_t len = script_byte(&play->script) % sizeof(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)script_byte(&play->script);
    }
    play->peers[who].has_batched = true; /* who knows */
    put(play, who, bytes, len);
}

/* Operations that are no lines. */
enum {
    DO_CONNECT,
    DO_WAIT,
    DO_RAW,
    DO_HOLD,
    DO_HOLD_ANSWERS,
    DO_RELEASE,
    DO_FAIL,
    DO_DEAF,
    DO_HEAR,
    DO_END,
    DO_HANG_UP,
    DO_TICK,
    DO_COUNT
};

static void do_other(struct play *play, int who, unsigned kind)
{
    struct peer *peer = &play->peers[who];
    trace(who, "does", (const char[]){(char)('a' + kind)}, 1); /* the enum's letter */
    switch (kind) {
    case DO_CONNECT: {
        uint8_t choice = script_byte(&play->script);
        connect_peer(play, who, choice & 1, choice >> 1);
        break;
    }
    case DO_WAIT:
        scene_wait_ms(&play->scene, script_byte(&play->script) * 40);
        break;
    case DO_TICK:
        scene_wait_ms(&play->scene, 1100);
        break;
    case DO_RAW:
        say_raw(play, who);
        break;
    case DO_HOLD:
        play->scene.holds_commands = true;
        break;
    case DO_HOLD_ANSWERS:
        play->scene.holds_answers = true;
        break;
    case DO_RELEASE:
        scene_release(&play->scene);
        break;
    case DO_FAIL:
        play->scene.fails_once = true;
        break;
    case DO_DEAF:
        peer->is_deaf = true;
        break;
    case DO_HEAR:
        peer->is_deaf = false;
        break;
    case DO_END:
        if (peer->fd != -1) {
            (void)shutdown(peer->fd, SHUT_WR);
        }
        break;
    default:
        hang_up(play, who);
        break;
    }
}

/*
 * Whether a line with a label is answered with it whatever becomes of it: it is a whole line of its
 * own, and nothing is under way that it might belong to or wait for.
 */
static bool must_be_answered(const struct play *play, int who, const char *text, size_t len)
{
    const struct peer *peer = &play->peers[who];
    return is_at_rest(play) && is_present(peer) && !peer->is_pending && !peer->is_dirty &&
           !peer->has_batched && !play->is_throttled &&
           peer->witness.caps & IRC_CAP(LABELED_RESPONSE) && len < 450 &&
           !memmem(text + 1, len - 1, "label=", 6) && !memmem(text, len, "QUIT", 4);
}

static void say_irc(struct play *play, int who, unsigned kind, unsigned how)
{
    char text[SCRIPT_LINE_MAX];
    struct peer *peer = &play->peers[who];
    bool has_label = false, must = false;
    size_t len = script_irc_lines(&play->script, kind, play->scene.number, text);
    /* What is in a batch is answered at its end. */
    peer->has_batched |= memmem(text, len, "BATCH", 5) || text[0] < 'A' || text[0] > 'Z';
    if (how & HOW_LABELLED && peer->witness.labels_sent < WITNESS_LABELS) {
        must = must_be_answered(play, who, text, len) && !(how & HOW_PIPELINED);
        has_label = add_label(peer, text, &len);
    }
    say(play, who, how, text, len);
    if (has_label && must) {
        hear_all(play);
        fuzz_check(!is_at_rest(play) || !is_present(peer) ||
                   peer->witness.was_answered[peer->witness.labels_sent - 1]);
    }
}

static void operate(struct play *play, unsigned kind, unsigned how)
{
    int who = (int)(how & HOW_WHO);
    if (kind < DO_COUNT) {
        do_other(play, who, kind);
        return;
    }
    kind -= DO_COUNT;
    if (play->peers[who].fd == -1) {
        connect_peer(play, who, true, script_byte(&play->script));
    }
    if (who == DAVE) {
        char text[SCRIPT_LINE_MAX];
        say(play, who, how, text, script_line_lines(&play->script, kind, text));
    } else {
        say_irc(play, who, kind, how);
    }
}

/* ---- what the clients believe, and what is ---- */

static bool has_line(const char *lines, const char *line)
{
    size_t len = strlen(line);
    for (const char *at = lines; (at = strstr(at, line)) != NULL; at++) {
        if ((at == lines || at[-1] == '\n') && (at[len] == '\n' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* One room: every client that the hub has in it has the same names in it, and no other has it. */
static void compare_room(struct play *play, const char *room)
{
    char channel[WITNESS_NAME + 1];
    struct event *event = scene_ask(&play->scene, COMMAND_WHO, room);
    fuzz_check(event->type == EVENT_REPLY_WHO);
    (void)snprintf(channel, sizeof(channel), "#%s", room);
    for (int who = ANN; who <= CID; who++) {
        const struct witness *witness = &play->peers[who].witness;
        if (!is_present(&play->peers[who])) {
            continue;
        }
        const struct witness_room *view = witness_find(witness, channel);
        if (!has_line(event->text, witness->nick)) {
            fuzz_check(!view);
            continue;
        }
        fuzz_check(view);
        fuzz_check(!view->awaits_names && view->count == event->count);
        for (unsigned i = 0; i < view->count; i++) {
            fuzz_check(has_line(event->text, view->members[i]));
        }
    }
    event_unref(event);
}

static void compare(struct play *play)
{
    struct event *event = scene_ask(&play->scene, COMMAND_ROOMS, "");
    fuzz_check(event->type == EVENT_REPLY_ROOMS);
    unsigned rooms = 0;
    for (const char *at = event->text; *at;) {
        char room[WITNESS_NAME];
        size_t len = strcspn(at, "\t");
        fuzz_check(len < sizeof(room));
        memcpy(room, at, len);
        room[len] = '\0';
        compare_room(play, room);
        rooms++;
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    for (int who = ANN; who <= CID; who++) {
        fuzz_check(!is_present(&play->peers[who]) || play->peers[who].witness.room_count <= rooms);
        witness_rest(&play->peers[who].witness);
    }
    event_unref(event);
}

/* ---- the play ---- */

static void set_up(struct play *play)
{
    uint8_t choice = script_byte(&play->script), here = script_byte(&play->script);
    uint8_t caps = script_byte(&play->script);
    bool is_narrow = choice & 1;
    const struct front_settings settings = {
        .server_name = "server",
        .network = "Testnet",
        .description = "a test",
        .lobby = "lobby",
        .motd = choice & 2 ? "one\ntwo\n" : "",
        .version = "1",
        .started = "today",
        .line_max_bytes = 512,
        .nick_max = is_narrow ? 9 : 32,
        .room_max = is_narrow ? 20 : 50,
        .topic_max = is_narrow ? 40 : 390,
        .kick_max = 260,
        .away_max = is_narrow ? 20 : 390,
        .rooms_per_member = is_narrow ? 2 : 20,
        .monitor_max = is_narrow ? 2 : 100,
        .multiline_bytes = is_narrow ? 100 : 4096,
        .multiline_lines = is_narrow ? 2 : 24,
        .history_enabled = true,
        .chathistory_max = is_narrow ? 5 : 100,
        .persist_tags = choice & 4,
        .persist_tag_list = choice & 8 ? "+draft/react\n" : "",
        .history_default = 5,
        .history_max = 20,
        .asks_password = choice & 16,
        .ping_s = choice & 32 ? 2 : 0,
        .pong_s = 2,
        .registration_s = 5,
        .flood_burst = choice & 64 ? 4 : 0,
        .flood_rate = 10,
        .sniff_wait_ms = 300,
        .stream = {.write_timeout_ms = 5000},
    };
    const struct hub_settings hub = {
        .limits = {.nick_bytes = settings.nick_max,
                   .room_bytes = settings.room_max,
                   .topic_bytes = settings.topic_max,
                   .away_bytes = settings.away_max,
                   .rooms_per_member = settings.rooms_per_member,
                   .monitor = settings.monitor_max,
                   .masks = is_narrow ? 3 : 100,
                   .whowas = is_narrow ? 2 : 100},
    };
    play->is_throttled = settings.flood_burst > 0;
    scene_open(&play->scene, &settings, &hub);
    for (int who = 0; who < PEERS; who++) {
        play->peers[who].fd = -1;
        if (here & (1u << who)) {
            connect_peer(play, who, true, (here & 16) ? 4 : (uint8_t)(caps + who));
        }
    }
    hear_all(play);
}

static void tear_down(struct play *play)
{
    for (int who = 0; who < PEERS; who++) {
        play->peers[who].is_deaf = false;
    }
    scene_release(&play->scene);
    hear_all(play);
    compare(play);
    for (int who = 0; who < PEERS; who++) {
        hang_up(play, who);
    }
    scene_settle(&play->scene);
    scene_close(&play->scene);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play play;
    uint8_t *bytes = fuzz_copy(data, size);
    play = (struct play){.script = {bytes, size}};
    set_up(&play);
    const unsigned kinds = DO_COUNT + script_irc_kinds();
    for (int done = 0; done < OPERATIONS_MAX && play.script.len > 0; done++) {
        unsigned kind = script_byte(&play.script) % kinds, how = script_byte(&play.script);
        operate(&play, kind, how);
        if (how & HOW_PIPELINED) {
            continue;
        }
        hear_all(&play);
        if (is_at_rest(&play) && done % 4 == 0) {
            compare(&play);
        }
    }
    tear_down(&play);
    free(bytes);
    return 0;
}
