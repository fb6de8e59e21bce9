/* SPDX-License-Identifier: MIT */
#include <partyline/request.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/tcp.h>

#include "server/server_test_util.h"

static struct party_server_settings with_files(struct tally *tally,
                                               int (*handle)(struct party_request *, void *))
{
    struct party_server_settings settings = settings_for(tally, handle);
    settings.handler.files = true;
    settings.ops.handle_error = tally_error;
    return settings;
}

/* Each line back in capitals. */
static int shout(struct party_request *request, void *user)
{
    char line[100];
    (void)user;
    while (fgets(line, sizeof(line), request->rfile) != NULL) {
        for (char *c = line; *c != '\0'; c++) {
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        }
        if (fputs(line, request->wfile) == EOF) {
            return -EPIPE;
        }
    }
    return ferror(request->rfile) ? -EIO : 0;
}

/* ---- connections ---- */

static void test_files_read_and_write_the_connection(void **state)
{
    (void)state;
    static const struct {
        int rbufsize;
        int wbufsize;
    } sizes[] = {{0, 0}, {-1, -1}, {1, 0}, {16, 16}, {1, -1}, {4000, 1}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct tally tally;
        struct party_server_settings settings = with_files(&tally, shout);
        settings.handler.rbufsize = sizes[i].rbufsize;
        settings.handler.wbufsize = sizes[i].wbufsize;
        struct party_server *server = open_with(&settings);
        int fd = dial(server);
        say(fd, "one\ntwo\nthree without an end");
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        assert_int_equal(party_server_handle_request(server), 0);
        expect(fd, "ONE\nTWO\nTHREE WITHOUT AN END");
        expect_end(fd);
        assert_int_equal(tally.errors, 0);
        party_server_destroy(server);
    }
}

static void test_wfile_writes_at_once_unless_told_otherwise(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, shout);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    for (int i = 0; i < 3; i++) {
        say(fd, "ping\n");
        expect(fd, "PING\n");
    }
    hang_up(fd);
    stop_serving(&serving);
    party_server_destroy(server);
}

static int close_files_oneself(struct party_request *request, void *user)
{
    (void)user;
    (void)fputs("last words", request->wfile);
    int r = fclose(request->wfile);
    request->wfile = NULL;
    return r == 0 ? 0 : -EIO;
}

static void test_a_handler_may_close_its_files(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, close_files_oneself);
    settings.handler.wbufsize = -1;
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    expect(fd, "last words");
    expect_end(fd);
    assert_int_equal(tally.errors, 0);
    party_server_destroy(server);
}

static int read_until_timeout(struct party_request *request, void *user)
{
    struct tally *tally = user;
    char line[100];
    bool got_part = fgets(line, sizeof(line), request->rfile) != NULL && strcmp(line, "par") == 0;
    int nodelay = 0;
    int r = party_sock_getsockopt(request->sock, IPPROTO_TCP, TCP_NODELAY, &nodelay);
    bool is_set = r == 0 && nodelay == 1 && party_sock_gettimeout(request->sock) == 30;
    atomic_fetch_add(&tally->handled, got_part && is_set ? 1 : 1000);
    return PARTY_ETIMEOUT;
}

static void test_timeout_and_nagle_are_set_on_the_connection(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, read_until_timeout);
    settings.handler.timeout_ms = 30;
    settings.handler.disable_nagle_algorithm = true;
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    say(fd, "par");
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_equal(tally.handled, 1);
    assert_int_equal(tally.error, PARTY_ETIMEOUT);
    expect_end(fd);
    party_server_destroy(server);
}

static void test_an_option_that_the_connection_has_not_is_an_error(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, shout);
    settings.handler.disable_nagle_algorithm = true;
    settings.address = (struct party_address){.len = sizeof(sa_family_t)};
    settings.address.u.sa.sa_family = AF_UNIX; /* the kernel finds a name */
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_equal(tally.error, -EOPNOTSUPP);
    expect_end(fd);
    party_server_destroy(server);
}

static int write_much(struct party_request *request, void *user)
{
    (void)user;
    for (int i = 0; i < 1000; i++) {
        (void)fputs("to nobody\n", request->wfile);
    }
    return 0;
}

static void test_what_the_client_does_not_want_is_no_error(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, write_much);
    settings.handler.wbufsize = 100;
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    struct linger reset = {.l_onoff = 1};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    assert_int_equal(close(fd), 0);
    int r = party_server_handle_request(server);
    assert_true(r == 0 || r == -ECONNABORTED);
    assert_int_equal(tally.errors, 0);
    party_server_destroy(server);
}

/* ---- packets ---- */

static struct party_server *open_for_packets(struct party_server_settings *settings)
{
    settings->kind = PARTY_SERVER_DATAGRAM;
    return open_with(settings);
}

