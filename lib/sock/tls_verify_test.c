/* SPDX-License-Identifier: MIT */
#include "sock/tls_test_util.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/* Who is believed and who is not; what is agreed on; contexts that cannot be made. */

/* Shakes hands between a client and a server, and looks at both results. */
#define assert_handshake(client_, server_, name, wanted_client, wanted_server)                     \
    do {                                                                                           \
        struct party_tls_options options_ = {.server_hostname = (name)};                           \
        struct test_ends ends_ = test_wrap_pair((client_), (server_), &options_);                  \
        test_handshake(&ends_);                                                                    \
        assert_result(ends_.client_result, (wanted_client));                                       \
        assert_result(ends_.server_result, (wanted_server));                                       \
        assert_int_equal(ERR_peek_error(), 0);                                                     \
        assert_int_equal(strlen(party_tls_error_text(ends_.client)) > 0, (wanted_client) < 0);     \
        test_ends_close(&ends_);                                                                   \
    } while (0)

static void test_names_that_the_certificate_is_for(void **state)
{
    (void)state;
    static const char *const names[] = {"localhost",      "LOCALHOST",       "localhost.",
                                        "127.0.0.1",      "one.example.org", "::1",
                                        "ONE.EXAMPLE.ORG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_handshake(test_client_context("ca"), test_server_context("good"), names[i], 0, 0);
    }
}

static void test_names_that_the_certificate_is_not_for(void **state)
{
    (void)state;
    static const char *const names[] = {"localhost.example.net",
                                        "example.org",
                                        "a.b.example.org",
                                        "127.0.0.2",
                                        "::2",
                                        "xlocalhost",
                                        "good"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_handshake(test_client_context("ca"), test_server_context("good"), names[i],
                         PARTY_ETLS_HOSTNAME, PARTY_ETLS_ALERT);
    }
}

static void test_names_that_are_none(void **state)
{
    (void)state;
    static const char *const names[] = {"",          ".example.org", "a..b",
                                        "two words", "line\nbreak",  "."};
    struct party_tls_context *context = test_client_context("ca");
    struct party_sock *a = NULL, *b = NULL;
    struct party_tls *tls = NULL;
    test_pair(SOCK_STREAM, &a, &b);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct party_tls_options options = {.server_hostname = names[i]};
        assert_result(party_tls_wrap_socket(context, a, &options, &tls), -EINVAL);
    }
    assert_result(party_tls_wrap_socket(context, a, NULL, &tls), -EINVAL);
    char longest[256];
    memset(longest, 'a', sizeof(longest));
    longest[254] = '\0';
    struct party_tls_options options = {.server_hostname = longest};
    assert_result(party_tls_wrap_socket(context, a, &options, &tls), -EINVAL);
    struct party_tls_context *server = test_server_context("good");
    options.server_hostname = "localhost";
    assert_result(party_tls_wrap_socket(server, a, &options, &tls), -EINVAL);
    assert_null(tls);
    test_assert_connected(a, b); /* it is still the caller's, and untouched */
    party_tls_context_unref(server);
    party_tls_context_unref(context);
    (void)party_sock_close(a);
    (void)party_sock_close(b);
}

static void test_certificates_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int wanted;
    } cases[] = {
        {"expired", PARTY_ETLS_EXPIRED}, {"early", PARTY_ETLS_EXPIRED},
        {"odd", PARTY_ETLS_CERTIFICATE}, {"self", PARTY_ETLS_CERTIFICATE},
        {"second", PARTY_ETLS_HOSTNAME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_handshake(test_client_context("ca"), test_server_context(cases[i].name), "localhost",
                         cases[i].wanted, PARTY_ETLS_ALERT);
    }
}

static void test_system_store_does_not_know_our_authority(void **state)
{
    (void)state;
    struct party_tls_context *client = test_context(PARTY_TLS_CLIENT, NULL);
    assert_handshake(client, test_server_context("good"), "localhost", PARTY_ETLS_CERTIFICATE,
                     PARTY_ETLS_ALERT);
}

