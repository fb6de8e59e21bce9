/* SPDX-License-Identifier: MIT */
#include "loop/uring.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "loop/loop_test_util.h"

static void open_enabled(struct io_uring *ret_ring)
{
    const char *why = NULL;
    assert_int_equal(party__uring_open(ret_ring, &why), 0);
    assert_null(why);
    assert_int_equal(party__uring_enable(ret_ring), 0);
}

/* The result of the one request that was prepared. */
static int result_of(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    assert_int_equal(io_uring_submit_and_wait(ring, 1), 1);
    assert_int_equal(io_uring_peek_cqe(ring, &cqe), 0);
    int r = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return r;
}

static void test_ring_polls(void **state)
{
    (void)state;
    struct io_uring ring;
    open_enabled(&ring);
    int fd = make_eventfd(1);
    io_uring_prep_poll_add(io_uring_get_sqe(&ring), fd, POLLIN);
    assert_int_equal(result_of(&ring), POLLIN);
    io_uring_prep_poll_remove(io_uring_get_sqe(&ring), 77);
    assert_int_equal(result_of(&ring), -ENOENT);
    close(fd);
    io_uring_queue_exit(&ring);
}

static void test_ring_does_nothing_but_poll(void **state)
{
    (void)state;
    struct io_uring ring;
    char bytes[8];
    int fd = make_eventfd(1);
    open_enabled(&ring);
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    assert_int_equal(result_of(&ring), -EACCES);
    io_uring_prep_read(io_uring_get_sqe(&ring), fd, bytes, sizeof bytes, 0);
    assert_int_equal(result_of(&ring), -EACCES);
    io_uring_prep_openat(io_uring_get_sqe(&ring), -1, "/etc/passwd", O_RDONLY, 0);
    assert_int_equal(result_of(&ring), -EACCES);
    io_uring_prep_close(io_uring_get_sqe(&ring), fd);
    assert_int_equal(result_of(&ring), -EACCES);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    io_uring_prep_poll_add(sqe, fd, POLLIN);
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
    assert_int_equal(result_of(&ring), -EACCES);
    close(fd);
    io_uring_queue_exit(&ring);
}

static void test_nothing_can_be_registered_with_a_ring_in_use(void **state)
{
    (void)state;
    struct io_uring ring;
    int fd = make_eventfd(0);
    open_enabled(&ring);
    assert_int_equal(io_uring_register_files(&ring, &fd, 1), -EACCES);
    assert_int_equal(io_uring_register_eventfd(&ring, fd), -EACCES);
    close(fd);
    io_uring_queue_exit(&ring);
}

static void test_ring_is_closed_on_exec(void **state)
{
    (void)state;
    struct io_uring ring;
    open_enabled(&ring);
    assert_int_equal(fcntl(ring.ring_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    io_uring_queue_exit(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_polls),
        cmocka_unit_test(test_ring_does_nothing_but_poll),
        cmocka_unit_test(test_nothing_can_be_registered_with_a_ring_in_use),
        cmocka_unit_test(test_ring_is_closed_on_exec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
