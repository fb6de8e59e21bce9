/* SPDX-License-Identifier: MIT */
/*
 * A run goes JOINING, PROBING, WARMING, MEASURING, DRAINING. When all members went through their
 * greeting, the first one sends probes, messages of a sender that does not exist, until every
 * member saw one: only then is it known, whatever the protocol, that all are in the room. DRAINING
 * sends nothing more and ends when every message reached everybody. A run in which nothing moves
 * for options->patience has failed: what is missing then is lost.
 *
 * A message lives in a slot of its sender's ring from sending until the last member has it; no more
 * than window are alive, so window slots for each sender are enough.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "bench_crowd.h"
#include "bench_mark.h"
#include "bench_tally.h"
#include "command.h"

#define PROBE_SENDER  MARK_SENDERS_MAX
#define PROBE_EVERY_S 0.3
#define TICK_S        1.0

enum room_phase { JOINING, PROBING, WARMING, MEASURING, DRAINING };

struct slot {
    int64_t sent_ns;
    uint32_t missing; /* members that do not have it yet */
};

struct sender {
    struct crowd_member *member;
    struct slot *slots; /* a power of two, at least window */
    uint64_t sent;      /* messages; also the next number */
    char *out;          /* window messages */
    size_t from, to;    /* bytes of out that wait */
    bool blocked;       /* the socket was full */
};

struct room {
    struct crowd crowd;
    struct tally tally;
    struct party_timer phase_timer, probe_timer, tick;
    struct party_task refill;
    struct bench_run run;
    enum room_phase phase;
    bool refill_queued;

    struct sender *senders;
    uint32_t sender_count, turn; /* whose turn it is to send */
    uint64_t slot_mask;
    uint32_t audience; /* members that get each message */
    char *message;     /* as it is sent; the mark is written in before */
    size_t message_len, mark_at;

    bool *probed;
    size_t probed_count;
    uint64_t probes;

    uint64_t outstanding, sent, done; /* messages */
    uint64_t deliveries, strange;     /* strange: a mark of this run that was never sent */
    uint64_t last_progress;
    int64_t progress_ns;

    struct bench_hist hist;
    uint64_t from_deliveries, from_done, from_sent;
    int64_t from_ns;
    double seconds; /* measured */
    uint64_t measured_deliveries, measured_done;
    struct proc_cpu from_cpu, to_cpu;
};

static void start_timer(struct room *room, struct party_timer *timer, double seconds,
                        party_timer_fn fn)
{
    if (party_timer_start(room->crowd.loop, timer, (int64_t)(seconds * 1e9), fn, room) < 0) {
        crowd_fail(&room->crowd, "out of memory");
    }
}

/* ---- sending ---- */

static void push(struct room *room, struct sender *sender)
{
    while (sender->from < sender->to) {
        ssize_t put = send(sender->member->fd, sender->out + sender->from,
                           sender->to - sender->from, MSG_NOSIGNAL);
        if (put == -1 && errno != EAGAIN && errno != EINTR) {
            crowd_fail(&room->crowd, "member %u: cannot send: %s", sender->member->index,
                       party_strerror(-errno));
            return;
        }
        if (put == -1) {
            break;
        }
        sender->from += (size_t)put;
    }
    bool blocked = sender->from < sender->to;
    if (!blocked) {
        sender->from = 0;
        sender->to = 0;
    }
    if (blocked != sender->blocked) {
        sender->blocked = blocked;
        unsigned events = blocked ? PARTY_READ | PARTY_WRITE : PARTY_READ;
        if (party_watch_modify(&sender->member->watch, events) < 0) {
            crowd_fail(&room->crowd, "member %u: cannot be watched", sender->member->index);
        }
    }
}

static bool may_send(const struct room *room)
{
    const struct bench_options *options = room->crowd.options;
    if (room->phase != WARMING && room->phase != MEASURING) {
        return false;
    }
    if (room->phase == MEASURING && options->messages > 0 &&
        room->sent - room->from_sent >= options->messages) {
        return false;
    }
    return room->outstanding < options->window;
}