static void test_insecure_settings_believe_what_they_say(void **state)
{
    (void)state;
    struct party_tls_settings all = {.insecure_no_verify = true};
    struct party_tls_settings any_name = {.ca_file = test_pki_file("ca"),
                                          .insecure_no_hostname = true};
    assert_handshake(test_context(PARTY_TLS_CLIENT, &all), test_server_context("expired"), NULL, 0,
                     0);
    assert_handshake(test_context(PARTY_TLS_CLIENT, &all), test_server_context("self"), "wrong", 0,
                     0);
    assert_handshake(test_context(PARTY_TLS_CLIENT, &any_name), test_server_context("good"), NULL,
                     0, 0);
    assert_handshake(test_context(PARTY_TLS_CLIENT, &any_name), test_server_context("good"),
                     "wrong", 0, 0);
    assert_handshake(test_context(PARTY_TLS_CLIENT, &any_name), test_server_context("good"),
                     "127.0.0.2", 0, 0);
    assert_handshake(test_context(PARTY_TLS_CLIENT, &any_name), test_server_context("self"), NULL,
                     PARTY_ETLS_CERTIFICATE, PARTY_ETLS_ALERT);
}

/* ---- client certificates ---- */

static struct party_tls_context *asking_server(enum party_tls_client_certs certs)
{
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    struct party_tls_settings settings = {.keypairs = &pair,
                                          .keypair_count = 1,
                                          .ca_file = test_pki_file("ca"),
                                          .client_certs = certs};
    return test_context(PARTY_TLS_SERVER, &settings);
}

static struct party_tls_context *client_with(const char *certificate)
{
    struct party_tls_keypair pair = {.chain_file = test_pki_file(certificate)};
    struct party_tls_settings settings = {
        .keypairs = &pair, .keypair_count = 1, .ca_file = test_pki_file("ca")};
    return test_context(PARTY_TLS_CLIENT, &settings);
}

