/* SPDX-License-Identifier: MIT */
#include <partyline/server.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/server_test_util.h"

static void test_serial_server_serves_one_after_the_other(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    struct party_server *server = open_with(&settings);
    assert_int_not_equal(party_address_port(party_server_address(server)), 0);
    struct serving serving;
    start_serving(&serving, server);
    for (int i = 0; i < 20; i++) {
        echo_once(server, "hello");
    }
    stop_serving(&serving);
    assert_int_equal(tally.logged, 0);
    party_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serial_server_serves_one_after_the_other),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
