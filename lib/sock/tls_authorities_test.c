/* SPDX-License-Identifier: MIT */
#include "sock/tls_test_util.h"

#include <sys/resource.h>

/*
 * The authorities that are trusted when none are named: the system's, which OpenSSL finds, and here
 * are told to it by its variables.
 */

static void trust(const char *file, const char *dirs)
{
    assert_int_equal(setenv("SSL_CERT_FILE", file, 1), 0);
    assert_int_equal(setenv("SSL_CERT_DIR", dirs, 1), 0);
}

/* Leaves no free descriptor. Returns: what to give back. */
static struct rlimit take_descriptors(void)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest = dup(STDOUT_FILENO);
    assert_int_not_equal(lowest, -1);
    assert_int_equal(close(lowest), 0);
    struct rlimit full = {.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &full), 0);
    return before;
}

static void give_descriptors(const struct rlimit *before)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, before), 0);
}

/* A client's context without settings. Returns: as party_tls_context_create. */
static int make(void)
{
    char text[256] = "";
    struct party_tls_context *context = NULL;
    int r = party_tls_context_create(PARTY_TLS_CLIENT, NULL, text, sizeof(text), &context);
    assert_true((r == 0) == (context != NULL));
    assert_int_equal(text[0] == '\0', r == 0);
    party_tls_context_unref(context);
    return r;
}

static int make_without_descriptors(void)
{
    struct rlimit before = take_descriptors();
    int r = make();
    give_descriptors(&before);
    return r;
}

/* What the client says of a server that our authority vouches for. */
static int believe(bool without_descriptors)
{
    struct test_ends ends =
        test_wrap_pair(test_context(PARTY_TLS_CLIENT, NULL), test_server_context("good"), NULL);
    struct rlimit before = {0};
    if (without_descriptors) {
        before = take_descriptors();
    }
    test_handshake(&ends);
    if (without_descriptors) {
        give_descriptors(&before);
    }
    int r = ends.client_result;
    assert_int_equal(party_tls_error_text(ends.client)[0] == '\0', r == 0);
    test_ends_close(&ends);
    return r;
}

static void test_file_of_the_system_is_trusted(void **state)
{
    (void)state;
    trust(test_pki_file("ca"), "/nonexistent");
    assert_result(believe(false), 0);
    trust(test_pki_file("other"), "/nonexistent");
    assert_result(believe(false), PARTY_ETLS_CERTIFICATE);
}

static void test_file_of_the_system_that_cannot_be_opened_is_told(void **state)
{
    (void)state;
    trust(test_pki_file("ca"), "/nonexistent");
    assert_result(make_without_descriptors(), -EMFILE);
    assert_result(make(), 0);
}

static void test_file_of_the_system_that_holds_no_certificate_is_told(void **state)
{
    (void)state;
    trust("/dev/null", "/nonexistent");
    assert_result(make(), PARTY_ETLS_SETTINGS);
}

/* As OpenSSL has it: most systems have one of the two. */
static void test_what_the_system_does_not_have_is_passed_over(void **state)
{
    (void)state;
    char below_file[128];
    (void)snprintf(below_file, sizeof(below_file), "%s/x", test_pki_file("ca"));
    trust("/nonexistent", below_file);
    assert_result(make(), 0);
    assert_result(believe(false), PARTY_ETLS_CERTIFICATE);
    trust("", "");
    assert_result(make(), 0);
}

static void test_folders_of_the_system_are_looked_into(void **state)
{
    (void)state;
    FILE *file = fopen(test_pki_file("ca"), "re");
    assert_non_null(file);
    X509 *ca = PEM_read_X509(file, NULL, NULL, NULL);
    assert_non_null(ca);
    assert_int_equal(fclose(file), 0);
    char link[128], dirs[256];
    (void)snprintf(link, sizeof(link), "%s/%08lx.0", test_pki_dir, X509_subject_name_hash(ca));
    (void)snprintf(dirs, sizeof(dirs), "/nonexistent:%s", test_pki_dir);
    X509_free(ca);
    assert_int_equal(symlink("ca.pem", link), 0);

    trust("/nonexistent", dirs);
    assert_result(believe(false), 0);
    assert_result(make_without_descriptors(), -EMFILE);
    /* They are read while hands are shaken, and what fails then OpenSSL keeps to itself. */
    assert_result(believe(true), PARTY_ETLS_CERTIFICATE);
    assert_int_equal(unlink(link), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_of_the_system_is_trusted),
        cmocka_unit_test(test_file_of_the_system_that_cannot_be_opened_is_told),
        cmocka_unit_test(test_file_of_the_system_that_holds_no_certificate_is_told),
        cmocka_unit_test(test_what_the_system_does_not_have_is_passed_over),
        cmocka_unit_test(test_folders_of_the_system_are_looked_into),
    };
    return cmocka_run_group_tests(tests, test_pki_setup, test_pki_teardown);
}
