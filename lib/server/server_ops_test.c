/* SPDX-License-Identifier: MIT */
#include <partyline/server_ops.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/server_test_util.h"

/* ---- the handler's steps ---- */

static int count_setup(struct party_request *request, void *user)
{
    struct tally *tally = user;
    request->data = tally;
    atomic_fetch_add(&tally->setups, 1);
    return 0;
}

static int refuse_setup(struct party_request *request, void *user)
{
    (void)count_setup(request, user);
    return -EPERM;
}

static int fail_to_handle(struct party_request *request, void *user)
{
    struct tally *tally = user;
    atomic_fetch_add(&tally->handled, request->data == tally ? 1 : 1000);
    return -EIO;
}

static int fail_to_finish(struct party_request *request, void *user)
{
    struct tally *tally = user;
    atomic_fetch_add(&tally->finished, request->data == tally ? 1 : 1000);
    return -EDOM;
}

static void serve_one_that_is_cut_off(struct party_server *server)
{
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    expect_end(fd);
}

static void test_finish_comes_after_a_handler_that_failed(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, fail_to_handle);
    settings.handler.setup = count_setup;
    settings.handler.finish = fail_to_finish;
    settings.ops.handle_error = tally_error;
    struct party_server *server = open_with(&settings);
    serve_one_that_is_cut_off(server);
    assert_int_equal(tally.setups, 1);
    assert_int_equal(tally.handled, 1);
    assert_int_equal(tally.finished, 1);
    assert_int_equal(tally.errors, 1);
    assert_int_equal(tally.error, -EIO);
    party_server_destroy(server);
}

static void test_after_a_failed_setup_neither_handle_nor_finish_comes(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, fail_to_handle);
    settings.handler.setup = refuse_setup;
    settings.handler.finish = fail_to_finish;
    settings.ops.handle_error = tally_error;
    struct party_server *server = open_with(&settings);
    serve_one_that_is_cut_off(server);
    assert_int_equal(tally.setups, 1);
    assert_int_equal(tally.handled, 0);
    assert_int_equal(tally.finished, 0);
    assert_int_equal(tally.error, -EPERM);
    party_server_destroy(server);
}

static void test_a_failure_of_finish_is_told_when_handle_had_none(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, NULL);
    settings.handler.setup = count_setup;
    settings.handler.finish = fail_to_finish;
    settings.ops.handle_error = tally_error;
    struct party_server *server = open_with(&settings);
    serve_one_that_is_cut_off(server);
    assert_int_equal(tally.error, -EDOM);
    party_server_destroy(server);
}

static void test_the_default_of_handle_error_names_client_and_cause(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, fail_to_handle);
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    struct sockaddr_in own;
    socklen_t len = sizeof(own);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
    assert_int_equal(party_server_handle_request(server), 0);
    expect_end(fd);
    char wanted[128];
    (void)snprintf(wanted, sizeof(wanted),
                   "a request failed, from 127.0.0.1:%u: Input/output error", ntohs(own.sin_port));
    assert_string_equal(tally.last_log, wanted);
    party_server_destroy(server);
}

/* ---- the server's steps ---- */

static bool refuse(struct party_server *server, struct party_request *request, void *user)
{
    struct tally *tally = user;
    (void)server;
    atomic_fetch_add(&tally->verified, 1);
    return party_address_family(&request->client_address) != AF_INET;
}

static void test_a_request_that_is_not_verified_is_closed(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, fail_to_handle);
    settings.ops.verify_request = refuse;
    struct party_server *server = open_with(&settings);
    serve_one_that_is_cut_off(server);
    assert_int_equal(tally.verified, 1);
    assert_int_equal(tally.handled, 0);
    assert_int_equal(tally.logged, 0);
    party_server_destroy(server);
}

static void count_action(struct party_server *server, void *user)
{
    struct tally *tally = user;
    (void)server;
    if (atomic_fetch_add(&tally->actions, 1) + 1 == 6) { /* turns, and no request in any */
        party_server_stop(server);
    }
}

static void test_service_actions_come_each_turn_and_each_interval(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    settings.ops.service_actions = count_action;
    settings.service_interval_ms = 1;
    struct party_server *server = open_with(&settings);
    assert_int_equal(party_server_serve_forever(server), 0);
    /* One more where the wait in which the stop would be seen is interrupted. */
    assert_in_range(tally.actions, 6, 7);
    party_server_destroy(server);
}

/* Each replaced step counts, and calls the default. */
static atomic_uint steps;

static int own_bind(struct party_server *server, void *user)
{
    (void)user;
    atomic_fetch_add(&steps, 1);
    int r = party_sock_setsockopt(party_server_sock(server), SOL_SOCKET, SO_KEEPALIVE, 1);
    return r < 0 ? r : party_server_default_server_bind(server);
}