static void test_client_certificates(void **state)
{
    (void)state;
    static const struct {
        enum party_tls_client_certs certs;
        const char *client; /* NULL: none */
        int wanted;
    } cases[] = {
        {PARTY_TLS_CLIENT_CERTS_OPTIONAL, NULL, 0},
        {PARTY_TLS_CLIENT_CERTS_OPTIONAL, "client", 0},
        {PARTY_TLS_CLIENT_CERTS_OPTIONAL, "self", PARTY_ETLS_CERTIFICATE},
        {PARTY_TLS_CLIENT_CERTS_REQUIRED, NULL, PARTY_ETLS_NO_CERTIFICATE},
        {PARTY_TLS_CLIENT_CERTS_REQUIRED, "client", 0},
        {PARTY_TLS_CLIENT_CERTS_REQUIRED, "odd", PARTY_ETLS_CERTIFICATE},
        {PARTY_TLS_CLIENT_CERTS_REQUIRED, "expired", PARTY_ETLS_EXPIRED},
        {PARTY_TLS_CLIENT_CERTS_ANY, NULL, 0},
        {PARTY_TLS_CLIENT_CERTS_ANY, "self", 0},
        {PARTY_TLS_CLIENT_CERTS_NONE, "client", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct party_tls_context *client =
            cases[i].client != NULL ? client_with(cases[i].client) : test_client_context("ca");
        struct test_ends ends = test_wrap_pair(client, asking_server(cases[i].certs), NULL);
        test_handshake(&ends);
        assert_result(ends.client_result, 0); /* TLS 1.3: a client learns it by its first recv */
        assert_result(ends.server_result, cases[i].wanted);
        char buf[64];
        if (cases[i].wanted < 0) {
            assert_result(party_tls_recv_into(ends.client, buf, 1), PARTY_ETLS_ALERT);
        } else {
            bool shown = cases[i].client != NULL && cases[i].certs != PARTY_TLS_CLIENT_CERTS_NONE;
            ssize_t n = party_tls_getpeercert(ends.server, PARTY_TLS_CERT_SUBJECT, buf, 64);
            assert_int_equal(n, shown ? (ssize_t)strlen("CN=") + (ssize_t)strlen(cases[i].client)
                                      : -ENODATA);
        }
        test_ends_close(&ends);
    }
}

/* ---- certificates by name ---- */

static void assert_shown(struct party_tls_context *server, const char *name, const char *subject)
{
    struct party_tls_settings settings = {.insecure_no_verify = true};
    struct party_tls_options options = {.server_hostname = name};
    struct test_ends ends = test_wrap_pair(test_context(PARTY_TLS_CLIENT, &settings),
                                           party_tls_context_ref(server), &options);
    char text[64] = "";
    test_handshake(&ends);
    assert_result(ends.client_result, 0);
    assert_true(party_tls_getpeercert(ends.client, PARTY_TLS_CERT_SUBJECT, text, 64) > 0);
    assert_string_equal(text, subject);
    test_ends_close(&ends);
}

static void test_server_shows_the_certificate_for_the_name(void **state)
{
    (void)state;
    struct party_tls_keypair pairs[] = {
        {.chain_file = test_pki_file("good")},
        {.chain_file = test_pki_file("second"), .key_file = test_pki_file("second")}};
    struct party_tls_settings settings = {.keypairs = pairs, .keypair_count = 2};
    struct party_tls_context *server = test_context(PARTY_TLS_SERVER, &settings);
    assert_shown(server, "localhost", "CN=good");
    assert_shown(server, "second.example.net", "CN=second");
    assert_shown(server, "nobody.example.net", "CN=good");
    assert_shown(server, "127.0.0.1", "CN=good"); /* addresses are not sent */
    assert_shown(server, NULL, "CN=good");
    party_tls_context_unref(server);
}

static char asked_for[64];

static int choose(const char *server_name, void *user, struct party_tls_context **ret_context)
{
    (void)snprintf(asked_for, sizeof(asked_for), "%s", server_name != NULL ? server_name : "-");
    if (strcmp(asked_for, "bad.example.org") == 0) {
        return -EACCES;
    }
    if (strcmp(asked_for, "later.example.org") == 0) {
        return -EAGAIN;
    }
    if (strcmp(asked_for, "again.example.org") == 0) {
        return -EINTR;
    }
    if (strcmp(asked_for, "other.example.org") == 0) {
        *ret_context = user;
    }
    return 0;
}

static void test_hook_chooses_the_context_by_name(void **state)
{
    (void)state;
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    struct party_tls_settings settings = {.keypairs = &pair,
                                          .keypair_count = 1,
                                          .sni = choose,
                                          .sni_user = test_server_context("self")};
    struct party_tls_context *server = test_context(PARTY_TLS_SERVER, &settings);
    assert_shown(server, NULL, "CN=good");
    assert_string_equal(asked_for, "-");
    assert_shown(server, "one.example.org", "CN=good");
    assert_string_equal(asked_for, "one.example.org");
    assert_shown(server, "other.example.org", "CN=self");
    assert_handshake(test_client_context("ca"), party_tls_context_ref(server), "bad.example.org",
                     PARTY_ETLS_ALERT, -EACCES);
    assert_handshake(test_client_context("ca"), party_tls_context_ref(server), "later.example.org",
                     PARTY_ETLS_ALERT, PARTY_ETLS_PROTOCOL);
    assert_handshake(test_client_context("ca"), server, "again.example.org", PARTY_ETLS_ALERT,
                     PARTY_ETLS_PROTOCOL);
    party_tls_context_unref(settings.sni_user);
}

/* ---- protocols ---- */

static struct party_tls_context *alpn_context(enum party_tls_role role, const char *const *alpn)
{
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    struct party_tls_settings settings = {.alpn = alpn};
    while (alpn[settings.alpn_count] != NULL) {
        settings.alpn_count++;
    }
    if (role == PARTY_TLS_SERVER) {
        settings.keypairs = &pair;
        settings.keypair_count = 1;
    } else {
        settings.ca_file = test_pki_file("ca");
    }
    return test_context(role, &settings);
}

static void test_application_protocol_is_the_servers_choice(void **state)
{
    (void)state;
    static const char *const offered[] = {"http/1.1", "irc", NULL};
    static const char *const wanted[] = {"irc", "http/1.1", NULL};
    static const char *const others[] = {"h2", NULL};
    struct test_ends ends = test_wrap_pair(alpn_context(PARTY_TLS_CLIENT, offered),
                                           alpn_context(PARTY_TLS_SERVER, wanted), NULL);
    test_handshake(&ends);
    assert_string_equal(party_tls_selected_alpn_protocol(ends.client), "irc");
    assert_string_equal(party_tls_selected_alpn_protocol(ends.server), "irc");
    test_ends_close(&ends);
    assert_handshake(alpn_context(PARTY_TLS_CLIENT, others), alpn_context(PARTY_TLS_SERVER, wanted),
                     "localhost", PARTY_ETLS_NO_COMMON, PARTY_ETLS_NO_COMMON);
    ends = test_wrap_pair(test_client_context("ca"), alpn_context(PARTY_TLS_SERVER, wanted), NULL);
    test_handshake(&ends);
    assert_result(ends.server_result, 0); /* who offers none is not refused */
    assert_null(party_tls_selected_alpn_protocol(ends.server));
    test_ends_close(&ends);
}

/* OpenSSL by hand, as a peer that our library would not be. */
static SSL *old_peer(int max_version, bool server, int fd)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    assert_non_null(ctx);
    SSL_CTX_set_security_level(ctx, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, max_version), 1);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(ctx, test_pki_file("good")), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, test_pki_file("good"), SSL_FILETYPE_PEM), 1);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    if (server) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    return ssl;
}

