/* SPDX-License-Identifier: MIT */
#include <partyline/connector.h>

#include "fail_malloc.h"
#include "sock/connect_test_util.h"

#include "loop/loop_test_util.h"

/* The network is the real one of the loopback, and the loop's clock stands still until a test moves
   it. Starting a watch and a timer can be had to fail. */

#define MS INT64_C(1000000)

static struct {
    int watch_result; /* 0: the real one */
    int timer_result; /* 0: the real one */
} faults;

int __wrap_party_watch_start(struct party_loop *loop, struct party_watch *watch, int fd,
                             unsigned events, party_watch_fn fn, void *user);
int __real_party_watch_start(struct party_loop *loop, struct party_watch *watch, int fd,
                             unsigned events, party_watch_fn fn, void *user);
int __wrap_party_timer_start(struct party_loop *loop, struct party_timer *timer, int64_t delay_ns,
                             party_timer_fn fn, void *user);
int __real_party_timer_start(struct party_loop *loop, struct party_timer *timer, int64_t delay_ns,
                             party_timer_fn fn, void *user);

int __wrap_party_watch_start(struct party_loop *loop, struct party_watch *watch, int fd,
                             unsigned events, party_watch_fn fn, void *user)
{
    return faults.watch_result != 0 ? faults.watch_result
                                    : __real_party_watch_start(loop, watch, fd, events, fn, user);
}

int __wrap_party_timer_start(struct party_loop *loop, struct party_timer *timer, int64_t delay_ns,
                             party_timer_fn fn, void *user)
{
    return faults.timer_result != 0 ? faults.timer_result
                                    : __real_party_timer_start(loop, timer, delay_ns, fn, user);
}

/* A loop, three places to connect to, and what the callback was told. */
struct scene {
    struct party_loop *loop;
    int64_t clock_ns;
    struct party_sock *server; /* answers */
    struct party_address server_address;
    struct party_sock *holder; /* refuses */
    struct party_address refusing_address;
    struct full_server full; /* never answers */
    size_t fds_before;
    int told_count;
    int result;
    bool cancels_itself;
    struct party_connection_failures failures; /* a copy */
};

static void on_connected(struct party_connector *connector, int result, void *user)
{
    struct scene *scene = user;
    scene->told_count++;
    scene->result = result;
    const struct party_connection_failures *failures = party_connector_failures(connector);
    assert_true((failures->count == 0) == (failures->entries == NULL));
    scene->failures = (struct party_connection_failures){.count = failures->count};
    if (failures->count > 0) {
        scene->failures.entries = calloc(failures->count, sizeof(failures->entries[0]));
        assert_non_null(scene->failures.entries);
        memcpy(scene->failures.entries, failures->entries,
               failures->count * sizeof(failures->entries[0]));
    }
    if (scene->cancels_itself) {
        party_connector_cancel(connector);
    }
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    memset(&faults, 0, sizeof(faults));
    scene->loop = create_loop();
    scene->clock_ns = 1000 * MS;
    use_test_clock(scene->loop, &scene->clock_ns);
    scene->server = test_server("127.0.0.1:0", NULL, &scene->server_address);
    scene->holder = hold_port("127.0.0.1:0", &scene->refusing_address);
    scene->full = fill_server("127.0.0.1:0");
    scene->fds_before = fail_malloc_open_fds();
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(fail_malloc_open_fds(), scene->fds_before);
    party_connection_failures_finish(&scene->failures);
    close_full_server(&scene->full);
    (void)party_sock_close(scene->holder);
    (void)party_sock_close(scene->server);
    party_loop_destroy(scene->loop);
    free(scene);
    return 0;
}

static struct party_connector *start(struct scene *scene,
                                     const struct party_connector_settings *settings)
{
    struct party_connector *connector = NULL;
    assert_result(party_connector_start(scene->loop, settings, on_connected, scene, &connector), 0);
    assert_non_null(connector);
    assert_int_equal(scene->told_count, 0);
    return connector;
}

