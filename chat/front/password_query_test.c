/* SPDX-License-Identifier: MIT */
#include "front/front_test_util.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/session.h"

/*
 * A front whose every line is a password: what it was told of it is kept for the test.
 */

static struct {
    unsigned asked, refused, told;
    enum password_result result;
    uint32_t wait_s;
    char name[32];
} seen;

static void on_open(struct session *session)
{
    (void)session;
}

static size_t on_data(struct session *session, const uint8_t *data, size_t len)
{
    struct password_query *query = password_query_create(
        PASSWORD_OPERATOR, "root", 4, (const char *)data, strcspn((const char *)data, "\n"));
    if (session_check_password(session, query)) {
        seen.asked++;
    } else {
        seen.refused++;
    }
    return len;
}

static void on_end(struct session *session)
{
    party_stream_close(session->stream);
}

static void on_cut(struct session *session, int reason)
{
    (void)session;
    (void)reason;
}

static void on_password(struct session *session, const struct password_query *query)
{
    assert_null(session->password_query);
    seen.told++;
    seen.result = query->result;
    seen.wait_s = query->wait_s;
    (void)snprintf(seen.name, sizeof(seen.name), "%s", query->name);
}

static void finish(struct session *session)
{
    (void)session;
}

static const struct front password_front = {
    .name = "password",
    .session_size = sizeof(struct session),
    .on_open = on_open,
    .on_data = on_data,
    .on_end = on_end,
    .on_cut = on_cut,
    .on_password = on_password,
    .finish = finish,
};

/* Until the session takes the stream over nothing happens on it. */
static size_t drop_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    (void)stream;
    (void)data;
    (void)user;
    return len;
}

static void drop_close(struct party_stream *stream, int reason, void *user)
{
    (void)stream;
    (void)reason;
    (void)user;
}

static struct session *begin(struct house *house, int *ret_fd)
{
    static const struct party_stream_ops ops = {.on_data = drop_data, .on_close = drop_close};
    static const struct party_stream_limits limits = {.write_timeout_ms = 10000};
    const struct origin unix_origin = {0};
    struct party_stream *stream;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(party_stream_create(house->loop, fds[0], &ops, &limits, NULL, &stream), 0);
    *ret_fd = fds[1];
    house->admitted++;
    memset(&seen, 0, sizeof(seen));
    return session_begin(house->shard, &password_front, stream, &unix_origin, true);
}

static void give(struct house *house, int fd, const char *line)
{
    assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
    house_settle(house);
}

static void test_result_comes_back_to_the_session(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    int fd;
    (void)begin(house, &fd);
    give(house, fd, "wrong\n");
    assert_int_equal(seen.told, 1);
    assert_int_equal(seen.result, PASSWORD_WRONG);
    assert_string_equal(seen.name, "root");
    give(house, fd, "right\n");
    assert_int_equal(seen.result, PASSWORD_RIGHT);
    give(house, fd, "later\n");
    assert_int_equal(seen.result, PASSWORD_LATER);
    assert_int_equal(seen.wait_s, 15);
    assert_int_equal(seen.told, 3);
    assert_int_equal(house->passwords, 3);
    close(fd);
    house_close(house);
}

static void test_one_is_out_at_a_time(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    int fd;
    struct session *session = begin(house, &fd);
    static const uint8_t line[] = "right\n";
    assert_int_equal(on_data(session, line, 6), 6);
    assert_int_equal(on_data(session, line, 6), 6);
    assert_int_equal(seen.asked, 1);
    assert_int_equal(seen.refused, 1);
    house_settle(house);
    assert_int_equal(seen.told, 1);
    close(fd);
    house_close(house);
}

static void test_full_queue_is_told_at_once(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    int fd;
    (void)begin(house, &fd);
    house->refuse_asks = true;
    give(house, fd, "right\n");
    assert_int_equal(seen.refused, 1);
    assert_int_equal(seen.told, 0);
    house->refuse_asks = false;
    give(house, fd, "right\n");
    assert_int_equal(seen.told, 1);
    close(fd);
    house_close(house);
}

static void test_session_that_is_gone_is_told_nothing(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    int fd;
    struct session *session = begin(house, &fd);
    house->hold_answers = true;
    give(house, fd, "right\n");
    struct password_query *query = session->password_query;
    assert_ptr_equal(house->held_password, query);
    assert_false(atomic_load(&query->given_up));
    close(fd);
    house_settle(house);
    assert_int_equal(shard_connections(house->shard), 0);
    assert_true(atomic_load(&query->given_up));
    house_answer_password(house); /* frees the query */
    assert_int_equal(seen.told, 0);
    house_close(house);
}

static void test_cloak_is_the_servers(void **state)
{
    char host[SHARD_CLOAK_MAX];
    (void)state;
    struct house *house = house_open(NULL, NULL);
    int fd;
    struct session *session = begin(house, &fd);
    session_cloak(session, host, sizeof(host));
    assert_string_equal(host, "unix");
    close(fd);
    house_close(house);
}

static void test_texts_are_copied_up_to_a_nul(void **state)
{
    (void)state;
    char name[] = "root", password[] = "se\0cret";
    struct password_query *query =
        password_query_create(PASSWORD_CONNECTION, name, 4, password, sizeof(password) - 1);
    name[0] = 'x';
    assert_string_equal(query->name, "root");
    assert_string_equal(query->password, "se");
    assert_int_equal(query->kind, PASSWORD_CONNECTION);
    assert_int_equal(query->result, PASSWORD_WRONG);
    password_query_destroy(query);
    password_query_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result_comes_back_to_the_session),
        cmocka_unit_test(test_one_is_out_at_a_time),
        cmocka_unit_test(test_full_queue_is_told_at_once),
        cmocka_unit_test(test_session_that_is_gone_is_told_nothing),
        cmocka_unit_test(test_cloak_is_the_servers),
        cmocka_unit_test(test_texts_are_copied_up_to_a_nul),
    };
    return cmocka_run_group_tests_name("password_query", tests, NULL, NULL);
}
