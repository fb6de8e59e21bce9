/* SPDX-License-Identifier: MIT */
#include <partyline/proxy.h>

#include <errno.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

/* Exchanges written down as what each side says; each is fed whole, byte by byte, and cut in two at
   every place. */

struct line {
    const char *output; /* what the client must say next */
    size_t output_len;
    const char *input; /* what the proxy says to that */
    size_t input_len;
};

#define SAYS(text) text, sizeof(text) - 1

static const struct party_proxy_settings socks5 = {
    .protocol = PARTY_PROXY_SOCKS5, .host = "example.org", .port = 443};
static const struct party_proxy_settings socks4 = {
    .protocol = PARTY_PROXY_SOCKS4, .host = "example.org", .port = 443};
static const struct party_proxy_settings http = {
    .protocol = PARTY_PROXY_HTTP, .host = "example.org", .port = 443};

static struct party_proxy_client *make(const struct party_proxy_settings *settings)
{
    struct party_proxy_client *client = NULL;
    assert_result(party_proxy_client_create(settings, &client), 0);
    return client;
}

static void take_output(struct party_proxy_client *client, const char *wanted, size_t wanted_len,
                        size_t piece)
{
    while (wanted_len > 0) {
        size_t len;
        const uint8_t *output = party_proxy_client_output(client, &len);
        assert_int_equal(len, wanted_len);
        assert_memory_equal(output, wanted, len);
        /* Nothing is taken out of turn. */
        assert_int_equal(party_proxy_client_input(client, "x", 1), 0);
        size_t sent = piece < len ? piece : len;
        party_proxy_client_sent(client, sent);
        wanted += sent;
        wanted_len -= sent;
    }
    size_t len;
    (void)party_proxy_client_output(client, &len);
    assert_int_equal(len, 0);
}

/* Feeds a line's input with what comes behind it, in pieces: first bytes, then piece bytes each.
   Returns: the error; else how many bytes were taken. */
static ssize_t feed(struct party_proxy_client *client, const char *input, size_t len, size_t first,
                    size_t piece)
{
    size_t taken = 0;
    size_t next = first;
    while (taken < len) {
        size_t given = next < len - taken ? next : len - taken;
        ssize_t n = party_proxy_client_input(client, input + taken, given);
        if (n < 0) {
            /* It stays broken. */
            assert_int_equal(party_proxy_client_input(client, "x", 1), n);
            return n;
        }
        taken += (size_t)n;
        if ((size_t)n < given) {
            break;
        }
        next = piece;
    }
    return (ssize_t)taken;
}

/* One exchange in one way to cut it. Returns: the error, or 0 when the tunnel is there. */
static int talk(const struct party_proxy_settings *settings, const struct line *lines, size_t count,
                size_t first, size_t piece, struct party_proxy_answer *ret_answer)
{
    struct party_proxy_client *client = make(settings);
    ssize_t r = 0;
    for (size_t i = 0; i < count && r >= 0; i++) {
        assert_false(party_proxy_client_is_done(client));
        take_output(client, lines[i].output, lines[i].output_len, piece);
        bool is_last = i + 1 == count;
        char input[1024];
        memcpy(input, lines[i].input, lines[i].input_len);
        memcpy(input + lines[i].input_len, "host", 4);
        /* Behind the last answer comes what the host says, which must be left alone. */
        r = feed(client, input, lines[i].input_len + (is_last ? 4 : 0), first, piece);
        if (r >= 0) {
            assert_int_equal(r, lines[i].input_len);
        }
    }
    if (ret_answer != NULL) {
        *ret_answer = *party_proxy_client_answer(client);
    }
    assert_int_equal(party_proxy_client_is_done(client), r >= 0);
    party_proxy_client_destroy(client);
    return r < 0 ? (int)r : 0;
}

static int talk_in_all_ways(const struct party_proxy_settings *settings, const struct line *lines,
                            size_t count, struct party_proxy_answer *ret_answer)
{
    int whole = talk(settings, lines, count, SIZE_MAX, SIZE_MAX, ret_answer);
    assert_result(talk(settings, lines, count, 1, 1, ret_answer), whole);
    for (size_t first = 1; first < 80; first++) {
        assert_result(talk(settings, lines, count, first, SIZE_MAX, ret_answer), whole);
    }
    return whole;
}

#define TALK(settings, lines, ret_answer)                                                          \
    talk_in_all_ways(settings, lines, sizeof(lines) / sizeof((lines)[0]), ret_answer)

#define GREETING SAYS("\5\1\0")
#define REQUEST  SAYS("\5\1\0\3\013example.org\1\xbb")

