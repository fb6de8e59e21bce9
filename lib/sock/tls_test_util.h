/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_TLS_TEST_UTIL_H
#define PARTYLINE_SOCK_TLS_TEST_UTIL_H

#include <errno.h>
#include <stdlib.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <partyline/tls.h>

#include "sock/sock_test_util.h"

/*
 * What the tests of TLS share: an authority and certificates made when the test begins, so none in
 * the tree can expire, and connections whose two ends one thread moves in turn.
 */

#define DAY_S (24l * 60 * 60)

static char test_pki_dir[] = "/tmp/partyline-tls-XXXXXX";

/* One of eight buffers, so that a call can name a few files. */
static inline const char *test_pki_file(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s.pem", test_pki_dir, name);
    return path;
}

struct test_issuer {
    X509 *cert;
    EVP_PKEY *key;
};

static inline void test_add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Makes NAME.pem: the certificate, then its key. issuer NULL: signed by itself. names NULL: an
   authority. The result is the caller's to free. */
static inline struct test_issuer test_pki_make(const char *name, const struct test_issuer *issuer,
                                               const char *names, long from_s, long to_s)
{
    static long serial = 1;
    struct test_issuer made = {.cert = X509_new(), .key = EVP_EC_gen("P-256")};
    assert_non_null(made.cert);
    assert_non_null(made.key);
    const struct test_issuer *by = issuer != NULL ? issuer : &made;
    X509_set_version(made.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.cert), from_s);
    X509_gmtime_adj(X509_getm_notAfter(made.cert), to_s);
    X509_set_pubkey(made.cert, made.key);
    X509_NAME *subject = X509_get_subject_name(made.cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
                               0);
    X509_set_issuer_name(made.cert, X509_get_subject_name(by->cert));
    test_add_extension(made.cert, by->cert, NID_basic_constraints,
                       names == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (names != NULL) {
        test_add_extension(made.cert, by->cert, NID_subject_alt_name, names);
    }
    assert_true(X509_sign(made.cert, by->key, EVP_sha256()) > 0);
    FILE *file = fopen(test_pki_file(name), "we");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, made.cert), 1);
    assert_int_equal(PEM_write_PrivateKey(file, made.key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    return made;
}

static inline void test_pki_free(struct test_issuer made)
{
    X509_free(made.cert);
    EVP_PKEY_free(made.key);
}

#define TEST_NAMES "DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:::1"

static const char *const test_pki_names[] = {"ca",    "good", "second", "expired", "early",
                                             "other", "odd",  "self",   "client"};

/* A cmocka group set-up. */
static inline int test_pki_setup(void **state)
{
    (void)state;
    if (mkdtemp(test_pki_dir) == NULL) {
        return -1;
    }
    struct test_issuer ca = test_pki_make("ca", NULL, NULL, -DAY_S, DAY_S);
    struct test_issuer other = test_pki_make("other", NULL, NULL, -DAY_S, DAY_S);
    test_pki_free(test_pki_make("good", &ca, TEST_NAMES, -DAY_S, DAY_S));
    test_pki_free(test_pki_make("second", &ca, "DNS:second.example.net", -DAY_S, DAY_S));
    test_pki_free(test_pki_make("expired", &ca, TEST_NAMES, -2 * DAY_S, -DAY_S));
    test_pki_free(test_pki_make("early", &ca, TEST_NAMES, DAY_S, 2 * DAY_S));
    test_pki_free(test_pki_make("odd", &other, TEST_NAMES, -DAY_S, DAY_S));
    test_pki_free(test_pki_make("self", NULL, TEST_NAMES, -DAY_S, DAY_S));
    test_pki_free(test_pki_make("client", &ca, "email:alice@example.org", -DAY_S, DAY_S));
    test_pki_free(ca);
    test_pki_free(other);
    return 0;
}

static inline int test_pki_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(test_pki_names) / sizeof(test_pki_names[0]); i++) {
        (void)unlink(test_pki_file(test_pki_names[i]));
    }
    return rmdir(test_pki_dir);
}

/* ---- contexts ---- */

static inline struct party_tls_context *test_context(enum party_tls_role role,
                                                     const struct party_tls_settings *settings)
{
    char text[256] = "";
    struct party_tls_context *context = NULL;
    int r = party_tls_context_create(role, settings, text, sizeof(text), &context);
    if (r < 0) {
        print_error("%s: %s\n", party_error_name(r), text);
    }
    assert_result(r, 0);
    return context;
}

/* A server with the certificate of that name. */
static inline struct party_tls_context *test_server_context(const char *name)
{
    struct party_tls_keypair pair = {.chain_file = test_pki_file(name)};
    struct party_tls_settings settings = {.keypairs = &pair, .keypair_count = 1};
    return test_context(PARTY_TLS_SERVER, &settings);
}

/* A client that trusts the authority of that name. */
static inline struct party_tls_context *test_client_context(const char *ca)
{
    struct party_tls_settings settings = {.ca_file = test_pki_file(ca)};
    return test_context(PARTY_TLS_CLIENT, &settings);
}

/* ---- two ends in one thread ---- */

struct test_ends {
    struct party_tls *client, *server;
    int client_result, server_result; /* of the handshake */
};

/* Wraps both ends of a socket pair; the contexts are given up. Time-outs are 0. */
static inline struct test_ends test_wrap_pair(struct party_tls_context *client,
                                              struct party_tls_context *server,
                                              const struct party_tls_options *options)
{
    static const struct party_tls_options localhost = {.server_hostname = "localhost"};
    struct test_ends ends = {0};
    struct party_sock *a = NULL, *b = NULL;
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &a, &b);
    options = options != NULL ? options : &localhost;
    assert_result(party_tls_wrap_socket(client, a, options, &ends.client), 0);
    assert_result(party_tls_wrap_socket(server, b, NULL, &ends.server), 0);
    party_tls_context_unref(client);
    party_tls_context_unref(server);
    return ends;
}

/* Moves both ends until neither has more to do. */
static inline void test_handshake(struct test_ends *ends)
{
    ends->client_result = ends->server_result = -EAGAIN;
    for (int i = 0; i < 100 && (ends->client_result == -EAGAIN || ends->server_result == -EAGAIN);
         i++) {
        ends->client_result = party_tls_do_handshake(ends->client);
        ends->server_result = party_tls_do_handshake(ends->server);
        if (ends->client_result < 0 && ends->client_result != -EAGAIN && i > 10) {
            break; /* a client that has given up leaves the server waiting */
        }
    }
}

static inline void test_ends_close(struct test_ends *ends)
{
    party_tls_close(ends->client);
    party_tls_close(ends->server);
}

/* Two ends that trust each other. */
static inline struct test_ends test_secure_pair(void)
{
    struct test_ends ends =
        test_wrap_pair(test_client_context("ca"), test_server_context("good"), NULL);
    test_handshake(&ends);
    assert_result(ends.client_result, 0);
    assert_result(ends.server_result, 0);
    return ends;
}

/* ---- much data ---- */

/* The bytes of a stream that no shift leaves the same. */
static inline void test_fill_pattern(uint8_t *buf, size_t len, uint64_t at)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t x = (at + i) * UINT64_C(0x9e3779b97f4a7c15);
        buf[i] = (uint8_t)(x >> 56);
    }
}

/* How much a test of much data sends. */
static inline uint64_t test_transfer_bytes(void)
{
    const char *text = getenv("PARTYLINE_TEST_TLS_BYTES");
    return text != NULL ? strtoull(text, NULL, 10) : UINT64_C(64) << 20;
}

#endif