/* Our end's result against such a peer. */
static int against_peer(int max_version, bool we_serve, bool only_1_3)
{
    struct party_sock *a = NULL, *b = NULL;
    struct party_tls *tls = NULL;
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    struct party_tls_settings settings = {.ca_file = test_pki_file("ca"), .only_tls_1_3 = only_1_3};
    if (we_serve) {
        settings.keypairs = &pair;
        settings.keypair_count = 1;
    }
    struct party_tls_options options = {.server_hostname = we_serve ? NULL : "localhost"};
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &a, &b);
    struct party_tls_context *context =
        test_context(we_serve ? PARTY_TLS_SERVER : PARTY_TLS_CLIENT, &settings);
    assert_result(party_tls_wrap_socket(context, a, &options, &tls), 0);
    party_tls_context_unref(context);
    SSL *ssl = old_peer(max_version, !we_serve, party_sock_fileno(b));
    int r = -EAGAIN;
    for (int i = 0; i < 20 && r == -EAGAIN; i++) {
        (void)SSL_do_handshake(ssl);
        r = party_tls_do_handshake(tls);
    }
    if (r == 0) {
        assert_string_equal(party_tls_version(tls), "TLSv1.2");
    }
    SSL_free(ssl);
    ERR_clear_error();
    party_tls_close(tls);
    (void)party_sock_close(b);
    return r;
}

static void test_old_versions_are_refused(void **state)
{
    (void)state;
    for (int we_serve = 0; we_serve < 2; we_serve++) {
        assert_result(against_peer(TLS1_VERSION, we_serve, false), PARTY_ETLS_NO_COMMON);
        assert_result(against_peer(TLS1_1_VERSION, we_serve, false), PARTY_ETLS_NO_COMMON);
        assert_result(against_peer(TLS1_2_VERSION, we_serve, false), 0);
        assert_result(against_peer(TLS1_2_VERSION, we_serve, true), PARTY_ETLS_NO_COMMON);
    }
}