static void await_result(struct scene *scene)
{
    while (scene->told_count == 0) {
        assert_int_equal(party_loop_run_once(scene->loop, TEST_LONG_MS), 0);
    }
    run_turn(scene->loop);
    assert_int_equal(scene->told_count, 1);
}

static void assert_won_by(struct scene *scene, const struct party_address *address)
{
    struct party_sock *sock;
    struct party_sock *conn;
    struct party_address peer;
    assert_true(scene->result >= 0);
    assert_true(test_is_nonblocking(scene->result));
    assert_true(test_is_cloexec(scene->result));
    assert_result(party_sock_adopt(scene->result, -1, -1, -1, &sock), 0);
    assert_result(party_sock_getpeername(sock, &peer), 0);
    assert_true(party_address_equal(&peer, address));
    assert_result(party_sock_settimeout(sock, TEST_LONG_MS), 0);
    assert_result(party_sock_accept(scene->server, &conn, NULL), 0);
    test_assert_connected(sock, conn);
    (void)party_sock_close(conn);
    (void)party_sock_close(sock);
}

static void assert_failure(const struct scene *scene, size_t index,
                           const struct party_address *address, int error)
{
    assert_true(index < scene->failures.count);
    assert_true(party_address_equal(&scene->failures.entries[index].address, address));
    assert_result(scene->failures.entries[index].error, error);
}

static void test_connects_to_an_address(void **state)
{
    struct scene *scene = *state;
    const struct party_connector_settings settings = {.addresses = &scene->server_address,
                                                      .address_count = 1};
    (void)start(scene, &settings);
    await_result(scene);
    assert_won_by(scene, &scene->server_address);
    assert_int_equal(scene->failures.count, 0);
}

static void test_a_refusal_starts_the_next_at_once(void **state)
{
    struct scene *scene = *state;
    struct party_address addresses[] = {scene->refusing_address, scene->server_address};
    const struct party_connector_settings settings = {.addresses = addresses, .address_count = 2};
    (void)start(scene, &settings);
    await_result(scene);
    assert_won_by(scene, &scene->server_address);
    assert_int_equal(scene->failures.count, 1);
    assert_failure(scene, 0, &scene->refusing_address, -ECONNREFUSED);
}

static void test_silence_starts_the_next_after_the_head_start(void **state)
{
    struct scene *scene = *state;
    struct party_address addresses[] = {scene->full.address, scene->server_address};
    const struct party_connector_settings settings = {.addresses = addresses, .address_count = 2};
    (void)start(scene, &settings);
    size_t fds_with_one = scene->fds_before + 1;
    run_turn(scene->loop);
    scene->clock_ns += 250 * MS - 1;
    run_turn(scene->loop);
    assert_int_equal(fail_malloc_open_fds(), fds_with_one);
    scene->clock_ns += 1;
    run_turn(scene->loop);
    await_result(scene);
    assert_won_by(scene, &scene->server_address);
    assert_int_equal(scene->failures.count, 0);
}

static void test_the_deadline_ends_all_attempts(void **state)
{
    struct scene *scene = *state;
    struct party_address addresses[] = {scene->full.address, scene->full.address,
                                        scene->full.address};
    const struct party_connector_settings settings = {
        .addresses = addresses, .address_count = 3, .timeout_ms = 300, .delay_ms = 200};
    (void)start(scene, &settings);
    scene->clock_ns += 200 * MS;
    run_turn(scene->loop);
    assert_int_equal(fail_malloc_open_fds(), scene->fds_before + 2);
    scene->clock_ns += 100 * MS - 1;
    run_turn(scene->loop);
    assert_int_equal(scene->told_count, 0);
    scene->clock_ns += 1;
    run_turn(scene->loop);
    assert_int_equal(scene->told_count, 1);
    assert_result(scene->result, PARTY_ETIMEOUT);
    assert_int_equal(scene->failures.count, 2);
    assert_failure(scene, 1, &scene->full.address, PARTY_ETIMEOUT);
}