static int own_activate(struct party_server *server, void *user)
{
    (void)user;
    atomic_fetch_add(&steps, 1);
    return party_server_default_server_activate(server);
}

static int own_get(struct party_server *server, struct party_request **ret_request, void *user)
{
    (void)user;
    atomic_fetch_add(&steps, 1);
    return party_server_default_get_request(server, ret_request);
}

static int own_process(struct party_server *server, struct party_request *request, void *user)
{
    (void)user;
    atomic_fetch_add(&steps, 1);
    return party_server_default_process_request(server, request);
}

static int own_finish(struct party_server *server, struct party_request *request, void *user)
{
    (void)user;
    atomic_fetch_add(&steps, 1);
    return party_server_default_finish_request(server, request);
}

static void own_shutdown(struct party_server *server, struct party_request *request, void *user)
{
    (void)user;
    atomic_fetch_add(&steps, 1);
    party_server_default_shutdown_request(server, request);
}

static void own_close(struct party_server *server, struct party_request *request, void *user)
{
    (void)user;
    atomic_fetch_add(&steps, 1);
    party_server_default_close_request(server, request);
}

static void test_every_step_can_be_replaced_and_call_its_default(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    settings.ops = (struct party_server_ops){
        .server_bind = own_bind,
        .server_activate = own_activate,
        .get_request = own_get,
        .process_request = own_process,
        .finish_request = own_finish,
        .shutdown_request = own_shutdown,
        .close_request = own_close,
    };
    atomic_store(&steps, 0);
    struct party_server *server = open_with(&settings);
    assert_int_equal(steps, 2);
    struct serving serving;
    start_serving(&serving, server);
    echo_once(server, "hello");
    stop_serving(&serving);
    assert_int_equal(steps, 7);
    party_server_destroy(server);
}

/* A process_request that hands its request to a thread of the program's. */
static void *process_elsewhere(void *user)
{
    struct party_request *request = user;
    party_server_process_request_thread(request->server, request);
    return NULL;
}

static pthread_t own_thread;

static int process_in_own_thread(struct party_server *server, struct party_request *request,
                                 void *user)
{
    (void)server;
    (void)user;
    return -pthread_create(&own_thread, NULL, process_elsewhere, request);
}

static void test_process_request_may_use_a_thread_of_its_own(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    settings.ops.process_request = process_in_own_thread;
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    say(fd, "elsewhere");
    expect(fd, "elsewhere");
    /* The request outlives the server's owner, and so does what it needs of the server. */
    party_server_destroy(server);
    hang_up(fd);
    assert_int_equal(pthread_join(own_thread, NULL), 0);
}

static int refuse_to_process(struct party_server *server, struct party_request *request, void *user)
{
    (void)server;
    (void)request;
    (void)user;
    return -ENOLCK;
}

static void test_a_failure_of_process_request_ends_the_request(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    settings.ops.process_request = refuse_to_process;
    settings.ops.handle_error = tally_error;
    struct party_server *server = open_with(&settings);
    serve_one_that_is_cut_off(server);
    assert_int_equal(tally.error, -ENOLCK);
    party_server_destroy(server);
}

static int stolen_fd = -1;

static int steal(struct party_request *request, void *user)
{
    (void)user;
    struct party_sock *sock = party_request_steal_sock(request);
    stolen_fd = party_sock_detach(sock);
    return party_request_steal_sock(request) == NULL && request->sock == NULL ? 0 : -EINVAL;
}

static void test_a_stolen_connection_outlives_its_request(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, steal);
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    party_server_destroy(server);
    assert_int_equal(tally.logged, 0);
    say(stolen_fd, "still here");
    expect(fd, "still here");
    assert_int_equal(close(stolen_fd), 0);
    expect_end(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finish_comes_after_a_handler_that_failed),
        cmocka_unit_test(test_after_a_failed_setup_neither_handle_nor_finish_comes),
        cmocka_unit_test(test_a_failure_of_finish_is_told_when_handle_had_none),
        cmocka_unit_test(test_the_default_of_handle_error_names_client_and_cause),
        cmocka_unit_test(test_a_request_that_is_not_verified_is_closed),
        cmocka_unit_test(test_service_actions_come_each_turn_and_each_interval),
        cmocka_unit_test(test_every_step_can_be_replaced_and_call_its_default),
        cmocka_unit_test(test_process_request_may_use_a_thread_of_its_own),
        cmocka_unit_test(test_a_failure_of_process_request_ends_the_request),
        cmocka_unit_test(test_a_stolen_connection_outlives_its_request),
    };
    return cmocka_run_group_tests_name("server_ops", tests, NULL, NULL);
}