static void test_socks5_asks_for_a_name(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {GREETING, SAYS("\5\0")},
        {REQUEST, SAYS("\5\0\0\1\xc0\0\2\1\x04\xd2")},
    };
    struct party_proxy_answer answer;
    char text[PARTY_ADDRESS_TEXT_MAX];
    assert_result(TALK(&socks5, lines, &answer), 0);
    assert_int_equal(answer.status, 0);
    assert_string_equal(party_address_format(&answer.bound, text, sizeof(text)), "192.0.2.1:1234");
}

static void test_socks5_sends_numbers_as_numbers(void **state)
{
    (void)state;
    static const struct line v4_lines[] = {
        {GREETING, SAYS("\5\0")},
        {SAYS("\5\1\0\1\x7f\0\0\1\0\x50"), SAYS("\5\0\0\3\3a.b\0\1")},
    };
    static const struct line v6_lines[] = {
        {GREETING, SAYS("\5\0")},
        {SAYS("\5\1\0\4\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x50"),
         SAYS("\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\7")},
    };
    struct party_proxy_settings settings = {
        .protocol = PARTY_PROXY_SOCKS5, .host = "127.0.0.1", .port = 80};
    struct party_proxy_answer answer;
    char text[PARTY_ADDRESS_TEXT_MAX];
    assert_result(TALK(&settings, v4_lines, &answer), 0);
    /* A name says nothing that could be an address. */
    assert_int_equal(answer.bound.len, 0);
    settings.host = "2001:db8::1";
    assert_result(TALK(&settings, v6_lines, &answer), 0);
    assert_string_equal(party_address_format(&answer.bound, text, sizeof(text)), "[::1]:7");
}

static void test_socks5_gives_user_and_password_when_asked(void **state)
{
    (void)state;
    static const struct line asked[] = {
        {SAYS("\5\2\0\2"), SAYS("\5\2")},
        {SAYS("\1\5alice\3a:\xff"), SAYS("\1\0")},
        {REQUEST, SAYS("\5\0\0\3\0\0\0")},
    };
    static const struct line not_asked[] = {
        {SAYS("\5\2\0\2"), SAYS("\5\0")},
        {REQUEST, SAYS("\5\0\0\1\0\0\0\0\0\0")},
    };
    static const struct line refused[] = {
        {SAYS("\5\2\0\2"), SAYS("\5\2")},
        {SAYS("\1\5alice\3a:\xff"), SAYS("\1\1")},
    };
    static const struct line confused[] = {
        {SAYS("\5\2\0\2"), SAYS("\5\2")},
        {SAYS("\1\5alice\3a:\xff"), SAYS("\5\0")},
    };
    struct party_proxy_settings settings = socks5;
    settings.user = "alice";
    settings.password = "a:\xff";
    assert_result(TALK(&settings, asked, NULL), 0);
    assert_result(TALK(&settings, not_asked, NULL), 0);
    assert_result(TALK(&settings, refused, NULL), PARTY_EPROXY_AUTH);
    assert_result(TALK(&settings, confused, NULL), PARTY_EPROXY_PROTOCOL);
}

static void test_socks5_methods_that_were_not_offered_are_refused(void **state)
{
    (void)state;
    static const struct line none[] = {{GREETING, SAYS("\5\xff")}};
    static const struct line password[] = {{GREETING, SAYS("\5\2")}};
    static const struct line gssapi[] = {{GREETING, SAYS("\5\1")}};
    static const struct line version4[] = {{GREETING, SAYS("\4\0")}};
    assert_result(TALK(&socks5, none, NULL), PARTY_EPROXY_METHODS);
    assert_result(TALK(&socks5, password, NULL), PARTY_EPROXY_PROTOCOL);
    assert_result(TALK(&socks5, gssapi, NULL), PARTY_EPROXY_PROTOCOL);
    assert_result(TALK(&socks5, version4, NULL), PARTY_EPROXY_PROTOCOL);
}

