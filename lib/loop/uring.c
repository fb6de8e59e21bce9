/* SPDX-License-Identifier: MIT */
/*
 * Readiness by polls on an io_uring.
 *
 * The loop promises level-triggered watches; the ring has polls that complete once. So each watch
 * has one poll in the kernel, and when that completed, a new one is submitted with the next wait,
 * which looks at the descriptor's state first: what still is ready completes at once. All new polls
 * of a turn and the wait itself are one system call, and changing a watch costs none.
 *
 * A slot per descriptor number:
 *
 *     free      no watch
 *     queued    a watch, in the list of slots to look at before the next wait
 *     armed     a watch, and a poll with the slot's tag in the kernel; may be queued as well, when
 *               the watch was changed
 *     lost      a watch whose descriptor turned out to be closed; nothing is asked for it any more
 *
 * A poll is known by its tag, the descriptor's number and the slot's generation. Whoever takes a
 * poll back moves the generation on, so that a completion which was on its way, or sits in the ring
 * already, meets no slot. No completion holds a pointer.
 *
 * A poll holds a reference to the file: a descriptor closed while the kernel has its poll would not
 * end its connection. Therefore stopping a watch takes an armed poll back at once, in a system call
 * of its own. A watch stopped from its own callback has none, for its poll has just completed.
 *
 * Polls are not updated in place, since kernels 6.0 to 6.18 can lose a poll which the update makes
 * complete at once. A poll that asks for more than its watch wants now is left: what nobody wants
 * is dropped when it comes, and the next poll asks for less.
 *
 * The ring reports that the peer has ended its half (POLLRDHUP) whether asked or not, and as that
 * state lasts, polls that complete once would go round and round while nobody wants to read. Then,
 * and for the wake-up of the loop, the poll is a multishot one, which reports changes only. Who was
 * told of such a change gets a new poll with the next wait, and with it a fresh look.
 *
 * From Linux 6.1 on, a ring is used by one thread, the one that waited first. A loop that is taken
 * to another thread gets a new ring.
 */
#include "loop/backend.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/loop_internal.h"
#include "loop/uring.h"

#define FIRST_SLOTS 64

/* How often a turn goes to the kernel for more completions. */
#define VISITS_MAX 16

/* Of requests whose failure means nothing: no descriptor has this number. */
#define TAG_NONE UINT64_MAX

struct slot {
    struct party_watch *watch; /* NULL when free */
    uint32_t generation;
    unsigned armed_for;      /* events of the poll in the kernel; undefined when not armed */
    int next;                /* in the list of queued slots; -1 at its end */
    bool queued : 1;         /* in that list, also when freed meanwhile */
    bool armed : 1;          /* the kernel has a poll with the tag of this slot */
    bool multishot : 1;      /* that poll reports changes until it is taken back */
    bool reported : 1;       /* a multishot poll that should be level-triggered reported events */
    bool peer_has_ended : 1; /* POLLRDHUP was seen */
    bool lost : 1;
};

struct uring_state {
    struct io_uring ring;
    bool enabled;       /* by the thread that waits, at its first wait */
    struct slot *slots; /* by descriptor number */
    int slot_count;
    int first_queued; /* -1: none */
    int last_queued;  /* undefined when none */
};

struct batch {
    struct party__ready *ready;
    size_t count;
    size_t cap;
};

/* ---- slots ---- */

static uint64_t tag_of(const struct uring_state *uring, int fd)
{
    return (uint64_t)uring->slots[fd].generation << 32 | (uint32_t)fd;
}

/* NULL when the tag is no longer anybody's. */
static struct slot *find_tagged(const struct uring_state *uring, uint64_t tag)
{
    uint32_t fd = (uint32_t)tag;
    if (fd >= (uint32_t)uring->slot_count) {
        return NULL;
    }
    struct slot *slot = &uring->slots[fd];
    return slot->armed && slot->generation == tag >> 32 ? slot : NULL;
}

static void queue(struct uring_state *uring, struct slot *slot)
{
    if (slot->queued) {
        return;
    }
    int fd = (int)(slot - uring->slots);
    slot->queued = true;
    slot->next = -1;
    if (uring->first_queued == -1) {
        uring->first_queued = fd;
    } else {
        uring->slots[uring->last_queued].next = fd;
    }
    uring->last_queued = fd;
}