static void test_renegotiation_is_refused(void **state)
{
    (void)state;
    struct party_sock *a = NULL, *b = NULL;
    struct party_tls *tls = NULL;
    char buf[8];
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &a, &b);
    struct party_tls_context *context = test_server_context("good");
    assert_result(party_tls_wrap_socket(context, a, NULL, &tls), 0);
    party_tls_context_unref(context);
    SSL *ssl = old_peer(TLS1_2_VERSION, false, party_sock_fileno(b));
    for (int i = 0; i < 20 && !party_tls_is_secure(tls); i++) {
        (void)SSL_do_handshake(ssl);
        int r = party_tls_do_handshake(tls);
        assert_true(r == 0 || r == -EAGAIN);
    }
    assert_int_equal(SSL_do_handshake(ssl), 1);
    (void)SSL_renegotiate(ssl);
    (void)SSL_do_handshake(ssl);
    assert_result(party_tls_recv_into(tls, buf, sizeof(buf)), -EAGAIN);
    assert_int_not_equal(SSL_do_handshake(ssl), 1); /* it was told no */
    SSL_free(ssl);
    ERR_clear_error();
    party_tls_close(tls);
    (void)party_sock_close(b);
}

static void test_plain_text_peer(void **state)
{
    (void)state;
    static const char *const words[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", "220 hello\r\n",
                                        "\x15\x03\x01", ""};
    static const int wanted[] = {PARTY_ETLS_PROTOCOL, PARTY_ETLS_PROTOCOL, PARTY_ETLS_TRUNCATED,
                                 PARTY_ETLS_TRUNCATED};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct party_sock *a = NULL, *b = NULL;
        struct party_tls *tls = NULL;
        struct party_tls_options options = {.server_hostname = "localhost"};
        test_pair(SOCK_STREAM, &a, &b);
        struct party_tls_context *context = test_client_context("ca");
        assert_result(party_tls_wrap_socket(context, a, &options, &tls), 0);
        party_tls_context_unref(context);
        assert_result(party_sock_sendall(b, words[i], strlen(words[i]), 0), 0);
        assert_result(party_sock_shutdown(b, SHUT_WR), 0);
        assert_result(party_tls_do_handshake(tls), wanted[i]);
        assert_true(strlen(party_tls_error_text(tls)) > 0);
        assert_result(party_tls_do_handshake(tls), wanted[i]);
        party_tls_close(tls);
        (void)party_sock_close(b);
    }
}

/* ---- contexts ---- */