static void put_message(struct room *room, struct sender *sender, uint32_t index)
{
    struct slot *slot = &sender->slots[sender->sent & room->slot_mask];
    slot->sent_ns = bench_now_ns();
    slot->missing = room->audience;
    bench_mark_write(room->message + room->mark_at, &room->run, index, sender->sent);
    memcpy(sender->out + sender->to, room->message, room->message_len);
    sender->to += room->message_len;
    sender->sent++;
    room->sent++;
    room->outstanding++;
}

/*
 * Fills the window, the senders in turn. Each message is a write of its own, as from people who do
 * not know of each other: several in one segment would lend the server batches it did not make.
 */
static void refill(struct party_task *task, void *user)
{
    struct room *room = user;
    (void)task;
    room->refill_queued = false;
    uint32_t blocked = 0;
    while (may_send(room) && blocked < room->sender_count && !room->crowd.failed) {
        struct sender *sender = &room->senders[room->turn];
        if (sender->blocked) {
            blocked++;
        } else {
            blocked = 0;
            put_message(room, sender, room->turn);
            push(room, sender);
        }
        room->turn = room->turn + 1 == room->sender_count ? 0 : room->turn + 1;
    }
}

static void queue_refill(struct room *room)
{
    if (!room->refill_queued) {
        room->refill_queued = true;
        party_loop_defer(room->crowd.loop, &room->refill);
    }
}

static void on_writable(struct crowd_member *member, void *user)
{
    struct room *room = user;
    push(room, &room->senders[member->index]);
    queue_refill(room);
}

/* ---- phases ---- */

static void finish_measuring(struct room *room)
{
    room->seconds = (double)(bench_now_ns() - room->from_ns) / 1e9;
    room->measured_deliveries = room->deliveries - room->from_deliveries;
    room->measured_done = room->done - room->from_done;
    if (!bench_cpu(room->crowd.options, &room->to_cpu)) {
        crowd_fail(&room->crowd, "the server cannot be measured");
    }
    room->phase = DRAINING;
    if (room->outstanding == 0) {
        crowd_stop(&room->crowd);
    }
}

static void on_measured(struct party_timer *timer, void *user)
{
    (void)timer;
    finish_measuring(user);
}

static void on_warm(struct party_timer *timer, void *user)
{
    struct room *room = user;
    const struct bench_options *options = room->crowd.options;
    (void)timer;
    if (!bench_cpu(options, &room->from_cpu)) {
        crowd_fail(&room->crowd, "the server cannot be measured");
        return;
    }
    room->hist = (struct bench_hist){0};
    room->from_deliveries = room->deliveries;
    room->from_done = room->done;
    room->from_sent = room->sent;
    room->from_ns = bench_now_ns();
    room->phase = MEASURING;
    if (options->messages == 0) {
        start_timer(room, &room->phase_timer, options->seconds, on_measured);
    }
    queue_refill(room);
}

static void start_load(struct room *room)
{
    party_timer_stop(&room->probe_timer);
    room->phase = WARMING;
    start_timer(room, &room->phase_timer, room->crowd.options->warmup, on_warm);
    if (room->crowd.options->warmup > 0) {
        queue_refill(room);
    }
}

static void send_probe(struct party_timer *timer, void *user)
{
    struct room *room = user;
    bench_mark_write(room->message + room->mark_at, &room->run, PROBE_SENDER, room->probes++);
    crowd_say(&room->crowd.members[0], room->message, room->message_len);
    start_timer(room, timer, PROBE_EVERY_S, send_probe);
}

static void on_all_joined(struct crowd *crowd, void *user)
{
    struct room *room = user;
    room->phase = PROBING;
    if (crowd->options->protocol == BENCH_IRC) {
        room->probed[0] = true; /* IRC sends nobody his own words */
        room->probed_count = 1;
    }
    send_probe(&room->probe_timer, room);
}

static uint64_t progress(const struct room *room)
{
    return room->crowd.joined + room->probed_count + room->deliveries;
}