static void start_late_in_the_turn(struct party_timer *timer, void *user)
{
    (void)timer;
    struct scene *scene = user;
    const struct party_connector_settings settings = {
        .addresses = &scene->full.address, .address_count = 1, .timeout_ms = 300};
    scene->clock_ns += 1000 * MS; /* what was done before took long */
    (void)start(scene, &settings);
}

static void test_the_deadline_counts_from_the_call(void **state)
{
    struct scene *scene = *state;
    struct party_timer timer = {0};
    assert_int_equal(party_timer_start(scene->loop, &timer, 0, start_late_in_the_turn, scene), 0);
    run_turn(scene->loop);
    scene->clock_ns += 300 * MS - 1;
    run_turn(scene->loop);
    assert_int_equal(scene->told_count, 0);
    scene->clock_ns += 1;
    run_turn(scene->loop);
    assert_int_equal(scene->told_count, 1);
    assert_result(scene->result, PARTY_ETIMEOUT);
}

static void test_a_timeout_has_a_default_and_can_be_none(void **state)
{
    struct scene *scene = *state;
    struct party_connector_settings settings = {.addresses = &scene->full.address,
                                                .address_count = 1};
    (void)start(scene, &settings);
    scene->clock_ns += PARTY_CONNECTOR_TIMEOUT_DEFAULT_MS * MS;
    run_turn(scene->loop);
    assert_int_equal(scene->told_count, 1);
    assert_result(scene->result, PARTY_ETIMEOUT);

    scene->told_count = 0;
    settings.timeout_ms = -1;
    party_connection_failures_finish(&scene->failures);
    struct party_connector *connector = start(scene, &settings);
    scene->clock_ns += INT64_C(1000) * 3600 * 1000 * MS;
    run_turn(scene->loop);
    assert_int_equal(scene->told_count, 0);
    party_connector_cancel(connector);
    await_result(scene);
}

static void test_failures_at_once_are_told_later(void **state)
{
    struct scene *scene = *state;
    struct party_address addresses[] = {scene->server_address, scene->server_address};
    addresses[0].u.sa.sa_family = 12345;
    addresses[1].u.sa.sa_family = 12345;
    const struct party_connector_settings settings = {.addresses = addresses, .address_count = 2};
    (void)start(scene, &settings);
    await_result(scene);
    assert_result(scene->result, -EAFNOSUPPORT);
    assert_int_equal(scene->failures.count, 2);
}

static void test_connects_to_a_unix_socket_at_once(void **state)
{
    struct scene *scene = *state;
    struct party_address address;
    struct party_sock *server = test_server("unix:auto", NULL, &address);
    const struct party_connector_settings settings = {.addresses = &address, .address_count = 1};
    (void)start(scene, &settings);
    await_result(scene);
    assert_true(scene->result >= 0);
    close(scene->result);
    (void)party_sock_close(server);
}

static void test_comes_from_the_source_address(void **state)
{
    struct scene *scene = *state;
    struct party_address source = test_address("127.0.0.9:0");
    struct party_address local;
    struct party_sock *sock;
    const struct party_connector_settings settings = {
        .addresses = &scene->server_address, .address_count = 1, .source = &source};
    (void)start(scene, &settings);
    await_result(scene);
    assert_true(scene->result >= 0);
    assert_result(party_sock_adopt(scene->result, -1, -1, -1, &sock), 0);
    assert_result(party_sock_getsockname(sock, &local), 0);
    party_address_set_port(&local, 0);
    assert_true(party_address_equal(&local, &source));
    (void)party_sock_close(sock);
}