static int make(enum party_tls_role role, const struct party_tls_settings *settings, char *text,
                size_t cap)
{
    struct party_tls_context *context = NULL;
    text[0] = '\0';
    int r = party_tls_context_create(role, settings, text, cap, &context);
    assert_true((r == 0) == (context != NULL));
    assert_int_equal(strlen(text) > 0, r < 0);
    assert_int_equal(ERR_peek_error(), 0);
    party_tls_context_unref(context);
    return r;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_files_that_cannot_be_used(void **state)
{
    (void)state;
    char text[200];
    char missing[128], empty[128], torn[128];
    (void)snprintf(missing, sizeof(missing), "%s/missing.pem", test_pki_dir);
    (void)snprintf(empty, sizeof(empty), "%s/empty.pem", test_pki_dir);
    (void)snprintf(torn, sizeof(torn), "%s/torn.pem", test_pki_dir);
    write_file(empty, "");
    write_file(torn, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    struct {
        const char *chain, *key;
        int wanted;
    } cases[] = {
        {missing, NULL, -ENOENT},
        {test_pki_file("good"), missing, -ENOENT},
        {empty, NULL, PARTY_ETLS_SETTINGS},
        {torn, test_pki_file("good"), PARTY_ETLS_SETTINGS},
        {test_pki_file("good"), empty, PARTY_ETLS_SETTINGS},
        {test_pki_file("good"), test_pki_file("second"), PARTY_ETLS_SETTINGS},
        {test_pki_file("good"), NULL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct party_tls_keypair pair = {cases[i].chain, cases[i].key};
        struct party_tls_settings settings = {.keypairs = &pair, .keypair_count = 1};
        assert_result(make(PARTY_TLS_SERVER, &settings, text, sizeof(text)), cases[i].wanted);
    }
    struct party_tls_settings trust = {.ca_file = missing};
    assert_result(make(PARTY_TLS_CLIENT, &trust, text, sizeof(text)), -ENOENT);
    trust.ca_file = empty;
    assert_result(make(PARTY_TLS_CLIENT, &trust, text, sizeof(text)), PARTY_ETLS_SETTINGS);
    trust.ca_file = NULL;
    trust.ca_dir = missing;
    assert_result(make(PARTY_TLS_CLIENT, &trust, text, sizeof(text)), -ENOENT);
    trust.ca_dir = torn;
    assert_result(make(PARTY_TLS_CLIENT, &trust, text, sizeof(text)), -ENOTDIR);
    trust.ca_dir = test_pki_dir;
    assert_result(make(PARTY_TLS_CLIENT, &trust, text, sizeof(text)), 0);
    trust.keylog_file = test_pki_dir;
    assert_result(make(PARTY_TLS_CLIENT, &trust, text, sizeof(text)), -EISDIR);
    assert_int_equal(unlink(empty), 0);
    assert_int_equal(unlink(torn), 0);
}

static void test_key_with_a_pass_phrase_does_not_ask_the_terminal(void **state)
{
    (void)state;
    char path[128], text[200];
    (void)snprintf(path, sizeof(path), "%s/locked.pem", test_pki_dir);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(), "word", 4, NULL, NULL),
                     1);
    assert_int_equal(fclose(file), 0);
    EVP_PKEY_free(key);
    struct party_tls_keypair pair = {test_pki_file("good"), path};
    struct party_tls_settings settings = {.keypairs = &pair, .keypair_count = 1};
    assert_result(make(PARTY_TLS_SERVER, &settings, text, sizeof(text)), PARTY_ETLS_SETTINGS);
    assert_int_equal(unlink(path), 0);
}

static void test_settings_that_contradict_each_other(void **state)
{
    (void)state;
    char text[200];
    static const char *const bad_alpn[] = {""}, *const no_alpn[] = {NULL};
    struct party_tls_keypair pairs[2] = {{.chain_file = test_pki_file("good")},
                                         {.chain_file = test_pki_file("good")}};
    struct party_tls_settings cases[] = {
        {.keypairs = pairs, .keypair_count = 2},
        {.sni = choose},
        {.client_certs = PARTY_TLS_CLIENT_CERTS_ANY},
        {.alpn = bad_alpn, .alpn_count = 1},
        {.alpn = no_alpn, .alpn_count = 1},
        {.alpn_count = 1},
        {.keypair_count = 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_result(make(PARTY_TLS_CLIENT, &cases[i], text, sizeof(text)), -EINVAL);
    }
    assert_result(make(PARTY_TLS_SERVER, NULL, text, sizeof(text)), -EINVAL);
    struct party_tls_settings insecure = {
        .keypairs = pairs, .keypair_count = 1, .insecure_no_verify = true};
    assert_result(make(PARTY_TLS_SERVER, &insecure, text, sizeof(text)), -EINVAL);
    struct party_tls_keypair none = {.key_file = pairs[0].chain_file};
    struct party_tls_settings servers[] = {
        {.keypairs = pairs, .keypair_count = 1, .client_certs = PARTY_TLS_CLIENT_CERTS_OPTIONAL},
        {.keypairs = pairs, .keypair_count = 1, .client_certs = PARTY_TLS_CLIENT_CERTS_REQUIRED},
        {.keypairs = pairs, .keypair_count = 1, .client_certs = PARTY_TLS_CLIENT_CERTS_ANY + 1},
        {.keypairs = &none, .keypair_count = 1},
    };
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        assert_result(make(PARTY_TLS_SERVER, &servers[i], text, sizeof(text)), -EINVAL);
    }
    char longest[257];
    memset(longest, 'a', 256);
    longest[256] = '\0';
    const char *alpn[] = {longest};
    struct party_tls_settings long_alpn = {.alpn = alpn, .alpn_count = 1};
    assert_result(make(PARTY_TLS_CLIENT, &long_alpn, text, sizeof(text)), -EINVAL);
    struct party_tls_context *context = NULL;
    assert_result(party_tls_context_create(PARTY_TLS_SERVER, NULL, NULL, 0, &context), -EINVAL);
    assert_null(context);
    party_tls_context_unref(NULL);
}

static void test_context_outlives_its_creator_in_its_connections(void **state)
{
    (void)state;
    struct test_ends ends = test_secure_pair(); /* has dropped both contexts */
    char buf[4];
    assert_result(party_tls_sendall(ends.client, "kept", 4), 0);
    assert_int_equal(party_tls_recv_into(ends.server, buf, 4), 4);
    test_ends_close(&ends);
}

static void test_key_log_is_written_only_when_asked(void **state)
{
    (void)state;
    char path[128], line[600] = "";
    (void)snprintf(path, sizeof(path), "%s/keys.log", test_pki_dir);
    (void)setenv("SSLKEYLOGFILE", path, 1); /* of no effect by itself */
    struct test_ends ends = test_secure_pair();
    test_ends_close(&ends);
    (void)unsetenv("SSLKEYLOGFILE");
    assert_int_equal(access(path, F_OK), -1);
    struct party_tls_settings settings = {.ca_file = test_pki_file("ca"), .keylog_file = path};
    assert_handshake(test_context(PARTY_TLS_CLIENT, &settings), test_server_context("good"),
                     "localhost", 0, 0);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    assert_int_equal(fclose(file), 0);
    assert_non_null(strstr(line, "_SECRET "));
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 077, 0);
    assert_int_equal(unlink(path), 0);
}