static void on_tick(struct party_timer *timer, void *user)
{
    struct room *room = user;
    int64_t now = bench_now_ns();
    uint64_t moved = progress(room) - room->last_progress;
    if (moved > 0) {
        room->last_progress += moved;
        room->progress_ns = now;
    } else if ((double)(now - room->progress_ns) / 1e9 > room->crowd.options->patience) {
        crowd_fail(&room->crowd,
                   "nothing came for %g s: %zu of %zu joined, %zu are in the room, %llu messages "
                   "have not reached everybody",
                   room->crowd.options->patience, room->crowd.joined, room->crowd.count,
                   room->probed_count, (unsigned long long)room->outstanding);
        return;
    }
    if (isatty(STDERR_FILENO) != 0) {
        static const char *const names[] = {"joining", "entering", "warming up", "measuring",
                                            "draining"};
        (void)fprintf(stderr, "%-10s %8zu members %10llu deliveries/s\n", names[room->phase],
                      room->crowd.joined, room->phase < WARMING ? 0 : (unsigned long long)moved);
    }
    start_timer(room, timer, TICK_S, on_tick);
}

/* ---- receiving ---- */

static void take_probe(struct room *room, uint32_t index)
{
    if (room->probed[index]) {
        return;
    }
    room->probed[index] = true;
    room->probed_count++;
    if (room->probed_count == room->crowd.count && room->phase == PROBING) {
        start_load(room);
    }
}

static void message_done(struct room *room)
{
    room->done++;
    room->outstanding--;
    if (room->phase == MEASURING && room->outstanding == 0 && room->crowd.options->messages > 0 &&
        room->sent - room->from_sent >= room->crowd.options->messages) {
        finish_measuring(room);
    } else if (room->phase == DRAINING && room->outstanding == 0) {
        crowd_stop(&room->crowd);
    } else {
        queue_refill(room);
    }
}

static void take_mark(struct room *room, uint32_t index, const struct bench_mark *mark, int64_t now)
{
    if (mark->sender == PROBE_SENDER) {
        take_probe(room, index);
        return;
    }
    if (mark->sender >= room->sender_count || mark->number >= room->senders[mark->sender].sent) {
        room->strange++;
        return;
    }
    if (tally_take(&room->tally, index, mark->sender, mark->number) == TALLY_REPEAT) {
        return;
    }
    struct slot *slot = &room->senders[mark->sender].slots[mark->number & room->slot_mask];
    bench_hist_record(&room->hist, now - slot->sent_ns);
    room->deliveries++;
    if (--slot->missing == 0) {
        message_done(room);
    }
}

/*
 * Who sends and receives is interactive to the kernel, which then holds its acknowledgements back
 * for 40 ms, and a server without TCP_NODELAY waits for them. With few messages outstanding the
 * figures would be those of that timer. The option does not last, so it is set again after each
 * read.
 */