static void test_socks5_each_refusal_has_its_error(void **state)
{
    (void)state;
    static const int errors[] = {
        PARTY_EPROXY_FAILURE,     PARTY_EPROXY_NOTALLOWED,  PARTY_EPROXY_NETUNREACH,
        PARTY_EPROXY_HOSTUNREACH, PARTY_EPROXY_CONNREFUSED, PARTY_EPROXY_TTL,
        PARTY_EPROXY_COMMAND,     PARTY_EPROXY_ADDRTYPE,    PARTY_EPROXY_UNASSIGNED,
    };
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        char reply[] = "\5\1\0\1\0\0\0\0\0\0";
        reply[1] = (char)(i + 1);
        const struct line lines[] = {{GREETING, SAYS("\5\0")}, {REQUEST, SAYS(reply)}};
        struct party_proxy_answer answer;
        assert_result(TALK(&socks5, lines, &answer), errors[i]);
        assert_int_equal(answer.status, i + 1);
    }
    static const struct line highest[] = {{GREETING, SAYS("\5\0")}, {REQUEST, SAYS("\5\xff")}};
    static const struct line version[] = {{GREETING, SAYS("\5\0")}, {REQUEST, SAYS("\4\0")}};
    static const struct line type[] = {{GREETING, SAYS("\5\0")}, {REQUEST, SAYS("\5\0\0\2\0")}};
    assert_result(TALK(&socks5, highest, NULL), PARTY_EPROXY_UNASSIGNED);
    assert_result(TALK(&socks5, version, NULL), PARTY_EPROXY_PROTOCOL);
    assert_result(TALK(&socks5, type, NULL), PARTY_EPROXY_PROTOCOL);
}

#define CONNECT SAYS("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")

static int talk_http(const char *answer_text, struct party_proxy_answer *ret_answer)
{
    const struct line lines[] = {{CONNECT, answer_text, strlen(answer_text)}};
    return TALK(&http, lines, ret_answer);
}

static void test_socks4_asks_for_a_number(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {SAYS("\4\1\0\x50\xc0\0\2\1alice\0"), SAYS("\0\x5a\x01\xbb\xc0\0\2\2")}};
    static const struct line nobody_lines[] = {
        {SAYS("\4\1\0\x50\0\0\1\0\0"), SAYS("\0\x5a\0\0\0\0\0\0")}};
    struct party_proxy_settings settings = {
        .protocol = PARTY_PROXY_SOCKS4, .host = "192.0.2.1", .port = 80, .user = "alice"};
    struct party_proxy_answer answer;
    assert_result(TALK(&settings, lines, &answer), 0);
    assert_int_equal(answer.status, 90);
    assert_int_equal(answer.bound.len, 0);
    settings.host = "0.0.1.0"; /* the first that does not stand for a name */
    settings.user = NULL;
    assert_result(TALK(&settings, nobody_lines, &answer), 0);
}

static void test_socks4_asks_for_a_name_as_4a_does(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {SAYS("\4\1\1\xbb\0\0\0\1\0example.org\0"), SAYS("\0\x5a\0\0\0\0\0\0")}};
    static const struct line user_lines[] = {{SAYS("\4\1\1\xbb\0\0\0\1"
                                                   "alice\0example.org\0"),
                                              SAYS("\0\x5a\0\0\0\0\0\0")}};
    struct party_proxy_settings settings = socks4;
    assert_result(TALK(&settings, lines, NULL), 0);
    settings.user = "alice";
    assert_result(TALK(&settings, user_lines, NULL), 0);
}

static void test_socks4_each_refusal_has_its_error(void **state)
{
    (void)state;
    static const struct {
        char answer[2];
        int error;
        int status;
    } cases[] = {
        {{0, 91}, PARTY_EPROXY_FAILURE, 91},    {{0, 92}, PARTY_EPROXY_AUTH, 92},
        {{0, 93}, PARTY_EPROXY_AUTH, 93},       {{0, 89}, PARTY_EPROXY_UNASSIGNED, 89},
        {{0, 94}, PARTY_EPROXY_UNASSIGNED, 94}, {{0, 0}, PARTY_EPROXY_UNASSIGNED, 0},
        {{4, 90}, PARTY_EPROXY_PROTOCOL, -1},   {{5, 0}, PARTY_EPROXY_PROTOCOL, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct line lines[] = {
            {SAYS("\4\1\1\xbb\0\0\0\1\0example.org\0"), cases[i].answer, 2}};
        struct party_proxy_answer answer;
        assert_result(TALK(&socks4, lines, &answer), cases[i].error);
        assert_int_equal(answer.status, cases[i].status);
    }
}

static void test_http_makes_a_tunnel(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200\r\n\r\n",
        "HTTP/1.1 204 \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nVia: 1.1 x\r\nEmpty:\r\n\r\n",
        "HTTP/1.1 200 \xc3\xa9\t\r\nA: \xff\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct party_proxy_answer answer;
        assert_result(talk_http(answers[i], &answer), 0);
        assert_in_range(answer.status, 200, 204);
    }
}

