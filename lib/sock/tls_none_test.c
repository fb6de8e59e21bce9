/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <partyline/tls.h>

/* What a library built without TLS says. */

static void test_no_context_can_be_made(void **state)
{
    (void)state;
    struct party_tls_context *context = NULL;
    char text[100] = "";
    int r = party_tls_context_create(PARTY_TLS_CLIENT, NULL, text, sizeof(text), &context);
    assert_int_equal(r, -EOPNOTSUPP);
    assert_null(context);
    assert_true(strlen(text) > 0);
    assert_int_equal(party_tls_context_create(PARTY_TLS_SERVER, NULL, NULL, 0, &context),
                     -EOPNOTSUPP);
    party_tls_context_unref(context);
}

static void test_nothing_can_be_wrapped(void **state)
{
    (void)state;
    struct party_tls *tls = NULL;
    assert_int_equal(party_tls_wrap_socket(NULL, NULL, NULL, &tls), -EOPNOTSUPP);
    assert_null(tls);
    party_tls_close(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_context_can_be_made),
        cmocka_unit_test(test_nothing_can_be_wrapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