static void test_cancel_closes_at_once_and_is_told_later(void **state)
{
    struct scene *scene = *state;
    const struct party_connector_settings settings = {.addresses = &scene->full.address,
                                                      .address_count = 1};
    struct party_connector *connector = start(scene, &settings);
    run_turn(scene->loop);
    party_connector_cancel(connector);
    assert_int_equal(fail_malloc_open_fds(), scene->fds_before);
    party_connector_cancel(connector);
    assert_int_equal(scene->told_count, 0);
    await_result(scene);
    assert_result(scene->result, -ECANCELED);
}

static void test_cancel_takes_back_a_connection_not_told_yet(void **state)
{
    struct scene *scene = *state;
    struct party_address address;
    struct party_sock *server = test_server("unix:auto", NULL, &address);
    const struct party_connector_settings settings = {.addresses = &address, .address_count = 1};
    struct party_connector *connector = start(scene, &settings);
    party_connector_cancel(connector);
    party_connector_cancel(connector);
    await_result(scene);
    assert_result(scene->result, -ECANCELED);
    (void)party_sock_close(server);
}

static void test_cancel_in_its_own_callback_does_nothing(void **state)
{
    struct scene *scene = *state;
    const struct party_connector_settings settings = {.addresses = &scene->server_address,
                                                      .address_count = 1};
    scene->cancels_itself = true;
    (void)start(scene, &settings);
    await_result(scene);
    assert_won_by(scene, &scene->server_address);
}

static void test_a_destroyed_loop_tells_what_has_ended(void **state)
{
    struct scene *scene = *state;
    const struct party_connector_settings settings = {.addresses = &scene->full.address,
                                                      .address_count = 1};
    party_connector_cancel(start(scene, &settings));
    party_loop_destroy(scene->loop);
    assert_int_equal(scene->told_count, 1);
    assert_result(scene->result, -ECANCELED);
    scene->loop = create_loop();
}

static void test_what_cannot_be_watched_has_failed(void **state)
{
    struct scene *scene = *state;
    struct party_address addresses[] = {scene->full.address, scene->full.address};
    const struct party_connector_settings settings = {.addresses = addresses, .address_count = 2};
    faults.watch_result = -ENOSPC;
    (void)start(scene, &settings);
    await_result(scene);
    assert_result(scene->result, -ENOSPC);
    assert_int_equal(scene->failures.count, 2);
}

static void test_without_a_timer_there_is_no_race(void **state)
{
    struct scene *scene = *state;
    const struct party_connector_settings settings = {.addresses = &scene->full.address,
                                                      .address_count = 1};
    faults.timer_result = -ENOMEM;
    (void)start(scene, &settings);
    await_result(scene);
    assert_result(scene->result, -ENOMEM);
}

static void test_wrong_settings_are_refused(void **state)
{
    struct scene *scene = *state;
    struct party_lookup *lookup;
    assert_result(party_lookup_create(scene->loop, NULL, &lookup), 0);
    const struct party_connector_settings wrong[] = {
        {.host = "localhost"},
        {.addresses = &scene->server_address},
        {.lookup = lookup, .addresses = &scene->server_address, .address_count = 1},
        {.lookup = lookup, .address_count = 1},
        {.addresses = &scene->server_address, .address_count = 1, .timeout_ms = -2},
        {.addresses = &scene->server_address, .address_count = 1, .delay_ms = 9},
        {.lookup = lookup, .host = "127.0.0.1", .delay_ms = 2001},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_result(party_connector_start(scene->loop, &wrong[i], on_connected, scene, NULL),
                      -EINVAL);
    }
    party_lookup_destroy(lookup);
    run_turn(scene->loop);
    assert_int_equal(scene->told_count, 0);
}

/* What a name is looked up with. The port of the scene's server, as text. */
struct named {
    struct party_lookup *lookup;
    char port[8];
};

static struct named set_up_named(struct scene *scene)
{
    struct named named;
    assert_result(party_lookup_create(scene->loop, NULL, &named.lookup), 0);
    (void)snprintf(named.port, sizeof(named.port), "%u",
                   (unsigned)party_address_port(&scene->server_address));
    return named;
}