/* Makes room for fd. */
static int reserve(struct uring_state *uring, int fd)
{
    if (fd < uring->slot_count) {
        return 0;
    }
    int count = uring->slot_count == 0 ? FIRST_SLOTS : uring->slot_count;
    while (count <= fd) {
        count = count > INT_MAX / 2 ? INT_MAX : count * 2;
    }
    struct slot *slots = reallocarray(uring->slots, (size_t)count, sizeof *slots);
    if (slots == NULL) {
        return -ENOMEM;
    }
    memset(slots + uring->slot_count, 0, (size_t)(count - uring->slot_count) * sizeof *slots);
    uring->slots = slots;
    uring->slot_count = count;
    return 0;
}

/* ---- requests ---- */

/* NULL when the queue is full and the kernel does not take it. */
static struct io_uring_sqe *next_request(struct uring_state *uring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
    if (sqe == NULL) {
        (void)io_uring_submit(&uring->ring); /* The queue tells whether it was taken. */
        sqe = io_uring_get_sqe(&uring->ring);
    }
    return sqe;
}

/* Asks for the slot's poll back; what it may still report meets no slot. */
static bool take_back(struct uring_state *uring, int fd)
{
    struct slot *slot = &uring->slots[fd];
    struct io_uring_sqe *sqe = next_request(uring);
    if (sqe == NULL) {
        return false;
    }
    /* It fails when the poll has completed meanwhile, which is as good. */
    io_uring_prep_poll_remove(sqe, tag_of(uring, fd));
    io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
    io_uring_sqe_set_data64(sqe, TAG_NONE);
    slot->generation++;
    slot->armed = false;
    return true;
}

static bool has_right_poll(const struct slot *slot)
{
    unsigned events = slot->watch->events;
    return slot->armed && !slot->reported && (events & ~slot->armed_for) == 0 &&
           ((events ^ slot->armed_for) & PARTY_EXCLUSIVE) == 0;
}

/* Sees to it that the kernel has the poll the slot's watch needs. Returns: false without room. */
static bool arm(struct uring_state *uring, int fd)
{
    struct slot *slot = &uring->slots[fd];
    if (slot->watch == NULL || slot->lost || has_right_poll(slot)) {
        return true;
    }
    if (slot->armed && !take_back(uring, fd)) {
        return false;
    }
    struct io_uring_sqe *sqe = next_request(uring);
    if (sqe == NULL) {
        return false;
    }
    unsigned events = slot->watch->events;
    slot->multishot = (events & PARTY__EDGE) != 0 ||
                      (slot->peer_has_ended && (events & (PARTY_READ | PARTY_EXCLUSIVE)) == 0);
    io_uring_prep_poll_add(sqe, fd, party__poll_events(events) & ~(uint32_t)EPOLLET);
    sqe->len = slot->multishot ? IORING_POLL_ADD_MULTI : 0;
    io_uring_sqe_set_data64(sqe, tag_of(uring, fd));
    slot->armed = true;
    slot->armed_for = events;
    slot->reported = false;
    return true;
}

/* What finds no room stays queued for the next wait. */
static void arm_queued(struct uring_state *uring)
{
    while (uring->first_queued != -1) {
        struct slot *slot = &uring->slots[uring->first_queued];
        if (!arm(uring, uring->first_queued)) {
            return;
        }
        uring->first_queued = slot->next;
        slot->queued = false;
    }
}

/* ---- completions ---- */

static void report(struct batch *batch, struct party_watch *watch, unsigned events)
{
    batch->ready[batch->count++] = (struct party__ready){.watch = watch, .events = events};
}

/* A poll that the kernel did not take, or gave up. */
static void take_failure(struct slot *slot, int error, struct batch *batch)
{
    switch (error) {
    case -ECANCELED: /* the thread that submitted it has ended */
    case -ENOMEM:
    case -EAGAIN:
    case -EINTR:
        return;
    case -EBADF: /* closed before the watch ended: epoll forgets it silently, too */
        slot->lost = true;
        return;
    default:
        slot->lost = true;
        report(batch, slot->watch, PARTY_ERROR);
    }
}