static void test_no_tickets_means_no_session(void **state)
{
    (void)state;
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    struct party_tls_settings settings = {
        .keypairs = &pair, .keypair_count = 1, .no_tickets = true};
    struct test_ends ends =
        test_wrap_pair(test_client_context("ca"), test_context(PARTY_TLS_SERVER, &settings), NULL);
    struct party_tls_session *session = NULL;
    char c;
    test_handshake(&ends);
    assert_result(party_tls_sendall(ends.server, "x", 1), 0);
    assert_int_equal(party_tls_recv_into(ends.client, &c, 1), 1);
    assert_result(party_tls_session(ends.client, &session), -ENODATA);
    test_ends_close(&ends);
}

static void test_errors_of_others_do_not_become_ours(void **state)
{
    (void)state;
    struct test_ends ends = test_secure_pair();
    char buf[8];
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    assert_result(party_tls_recv_into(ends.client, buf, sizeof(buf)), -EAGAIN);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    assert_int_equal(party_tls_send(ends.client, "x", 1), 1);
    assert_int_equal(party_tls_recv_into(ends.server, buf, sizeof(buf)), 1);
    test_ends_close(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_that_the_certificate_is_for),
        cmocka_unit_test(test_names_that_the_certificate_is_not_for),
        cmocka_unit_test(test_names_that_are_none),
        cmocka_unit_test(test_certificates_that_are_refused),
        cmocka_unit_test(test_system_store_does_not_know_our_authority),
        cmocka_unit_test(test_insecure_settings_believe_what_they_say),
        cmocka_unit_test(test_client_certificates),
        cmocka_unit_test(test_server_shows_the_certificate_for_the_name),
        cmocka_unit_test(test_hook_chooses_the_context_by_name),
        cmocka_unit_test(test_application_protocol_is_the_servers_choice),
        cmocka_unit_test(test_old_versions_are_refused),
        cmocka_unit_test(test_renegotiation_is_refused),
        cmocka_unit_test(test_plain_text_peer),
        cmocka_unit_test(test_files_that_cannot_be_used),
        cmocka_unit_test(test_key_with_a_pass_phrase_does_not_ask_the_terminal),
        cmocka_unit_test(test_settings_that_contradict_each_other),
        cmocka_unit_test(test_context_outlives_its_creator_in_its_connections),
        cmocka_unit_test(test_key_log_is_written_only_when_asked),
        cmocka_unit_test(test_no_tickets_means_no_session),
        cmocka_unit_test(test_errors_of_others_do_not_become_ours),
    };
    return cmocka_run_group_tests(tests, test_pki_setup, test_pki_teardown);
}