static void test_files_read_the_packet_and_make_the_answer(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, shout);
    struct party_server *server = open_for_packets(&settings);
    int fd = dial_address(party_server_address(server), SOCK_DGRAM);
    say(fd, "one\ntwo\n");
    assert_int_equal(party_server_handle_request(server), 0);
    char got[100];
    assert_int_equal(recv(fd, got, sizeof(got), 0), 8); /* one packet, whatever it was made of */
    assert_memory_equal(got, "ONE\nTWO\n", 8);
    /* An empty packet has an empty answer, as in Python. */
    assert_int_equal(send(fd, "", 0, 0), 0);
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_equal(recv(fd, got, sizeof(got), 0), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(tally.errors, 0);
    party_server_destroy(server);
}

static int answer_and_fail(struct party_request *request, void *user)
{
    (void)user;
    (void)fputs("sorry", request->wfile);
    return -EIO;
}

static void test_a_packet_is_answered_also_when_the_handler_failed(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, answer_and_fail);
    struct party_server *server = open_for_packets(&settings);
    int fd = dial_address(party_server_address(server), SOCK_DGRAM);
    say(fd, "question");
    assert_int_equal(party_server_handle_request(server), 0);
    expect(fd, "sorry");
    assert_int_equal(tally.error, -EIO);
    assert_int_equal(close(fd), 0);
    party_server_destroy(server);
}

static int refuse_to_set_up(struct party_request *request, void *user)
{
    (void)user;
    (void)fputs("not to be sent", request->wfile);
    return -EPERM;
}

static void test_a_packet_is_not_answered_when_setup_failed(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, shout);
    settings.handler.setup = refuse_to_set_up;
    struct party_server *server = open_for_packets(&settings);
    int fd = dial_address(party_server_address(server), SOCK_DGRAM);
    say(fd, "question");
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_equal(tally.error, -EPERM);
    char byte;
    /* The answer would have been here by now: it is sent before handle_request returns. */
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(close(fd), 0);
    party_server_destroy(server);
}

static void test_an_answer_that_cannot_be_sent_is_an_error(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, shout);
    settings.address = (struct party_address){.len = sizeof(sa_family_t)};
    settings.address.u.sa.sa_family = AF_UNIX;
    struct party_server *server = open_for_packets(&settings);
    int fd = dial_address(party_server_address(server), SOCK_DGRAM); /* without a name */
    say(fd, "question");
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_equal(tally.errors, 1);
    assert_true(tally.error < 0);
    assert_int_equal(close(fd), 0);
    party_server_destroy(server);
}

static int fill_the_answer(struct party_request *request, void *user)
{
    static const char block[1000];
    (void)user;
    for (int i = 0; i < 100; i++) {
        (void)fwrite(block, 1, sizeof(block), request->wfile);
    }
    return 0;
}

static void test_an_answer_that_is_too_long_is_an_error(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, fill_the_answer);
    struct party_server *server = open_for_packets(&settings);
    int fd = dial_address(party_server_address(server), SOCK_DGRAM);
    say(fd, "question");
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_equal(tally.error, -EMSGSIZE);
    assert_int_equal(close(fd), 0);
    party_server_destroy(server);
}

/* ---- no memory ---- */

static int live_a_life(void *user)
{
    const struct party_server_settings *settings = user;
    struct tally *tally = settings->user;
    atomic_store(&tally->errors, 0);
    struct party_server *server;
    int r = party_server_create(settings, &server);
    if (r < 0) {
        return r;
    }
    int type = settings->kind == PARTY_SERVER_STREAM ? SOCK_STREAM : SOCK_DGRAM;
    int fd = dial_address(party_server_address(server), type);
    say(fd, "hello\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    r = party_server_handle_request(server);
    party_server_destroy(server);
    assert_int_equal(close(fd), 0);
    return tally->errors > 0 ? tally->error : r;
}

static void test_files_survive_no_memory(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = with_files(&tally, shout);
    settings.handler.rbufsize = 100;
    settings.handler.wbufsize = 100;
    assert_survives_malloc_failure(live_a_life, &settings);
    settings.kind = PARTY_SERVER_DATAGRAM;
    assert_survives_malloc_failure(live_a_life, &settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_read_and_write_the_connection),
        cmocka_unit_test(test_wfile_writes_at_once_unless_told_otherwise),
        cmocka_unit_test(test_a_handler_may_close_its_files),
        cmocka_unit_test(test_timeout_and_nagle_are_set_on_the_connection),
        cmocka_unit_test(test_an_option_that_the_connection_has_not_is_an_error),
        cmocka_unit_test(test_what_the_client_does_not_want_is_no_error),
        cmocka_unit_test(test_files_read_the_packet_and_make_the_answer),
        cmocka_unit_test(test_a_packet_is_answered_also_when_the_handler_failed),
        cmocka_unit_test(test_a_packet_is_not_answered_when_setup_failed),
        cmocka_unit_test(test_an_answer_that_cannot_be_sent_is_an_error),
        cmocka_unit_test(test_an_answer_that_is_too_long_is_an_error),
        cmocka_unit_test(test_files_survive_no_memory),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