static void test_connects_by_name(void **state)
{
    struct scene *scene = *state;
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    struct named named = set_up_named(scene);
    for (size_t i = 0; i < 2; i++) {
        const struct party_connector_settings settings = {
            .lookup = named.lookup, .host = hosts[i], .service = named.port, .family = AF_INET};
        scene->told_count = 0;
        (void)start(scene, &settings);
        await_result(scene);
        assert_won_by(scene, &scene->server_address);
    }
    party_lookup_destroy(named.lookup);
    run_turn(scene->loop);
}

static void test_tells_why_the_look_up_failed(void **state)
{
    struct scene *scene = *state;
    struct named named = set_up_named(scene);
    const struct party_connector_settings settings = {
        .lookup = named.lookup, .host = "127.0.0.1", .service = "65536"};
    int r = party_connector_start(scene->loop, &settings, on_connected, scene, NULL);
    if (r == 0) {
        await_result(scene);
        r = scene->result;
    }
    assert_result(r, PARTY_EGAI_SERVICE);
    party_lookup_destroy(named.lookup);
    run_turn(scene->loop);
}

static void test_cancel_ends_the_look_up(void **state)
{
    struct scene *scene = *state;
    struct named named = set_up_named(scene);
    const struct party_connector_settings settings = {
        .lookup = named.lookup, .host = "127.0.0.1", .service = named.port};
    struct party_connector *connector = start(scene, &settings);
    party_connector_cancel(connector);
    party_connector_cancel(connector);
    assert_int_equal(scene->told_count, 0);
    await_result(scene);
    assert_result(scene->result, -ECANCELED);
    party_lookup_destroy(named.lookup);
    run_turn(scene->loop);
}

static void test_a_destroyed_lookup_ends_the_connector(void **state)
{
    struct scene *scene = *state;
    struct named named = set_up_named(scene);
    const struct party_connector_settings settings = {
        .lookup = named.lookup, .host = "127.0.0.1", .service = named.port};
    (void)start(scene, &settings);
    party_lookup_destroy(named.lookup);
    await_result(scene);
    assert_result(scene->result, -ECANCELED);
}

static void keep_result(struct party_connector *connector, int result, void *user)
{
    (void)connector;
    struct scene *scene = user;
    scene->told_count++;
    scene->result = result;
}

static int connect_and_accept(void *user)
{
    struct scene *scene = user;
    struct party_address addresses[] = {scene->refusing_address, scene->server_address};
    const struct party_connector_settings settings = {.addresses = addresses, .address_count = 2};
    scene->told_count = 0;
    int r = party_connector_start(scene->loop, &settings, keep_result, scene, NULL);
    while (r == 0 && scene->told_count == 0) {
        r = party_loop_run_once(scene->loop, TEST_LONG_MS);
    }
    if (r < 0 || scene->result < 0) {
        return r < 0 ? r : scene->result;
    }
    close(scene->result);
    int fd = accept4(party_sock_fileno(scene->server), NULL, NULL, SOCK_CLOEXEC);
    return fd == -1 ? -errno : close(fd);
}

static void test_survives_no_memory(void **state)
{
    /* The loop keeps what it once had to allocate. */
    assert_result(connect_and_accept(*state), 0);
    assert_survives_malloc_failure(connect_and_accept, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_connects_to_an_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refusal_starts_the_next_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silence_starts_the_next_after_the_head_start, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_deadline_ends_all_attempts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_deadline_counts_from_the_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_timeout_has_a_default_and_can_be_none, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_failures_at_once_are_told_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connects_to_a_unix_socket_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_comes_from_the_source_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancel_closes_at_once_and_is_told_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_cancel_takes_back_a_connection_not_told_yet, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_cancel_in_its_own_callback_does_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_destroyed_loop_tells_what_has_ended, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_watched_has_failed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_timer_there_is_no_race, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_settings_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connects_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tells_why_the_look_up_failed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancel_ends_the_look_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_destroyed_lookup_ends_the_connector, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_survives_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