static void acknowledge(const struct crowd_member *member)
{
    int on = 1;
    /* It fails on unix sockets, which acknowledge nothing. */
    (void)setsockopt(member->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static void on_lines(struct crowd_member *member, const char *from, const char *to, void *user)
{
    struct room *room = user;
    int64_t now = bench_now_ns();
    struct bench_mark mark;
    while (from < to) {
        const char *end = memchr(from, '\n', (size_t)(to - from));
        if (bench_mark_read(from, end, &room->run, &mark)) {
            take_mark(room, member->index, &mark, now);
        } else {
            crowd_line(member, from, (size_t)(end - from));
        }
        from = end + 1;
    }
    if (member->index < room->sender_count) {
        acknowledge(member);
    }
}

/* ---- the run ---- */

static void make_message(struct room *room)
{
    const struct bench_options *options = room->crowd.options;
    bool irc = options->protocol == BENCH_IRC;
    size_t text_len = options->size - 1;
    size_t cap = text_len + (irc ? strlen(options->room) + 16 : 0) + 3;
    room->message = xmalloc(cap);
    int head = irc ? snprintf(room->message, cap, "PRIVMSG %s :", options->room) : 0;
    memset(room->message + head, 'x', text_len);
    room->mark_at = (size_t)head + text_len - MARK_BYTES;
    room->message_len = (size_t)head + text_len;
    if (irc) {
        room->message[room->message_len++] = '\r';
    }
    room->message[room->message_len++] = '\n';
}

static void room_init(struct room *room)
{
    const struct bench_options *options = room->crowd.options;
    uint64_t slots = 1;
    while (slots < options->window) {
        slots *= 2;
    }
    room->run = bench_run_make((uint32_t)(bench_now_ns() >> 8) ^ ((uint32_t)getpid() << 15));
    room->slot_mask = slots - 1;
    room->audience = (uint32_t)options->members - (options->protocol == BENCH_IRC ? 1 : 0);
    make_message(room);
    room->sender_count = (uint32_t)options->senders;
    room->senders = xcalloc(room->sender_count, sizeof *room->senders);
    for (uint32_t i = 0; i < room->sender_count; i++) {
        room->senders[i].member = &room->crowd.members[i];
        room->senders[i].slots = xcalloc(slots, sizeof(struct slot));
        room->senders[i].out = xcalloc(options->window, room->message_len);
    }
    room->probed = xcalloc(options->members, sizeof *room->probed);
    tally_init(&room->tally, (uint32_t)options->members, room->sender_count);
    party_task_init(&room->refill, refill, room);
    room->progress_ns = bench_now_ns();
}

static void room_finish(struct room *room)
{
    for (uint32_t i = 0; i < room->sender_count; i++) {
        free(room->senders[i].slots);
        free(room->senders[i].out);
    }
    free(room->senders);
    free(room->probed);
    free(room->message);
    tally_finish(&room->tally);
}

/* Deliveries that are due and did not come; after a good end none. */
static uint64_t lost(const struct room *room)
{
    return room->sent * room->audience - room->deliveries;
}

static bool is_good(const struct room *room)
{
    return lost(room) == 0 && room->tally.doubled == 0 && room->tally.misordered == 0 &&
           room->strange == 0;
}

static void report_faults(const struct room *room, struct bench_report *report)
{
    report_number(report, "lost", "lost", (double)lost(room), 0);
    report_number(report, "doubled", "doubled", (double)room->tally.doubled, 0);
    report_number(report, "misordered", "out of order", (double)room->tally.misordered, 0);
    report_number(report, "strange", "never sent", (double)room->strange, 0);
}

/* Returns false after a complaint. */
static bool report(const struct room *room, struct bench_report *ret_report)
{
    const struct bench_options *options = room->crowd.options;
    report_text(ret_report, "bench", "bench", "room");
    report_number(ret_report, "members", "members", (double)options->members, 0);
    report_number(ret_report, "senders", "senders", (double)room->sender_count, 0);
    report_number(ret_report, "window", "messages outstanding", (double)options->window, 0);
    report_number(ret_report, "size", "bytes of a message", (double)options->size, 0);
    report_number(ret_report, "seconds", "measured, s", room->seconds, 3);
    report_number(ret_report, "deliveries", "deliveries", (double)room->measured_deliveries, 0);
    report_number(ret_report, "messages", "messages", (double)room->measured_done, 0);
    report_number(ret_report, "deliveries_per_s", "deliveries/s",
                  (double)room->measured_deliveries / room->seconds, 0);
    report_number(ret_report, "messages_per_s", "messages/s",
                  (double)room->measured_done / room->seconds, 0);
    report_latency(ret_report, &room->hist);
    bench_report_cpu(ret_report, options, &room->from_cpu, &room->to_cpu,
                     room->measured_deliveries);
    report_faults(room, ret_report);
    return bench_report_memory(ret_report, options);
}

/* A run that broke off still tells what it saw of lost, doubled and misplaced messages. */
static void explain_failure(const struct room *room)
{
    if (room->sent > 0) {
        bench_complain("%llu deliveries lost, %llu doubled, %llu out of order, %llu never sent",
                       (unsigned long long)lost(room), (unsigned long long)room->tally.doubled,
                       (unsigned long long)room->tally.misordered,
                       (unsigned long long)room->strange);
    }
}

int bench_room(const struct bench_options *options)
{
    static const struct crowd_events events = {
        .on_all_joined = on_all_joined, .on_lines = on_lines, .on_writable = on_writable};
    struct room *room = xcalloc(1, sizeof *room);
    struct bench_report result = {0};
    int code = EXIT_FAILED;
    if (crowd_init(&room->crowd, options, &events, room) == 0) {
        room_init(room);
        start_timer(room, &room->tick, TICK_S, on_tick);
        if (crowd_run(&room->crowd) < 0) {
            explain_failure(room);
        } else if (report(room, &result)) {
            code = bench_publish(&result, options, is_good(room));
        }
        crowd_finish(&room->crowd);
        room_finish(room);
    }
    free(room);
    return code;
}