static void take_completion(struct uring_state *uring, const struct io_uring_cqe *cqe,
                            struct batch *batch)
{
    struct slot *slot = find_tagged(uring, cqe->user_data);
    if (slot == NULL) {
        return;
    }
    slot->armed = slot->multishot && (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (!slot->armed) {
        queue(uring, slot);
    }
    if (cqe->res < 0) {
        take_failure(slot, cqe->res, batch);
        return;
    }
    uint32_t happened = (uint32_t)cqe->res;
    slot->peer_has_ended = slot->peer_has_ended || (happened & EPOLLRDHUP) != 0;
    unsigned events = party__ready_events(happened) & (slot->watch->events | PARTY_ERROR);
    /* A level is reported once per turn; with the next wait comes a poll that looks again. */
    if (events == 0 || slot->reported) {
        return;
    }
    if (slot->armed && (slot->watch->events & PARTY__EDGE) == 0) {
        slot->reported = true;
        queue(uring, slot);
    }
    report(batch, slot->watch, events);
}

static void harvest(struct uring_state *uring, struct batch *batch)
{
    const struct io_uring_cqe *cqe;
    unsigned head, taken = 0;
    io_uring_for_each_cqe(&uring->ring, head, cqe)
    {
        if (batch->count == batch->cap) {
            break;
        }
        taken++;
        take_completion(uring, cqe, batch);
    }
    io_uring_cq_advance(&uring->ring, taken);
}

/* ---- the ring's life ---- */

/* A new ring, without a poll in it yet. */
static int replace_ring(struct uring_state *uring)
{
    struct io_uring ring;
    const char *why;
    int r = party__uring_open(&ring, &why);
    if (r < 0) {
        return r;
    }
    io_uring_queue_exit(&uring->ring);
    uring->ring = ring;
    uring->enabled = false;
    for (int fd = 0; fd < uring->slot_count; fd++) {
        struct slot *slot = &uring->slots[fd];
        slot->armed = false;
        if (slot->watch != NULL) {
            queue(uring, slot);
        }
    }
    return 0;
}

static int uring_init(void **ret_state, const char **ret_why)
{
    struct uring_state *uring = calloc(1, sizeof *uring);
    if (uring == NULL) {
        return -ENOMEM;
    }
    uring->first_queued = -1;
    int r = reserve(uring, FIRST_SLOTS - 1);
    if (r == 0) {
        r = party__uring_open(&uring->ring, ret_why);
    }
    if (r < 0) {
        free(uring->slots);
        free(uring);
        return r;
    }
    *ret_state = uring;
    return 0;
}

/*
 * The end of a ring takes its polls back too, but some time later, and until then descriptors that
 * the caller closes would stay half open.
 */
static void uring_finish(void *state)
{
    struct uring_state *uring = state;
    if (uring == NULL) {
        return;
    }
    bool any = false;
    for (int fd = 0; fd < uring->slot_count; fd++) {
        any = (uring->slots[fd].armed && take_back(uring, fd)) || any;
    }
    if (any) {
        (void)io_uring_submit_and_get_events(&uring->ring);
    }
    io_uring_queue_exit(&uring->ring);
    free(uring->slots);
    free(uring);
}

/* ---- watches ---- */

/*
 * What has no readiness is for epoll to say: poll(2) and the ring call a regular file ready at all
 * times. Sockets and pipes, which are nearly all there is, need not ask.
 */
static int check_pollable(int fd)
{
    struct stat status;
    if (fstat(fd, &status) == -1) {
        return -errno;
    }
    if (S_ISSOCK(status.st_mode) || S_ISFIFO(status.st_mode)) {
        return 0;
    }
    int judge = epoll_create1(EPOLL_CLOEXEC);
    if (judge == -1) {
        return -errno;
    }
    struct epoll_event event = {.events = 0};
    int r = epoll_ctl(judge, EPOLL_CTL_ADD, fd, &event) == -1 ? -errno : 0;
    (void)close(judge); /* Nothing can be done about a failing close. */
    return r;
}

static int uring_add(void *state, struct party_watch *watch)
{
    struct uring_state *uring = state;
    int r = check_pollable(watch->fd);
    if (r == 0) {
        r = reserve(uring, watch->fd);
    }
    if (r < 0) {
        return r;
    }
    struct slot *slot = &uring->slots[watch->fd];
    if (slot->watch != NULL) {
        return -EEXIST;
    }
    slot->watch = watch;
    slot->lost = false;
    slot->peer_has_ended = false;
    queue(uring, slot);
    return 0;
}

/* Takes the poll of a slot back and sees to it that the kernel lets go of the file. */
static int end_poll(struct uring_state *uring, int fd)
{
    struct slot *slot = &uring->slots[fd];
    if (!slot->armed) {
        return 0;
    }
    if (take_back(uring, fd) && io_uring_submit_and_get_events(&uring->ring) >= 0) {
        return 0;
    }
    /* Another thread's ring, or a full one: the poll goes with the ring, and what it says before
       that meets no slot. */
    slot->armed = false;
    slot->generation++;
    return replace_ring(uring);
}

/* By the next wait the new events stand in the watch. */
static int uring_modify(void *state, struct party_watch *watch, unsigned events)
{
    struct uring_state *uring = state;
    struct slot *slot = &uring->slots[watch->fd];
    if (slot->lost) {
        return -EBADF;
    }
    queue(uring, slot);
    /* Left in the kernel, it would take wake-ups that are for another loop then. */
    bool gives_way = (watch->events & ~events & PARTY_EXCLUSIVE) != 0;
    return gives_way ? end_poll(uring, watch->fd) : 0;
}

static int uring_remove(void *state, struct party_watch *watch)
{
    struct uring_state *uring = state;
    struct slot *slot = &uring->slots[watch->fd];
    slot->watch = NULL;
    if (slot->lost) {
        return -EBADF;
    }
    return end_poll(uring, watch->fd);
}

/* ---- waiting ---- */

/* One system call: submits what is queued and waits for a completion. */
static int enter(struct uring_state *uring, int64_t timeout_ns)
{
    if (timeout_ns == 0 || uring->first_queued != -1) {
        return io_uring_submit_and_get_events(&uring->ring);
    }
    if (timeout_ns < 0) {
        return io_uring_submit_and_wait(&uring->ring, 1);
    }
    struct io_uring_cqe *cqe;
    struct __kernel_timespec timeout = {.tv_sec = timeout_ns / PARTY__NS_PER_S,
                                        .tv_nsec = timeout_ns % PARTY__NS_PER_S};
    return io_uring_submit_and_wait_timeout(&uring->ring, &cqe, 1, &timeout, NULL);
}

/* What a wait that brought nothing to report says, by the result of entering the kernel. */
static int explain_silence(int result, int64_t timeout_ns)
{
    switch (result) {
    case -ETIME:
        return 0;
    case -EBUSY: /* The kernel wants completions taken first, or is short of memory. */
    case -EAGAIN:
    case -EINTR:
        return timeout_ns == 0 ? 0 : -EINTR;
    default:
        if (result < 0) {
            return result;
        }
        /*
         * The end of the time, a signal or a completion that nobody wants: after a submission the
         * kernel does not say which, so the loop looks at the clock.
         */
        return timeout_ns == 0 ? 0 : -EINTR;
    }
}

/* Whether completions wait to be worked off by the thread's next visit to the kernel. */
static bool has_more(const struct uring_state *uring)
{
    return (IO_URING_READ_ONCE(*uring->ring.sq.kflags) & IORING_SQ_TASKRUN) != 0;
}

static int arm_and_wait(struct uring_state *uring, int64_t timeout_ns, struct batch *batch)
{
    if (!uring->enabled) {
        int r = party__uring_enable(&uring->ring);
        if (r < 0) {
            return r;
        }
        uring->enabled = true;
    }
    /* In this order, so that none of a batch is armed, and reported, a second time. */
    arm_queued(uring);
    harvest(uring, batch);
    int r = enter(uring, batch->count > 0 ? 0 : timeout_ns);
    harvest(uring, batch);
    /*
     * From Linux 6.13 on, a wait that has slept works off a single completion, others a score. A
     * turn that has all there is makes fewer and larger sends of it: a full chat room costs about a
     * sixth more without.
     */
    for (int i = 0; i < VISITS_MAX && batch->count > 0 && batch->count < batch->cap; i++) {
        if (!has_more(uring) || io_uring_get_events(&uring->ring) < 0) {
            break;
        }
        harvest(uring, batch);
    }
    return r;
}

static int uring_wait(void *state, int64_t timeout_ns, struct party__ready *ret_ready, size_t cap)
{
    struct uring_state *uring = state;
    struct batch batch = {.ready = ret_ready, .cap = cap};
    int r = arm_and_wait(uring, timeout_ns, &batch);
    if (r == -EEXIST) {
        r = replace_ring(uring);
        if (r == 0 && batch.count == 0) {
            r = arm_and_wait(uring, timeout_ns, &batch);
        }
    }
    return batch.count > 0 ? (int)batch.count : explain_silence(r, timeout_ns);
}

const struct party__backend party__backend_uring = {
    .name = "io_uring",
    .init = uring_init,
    .finish = uring_finish,
    .add = uring_add,
    .modify = uring_modify,
    .remove = uring_remove,
    .wait = uring_wait,
};