static void test_http_writes_numbers_and_credentials(void **state)
{
    (void)state;
    static const struct line v6[] = {{SAYS("CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
                                      SAYS("HTTP/1.1 200 \r\n\r\n")}};
    struct party_proxy_settings settings = {
        .protocol = PARTY_PROXY_HTTP, .host = "::1", .port = 80};
    assert_result(TALK(&settings, v6, NULL), 0);

    /* RFC 7617 section 2 has the first of these as its example. */
    static const struct {
        const char *user;
        const char *password;
        const char *base64;
    } cases[] = {
        {"Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        {"test", "123\xc2\xa3", "dGVzdDoxMjPCow=="},
        {"a", NULL, "YTo="},
        {"a", ":", "YTo6"},
        {"ab", ":", "YWI6Og=="},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[256];
        int len = snprintf(request, sizeof(request),
                           "CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n"
                           "Proxy-Authorization: Basic %s\r\n\r\n",
                           cases[i].base64);
        const struct line lines[] = {{request, (size_t)len, SAYS("HTTP/1.1 200 \r\n\r\n")}};
        settings.user = cases[i].user;
        settings.password = cases[i].password;
        assert_result(TALK(&settings, lines, NULL), 0);
    }
}

static void test_http_refusals_are_told_apart(void **state)
{
    (void)state;
    struct party_proxy_answer answer;
    assert_result(
        talk_http("HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\n\r\n", &answer),
        PARTY_EPROXY_AUTH);
    assert_int_equal(answer.status, 407);
    assert_result(talk_http("HTTP/1.1 503 Down\r\nContent-Length: 4\r\n\r\n", &answer),
                  PARTY_EPROXY_STATUS);
    assert_int_equal(answer.status, 503);
    assert_result(talk_http("HTTP/1.1 302 Moved\r\n\r\n", &answer), PARTY_EPROXY_STATUS);
    assert_int_equal(answer.status, 302);
}

static void test_http_that_is_not_exact_is_refused(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\r\n\n",
        "HTTP/1.1 200 OK\r\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: \1\r\n\r\n",
        "HTTP/1.1 200 \x7f\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        "HTTP/1.1 101 Other\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/1.1 600 High\r\n\r\n",
        "HTTP/1.1 100 C\r\n\r\nX",
        "SSH-2.0-OpenSSH\r\n",
        "\5\0",
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        int r = talk_http(answers[i], NULL);
        if (r != PARTY_EPROXY_PROTOCOL) {
            print_error("answer %zu: %d\n", i, r);
            fail();
        }
    }
    static const struct line nul[] = {{CONNECT, SAYS("HTTP/1.1 200 O\0K\r\n\r\n")}};
    assert_result(TALK(&http, nul, NULL), PARTY_EPROXY_PROTOCOL);
}

static void test_http_head_has_a_limit(void **state)
{
    (void)state;
    for (int extra = 0; extra <= 1; extra++) {
        struct party_proxy_client *client = make(&http);
        take_output(client, CONNECT, SIZE_MAX);
        char head[PARTY_PROXY_HEAD_MAX_BYTES + 1];
        size_t len = PARTY_PROXY_HEAD_MAX_BYTES + (size_t)extra;
        memset(head, 'a', sizeof(head));
        memcpy(head, "HTTP/1.1 200 OK\r\nA: ", 20);
        memcpy(head + len - 4, "\r\n\r\n", 4);
        ssize_t n = party_proxy_client_input(client, head, len);
        assert_int_equal(n, extra == 0 ? (ssize_t)len : PARTY_EPROXY_TOOLONG);
        assert_int_equal(party_proxy_client_is_done(client), extra == 0);
        party_proxy_client_destroy(client);
    }
}

static void test_settings_that_cannot_be_said_are_refused(void **state)
{
    (void)state;
    static char long_text[PARTY_PROXY_TEXT_MAX_BYTES + 2];
    memset(long_text, 'a', sizeof(long_text) - 1);
    const struct {
        struct party_proxy_settings settings;
        int result;
    } cases[] = {
        {{.host = "a", .port = 0}, -EINVAL},
        {{.host = NULL, .port = 1}, -EINVAL},
        {{.host = "", .port = 1}, PARTY_EADDRESS},
        {{.host = "a b", .port = 1}, PARTY_EADDRESS},
        {{.host = "a\r\nb", .port = 1}, PARTY_EADDRESS},
        {{.host = "a:1", .port = 1}, PARTY_EADDRESS},
        {{.host = "[::1]", .port = 1}, PARTY_EADDRESS},
        {{.host = "fe80::1%lo", .port = 1}, PARTY_EADDRESS},
        {{.host = "b\xc3\xbc"
                  "cher.example",
          .port = 1},
         PARTY_EADDRESS},
        {{.host = long_text, .port = 1}, -EINVAL},
        {{.host = "a", .port = 1, .user = ""}, -EINVAL},
        {{.host = "a", .port = 1, .user = long_text}, -EINVAL},
        {{.host = "a", .port = 1, .user = "a", .password = long_text}, -EINVAL},
        {{.host = "a", .port = 1, .password = "p"}, -EINVAL},
        {{.protocol = PARTY_PROXY_HTTP, .host = "a", .port = 1, .user = "a:b"}, -EINVAL},
        {{.protocol = PARTY_PROXY_HTTP, .host = "a", .port = 1, .user = "a\n"}, -EINVAL},
        {{.protocol = PARTY_PROXY_HTTP, .host = "a", .port = 1, .user = "a", .password = "\x7f"},
         -EINVAL},
        {{.protocol = PARTY_PROXY_SOCKS4, .host = "::1", .port = 1}, PARTY_EADDRESS},
        {{.protocol = PARTY_PROXY_SOCKS4, .host = "0.0.0.0", .port = 1}, PARTY_EADDRESS},
        {{.protocol = PARTY_PROXY_SOCKS4, .host = "0.0.0.255", .port = 1}, PARTY_EADDRESS},
        {{.protocol = PARTY_PROXY_SOCKS4, .host = "a", .port = 1, .password = "p"}, -EINVAL},
        {{.protocol = PARTY_PROXY_SOCKS4, .host = "a", .port = 1, .user = "a", .password = "p"},
         -EINVAL},
        {{.protocol = PARTY_PROXY_SOCKS4, .host = "a", .port = 1, .user = ""}, -EINVAL},
        {{.protocol = (enum party_proxy_protocol)3, .host = "a", .port = 1}, -EINVAL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct party_proxy_client *client = NULL;
        assert_result(party_proxy_client_create(&cases[i].settings, &client), cases[i].result);
        assert_null(client);
    }
    party_proxy_client_destroy(NULL);
}

/* The longest texts of all must fit into the output. */
static void test_the_longest_settings_fit(void **state)
{
    (void)state;
    char text[PARTY_PROXY_TEXT_MAX_BYTES + 1] = "";
    memset(text, 'a', sizeof(text) - 1);
    for (int protocol = 0; protocol < 3; protocol++) {
        const struct party_proxy_settings settings = {
            .protocol = (enum party_proxy_protocol)protocol,
            .host = text,
            .port = 65535,
            .user = text,
            .password = protocol != PARTY_PROXY_SOCKS4 ? text : NULL};
        struct party_proxy_client *client = make(&settings);
        size_t len = 0;
        (void)party_proxy_client_output(client, &len);
        assert_true(len > 0);
        party_proxy_client_sent(client, len);
        if (settings.protocol == PARTY_PROXY_SOCKS5) {
            assert_int_equal(party_proxy_client_input(client, "\5\2", 2), 2);
            (void)party_proxy_client_output(client, &len);
            assert_int_equal(len, 513);
            party_proxy_client_sent(client, len);
            assert_int_equal(party_proxy_client_input(client, "\1\0", 2), 2);
            (void)party_proxy_client_output(client, &len);
            assert_int_equal(len, 262);
        }
        party_proxy_client_destroy(client);
    }
}

static int create_and_destroy(void *user)
{
    struct party_proxy_client *client;
    int r = party_proxy_client_create(user, &client);
    if (r == 0) {
        party_proxy_client_destroy(client);
    }
    return r;
}

static void test_survives_no_memory(void **state)
{
    (void)state;
    struct party_proxy_settings settings = socks5;
    assert_survives_malloc_failure(create_and_destroy, &settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_socks5_asks_for_a_name),
        cmocka_unit_test(test_socks5_sends_numbers_as_numbers),
        cmocka_unit_test(test_socks5_gives_user_and_password_when_asked),
        cmocka_unit_test(test_socks5_methods_that_were_not_offered_are_refused),
        cmocka_unit_test(test_socks5_each_refusal_has_its_error),
        cmocka_unit_test(test_socks4_asks_for_a_number),
        cmocka_unit_test(test_socks4_asks_for_a_name_as_4a_does),
        cmocka_unit_test(test_socks4_each_refusal_has_its_error),
        cmocka_unit_test(test_http_makes_a_tunnel),
        cmocka_unit_test(test_http_writes_numbers_and_credentials),
        cmocka_unit_test(test_http_refusals_are_told_apart),
        cmocka_unit_test(test_http_that_is_not_exact_is_refused),
        cmocka_unit_test(test_http_head_has_a_limit),
        cmocka_unit_test(test_settings_that_cannot_be_said_are_refused),
        cmocka_unit_test(test_the_longest_settings_fit),
        cmocka_unit_test(test_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
