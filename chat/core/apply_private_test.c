/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* Messages from one user to another. */

static void run(const struct hub_settings *settings, const char *script)
{
    struct hub *hub = hub_create(settings);
    hub_script_run(hub, script);
    hub_destroy(hub);
}

static void test_both_sides_get_a_message_with_one_number(void **state)
{
    (void)state;
    run(&(struct hub_settings){0}, "> 1 REGISTER alice\n"
                                   "WELCOME @1 by=alice\n"
                                   "> 2 REGISTER bob\n"
                                   "WELCOME @2 by=bob\n"
                                   "> 1 PRIVATE BOB | hello\n"
                                   "PRIVATE_TO @2 by=alice of=bob text=hello n=1\n"
                                   "PRIVATE_OF @1 by=alice of=bob text=hello n=1\n"
                                   "> 1 PRIVATE alice | to myself\n"
                                   "PRIVATE_TO @1 by=alice of=alice text=to myself n=2\n"
                                   "PRIVATE_OF @1 by=alice of=alice text=to myself n=2\n");
}

static void test_kinds_and_tags_go_with_it(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 1 PRIVATE.ACTION bob | waves @ +a=b\n"
        "PRIVATE_TO @2 by=alice of=bob text=waves tags=+a=b kind=1 n=1\n"
        "PRIVATE_OF @1 by=alice of=bob text=waves tags=+a=b kind=1 n=1\n"
        "> 1 PRIVATE.NOTICE bob | psst\n"
        "PRIVATE_TO @2 by=alice of=bob text=psst kind=2 n=2\n"
        "PRIVATE_OF @1 by=alice of=bob text=psst kind=2 n=2\n"
        "> 1 PRIVATE.TAGS bob @ +typing=active\n"
        "PRIVATE_TO @2 by=alice of=bob tags=+typing=active kind=3 count=1\n"
        "PRIVATE_OF @1 by=alice of=bob tags=+typing=active kind=3 count=1\n"
        "> 1 PRIVATE.TAGS bob | no text goes with tags @ +typing=done\n"
        "PRIVATE_TO @2 by=alice of=bob tags=+typing=done kind=3 count=2\n"
        "PRIVATE_OF @1 by=alice of=bob tags=+typing=done kind=3 count=2\n"
        "> 1 PRIVATE.TAGS/KEEP bob | neither with those that are kept @ +react=x\n"
        "PRIVATE_TO @2 by=alice of=bob tags=+react=x kind=3 n=3\n"
        "PRIVATE_OF @1 by=alice of=bob tags=+react=x kind=3 n=3\n"
        "> 1 PRIVATE.TAGS nobody @ +typing=done\n"
        "ERROR @1 NO_SUCH_NAME text=nobody\n");
}

static void test_who_writes_learns_why_the_receiver_is_away(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 AWAY | tea\n"
        "AWAY + by=bob text=tea\n"
        "> 1 PRIVATE bob | hello\n"
        "PRIVATE_TO @2 by=alice of=bob text=hello n=1\n"
        "PRIVATE_OF @1 by=alice of=bob text=hello extra=tea n=1\n"
        "> 1 PRIVATE.ACTION bob | waves\n"
        "PRIVATE_TO @2 by=alice of=bob text=waves kind=1 n=2\n"
        "PRIVATE_OF @1 by=alice of=bob text=waves extra=tea kind=1 n=2\n"
        "> 1 PRIVATE.NOTICE bob | psst\n"
        "PRIVATE_TO @2 by=alice of=bob text=psst kind=2 n=3\n"
        "PRIVATE_OF @1 by=alice of=bob text=psst kind=2 n=3\n"
        "> 1 PRIVATE.TAGS bob @ +typing=active\n"
        "PRIVATE_TO @2 by=alice of=bob tags=+typing=active kind=3 count=1\n"
        "PRIVATE_OF @1 by=alice of=bob tags=+typing=active kind=3 count=1\n"
        "> 2 AWAY\n"
        "AWAY + by=bob\n"
        "> 1 PRIVATE bob | hello\n"
        "PRIVATE_TO @2 by=alice of=bob text=hello n=4\n"
        "PRIVATE_OF @1 by=alice of=bob text=hello n=4\n");
}

static void test_lines_are_counted(void **state)
{
    (void)state;
    run(
        &(struct hub_settings){
            .limits = {.text_bytes = 8, .multiline_bytes = 12, .multiline_lines = 3}},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 PRIVATE alice | one/two~three\n"
        "ERROR @1 TEXT_LONG count=12\n"
        "> 1 PRIVATE alice | one/two~33\n"
        "PRIVATE_TO @1 by=alice of=alice text=one/two~33 n=1\n"
        "PRIVATE_OF @1 by=alice of=alice text=one/two~33 n=1\n"
        "> 1 PRIVATE alice | 1/2/3/4\n"
        "ERROR @1 TEXT_LONG count=3\n"
        "> 1 PRIVATE alice | 123456789\n"
        "ERROR @1 TEXT_LONG count=8\n"
        "> 1 PRIVATE alice |  / ~\n"
        "PRIVATE_TO @1 by=alice of=alice text= / ~ n=2\n"
        "PRIVATE_OF @1 by=alice of=alice text= / ~ n=2\n"
        "> 1 PRIVATE alice | /~\n"
        "ERROR @1 TEXT_EMPTY\n");
}

static void test_a_message_of_tags_needs_no_log(void **state)
{
    (void)state;
    run(&(struct hub_settings){0},
        "> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> ! disk full\n"
        "> 1 PRIVATE alice | hello\n"
        "ERROR @1 NOT_STORED text=disk full\n"
        "> 1 PRIVATE.TAGS alice @ +typing=active\n"
        "PRIVATE_TO @1 by=alice of=alice tags=+typing=active kind=3 count=1\n"
        "PRIVATE_OF @1 by=alice of=alice tags=+typing=active kind=3 count=1\n"
        "> 1 PRIVATE.TAGS alice @ +typing=active\n"
        "PRIVATE_TO @1 by=alice of=alice tags=+typing=active kind=3 count=2\n"
        "PRIVATE_OF @1 by=alice of=alice tags=+typing=active kind=3 count=2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_sides_get_a_message_with_one_number),
        cmocka_unit_test(test_kinds_and_tags_go_with_it),
        cmocka_unit_test(test_who_writes_learns_why_the_receiver_is_away),
        cmocka_unit_test(test_lines_are_counted),
        cmocka_unit_test(test_a_message_of_tags_needs_no_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
