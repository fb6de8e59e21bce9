/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/hub_script.h"

/* Putting somebody out of a room, its topic, its name, and what stays behind its closed doors. */

static void run(const char *script, const struct hub_limits *limits)
{
    struct hub_settings settings = {.identity_seed = 5};
    if (limits != NULL) {
        settings.limits = *limits;
    }
    struct hub *hub = hub_create(&settings);
    hub_script_run(hub, script);
    hub_destroy(hub);
}

static void test_an_operator_puts_somebody_out(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=2\n"
        "JOINED #den by=bob count=2\n"
        "> 2 REMOVE den | rude || alice\n"
        "ERROR @2 NOT_RANKED text=den\n"
        "> 1 REMOVE den | rude || nobody\n"
        "ERROR @1 NO_SUCH_NAME text=nobody\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 1 REMOVE den || carol\n"
        "ERROR @1 room=den NOT_THERE text=den extra=carol\n"
        "> 3 REMOVE den || bob\n"
        "ERROR @3 NOT_IN_ROOM text=den\n"
        "> 1 REMOVE nowhere || bob\n"
        "ERROR @1 NO_SUCH_ROOM text=nowhere\n"
        "> 1 REMOVE den | rude || BOB\n"
        "REMOVED #den by=alice of=bob text=rude count=1 n=1\n"
        "GONE_FROM @2 room=den by=alice of=bob text=rude\n"
        "> 2 SAY den | hello\n"
        "ERROR @2 CANNOT_SEND text=den\n"
        "> 1 REMOVE den || alice\n"
        "REMOVED #den by=alice of=alice n=2\n"
        "GONE_FROM @1 room=den by=alice of=alice\n",
        NULL);
}

static void test_nobody_is_put_out_while_it_cannot_be_stored(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=2\n"
        "JOINED #den by=bob count=2\n"
        "> ! disk full\n"
        "> 1 REMOVE den | rude || bob\n"
        "ERROR @1 NOT_STORED text=disk full\n"
        "> !\n"
        "> 2 SAY den | still here\n"
        "MESSAGE #den by=bob text=still here seq=1 n=1\n"
        "> 1 REMOVE den | rude || bob\n"
        "REMOVED #den by=alice of=bob text=rude count=1 n=2\n"
        "GONE_FROM @2 room=den by=alice of=bob text=rude\n",
        NULL);
}

static void test_an_operator_of_the_server_is_told_what_it_does_from_outside(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=2\n"
        "JOINED #den by=bob count=2\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 3 OPER | root\n"
        "OPERED @3 by=carol\n"
        "USER_MODE @3 by=carol of=carol extra=+o;;/ count=1\n"
        "> 3 TOPIC den | tea\n"
        "TOPIC #den by=carol text=tea seq=1 n=1\n"
        "TOPIC @3 room=den by=carol text=tea own seq=1 n=1\n"
        "> 3 MODE den | +m;;/\n"
        "MODE #den by=carol extra=+m;;/ count=1 n=2\n"
        "MODE @3 room=den by=carol extra=+m;;/ own count=1 n=2\n"
        "> 3 SAY den | hello\n"
        "MESSAGE #den by=carol text=hello seq=2 n=3\n"
        "MESSAGE @3 room=den by=carol text=hello own seq=2 n=3\n"
        "> 3 REMOVE den | rude || bob\n"
        "REMOVED #den by=carol of=bob text=rude count=1 n=4\n"
        "GONE_FROM @2 room=den by=carol of=bob text=rude\n"
        "REMOVED @3 room=den by=carol of=bob text=rude own count=1 n=4\n"
        "> 3 RENAME_ROOM den || cave\n"
        "ROOM_RENAMED #den by=carol of=cave n=5\n"
        "ROOM_RENAMED @3 room=den by=carol of=cave own n=5\n"
        "> *9 REMOVE cave || alice\n"
        "REMOVED #cave by=server of=alice n=6\n"
        "GONE_FROM @1 room=cave by=server of=alice\n"
        "REPLY_DONE @9\n",
        NULL);
}

static void test_a_locked_topic_is_for_operators(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=2\n"
        "JOINED #den by=bob count=2\n"
        "> 2 TOPIC den | tea\n"
        "ERROR @2 NOT_RANKED text=den\n"
        "> 1 TOPIC den | tea\n"
        "TOPIC #den by=alice text=tea seq=1 n=1\n"
        "> 1 MODE den | -t;;/\n"
        "MODE #den by=alice extra=-t;;/ count=1 n=2\n"
        "> 2 TOPIC den | coffee\n"
        "TOPIC #den by=bob text=coffee seq=2 n=3\n"
        "> 3 REGISTER carol\n"
        "WELCOME @3 by=carol\n"
        "> 3 TOPIC den | milk\n"
        "ERROR @3 NOT_IN_ROOM text=den\n"
        "> 3 GET_TOPIC den\n"
        "REPLY_TOPIC @3 room=den by=bob text=coffee\n",
        NULL);
}

static void test_a_room_gets_another_name(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=2\n"
        "JOINED #den by=bob count=2\n"
        "> 2 RENAME_ROOM den || cave\n"
        "ERROR @2 NOT_RANKED text=den\n"
        "> 1 RENAME_ROOM den | why not || Den\n"
        "ROOM_RENAMED #den by=alice of=Den text=why not n=1\n"
        "> 1 RENAME_ROOM den || Cave\n"
        "ROOM_RENAMED #Den by=alice of=Cave n=2\n"
        "> 1 SAY cave | hello\n"
        "MESSAGE #Cave by=alice text=hello seq=1 n=3\n"
        "> 1 SAY den | hello\n"
        "ERROR @1 NO_SUCH_ROOM text=den\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=1\n"
        "JOINED #den by=bob count=1\n"
        "> 2 RENAME_ROOM den || CAVE\n"
        "ERROR @2 ROOM_TAKEN text=CAVE\n"
        "> 2 RENAME_ROOM den || bad name\n"
        "ERROR @2 ROOM_BAD text=bad name\n"
        "> 2 RENAME_ROOM den || den\n"
        "ERROR @2 ROOM_TAKEN text=den\n"
        "> *9 RENAME_ROOM den || lobby\n"
        "ERROR @9 ROOM_TAKEN text=lobby\n"
        "> 3 ENTER carol\n"
        "WELCOME @3 by=carol\n"
        "ENTERED @3 room=lobby by=carol count=1\n"
        "JOINED #lobby by=carol count=1\n"
        "> *9 RENAME_ROOM lobby || hall\n"
        "ERROR @9 RENAME_DENIED text=lobby\n"
        "> 1 RENAME_ROOM cave || too_long_a_name\n"
        "ERROR @1 ROOM_LONG text=too_long_a_name count=8\n"
        "> ! disk full\n"
        "> 2 RENAME_ROOM den || hole\n"
        "ERROR @2 NOT_STORED text=disk full\n",
        &(struct hub_limits){.room_bytes = 8});
}

static void test_what_was_said_in_a_closed_room_is_sealed(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 TOPIC den | plans\n"
        "TOPIC #den by=alice text=plans seq=1 n=1\n"
        "> 1 SAY den | one\n"
        "MESSAGE #den by=alice text=one seq=2 n=2\n"
        "> 1 MODE den | +i;;/\n"
        "MODE #den by=alice extra=+i;;/ count=1 n=3\n"
        "SEALED @0 room=den value=all n=4\n"
        "> 1 MODE den | -i;;/+k;fish;/\n"
        "MODE #den by=alice extra=-i;;/+k;fish;/ count=2 n=5\n"
        "> 1 SAY den | two\n"
        "MESSAGE #den by=alice text=two seq=3 n=6\n"
        "> 1 MODE den | -k;fish;/\n"
        "MODE #den by=alice extra=-k;*;/ count=1 n=7\n"
        "> 1 LEAVE den\n"
        "GONE_FROM @1 room=den by=alice\n"
        "LEFT #den by=alice\n"
        "SEALED @0 room=den value=3 n=8\n"
        "> 1 ROOMS\n"
        "REPLY_ROOMS @1\n"
        "> 1 GET_TOPIC den\n"
        "ERROR @1 NO_SUCH_ROOM text=den\n"
        "> 1 WHO den\n"
        "ERROR @1 NO_SUCH_ROOM text=den\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob from=4 count=1 seq=3\n"
        "JOINED #den by=bob count=1\n"
        "> 2 SAY den | three\n"
        "MESSAGE #den by=bob text=three seq=4 n=9\n"
        "> 2 LEAVE den\n"
        "GONE_FROM @2 room=den by=bob\n"
        "LEFT #den by=bob\n"
        "> 1 ROOMS\n"
        "REPLY_ROOMS @1 text=den;0; count=1\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice from=4 count=1 seq=4 [three]\n"
        "JOINED #den by=alice count=1\n",
        NULL);
}

static void test_an_open_room_is_not_sealed(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 SAY den | one\n"
        "MESSAGE #den by=alice text=one seq=1 n=1\n"
        "> 1 MODE den | +m;;/\n"
        "MODE #den by=alice extra=+m;;/ count=1 n=2\n"
        "> 1 LEAVE den\n"
        "GONE_FROM @1 room=den by=alice\n"
        "LEFT #den by=alice\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=1 seq=1 [one]\n"
        "JOINED #den by=bob count=1\n",
        NULL);
}

static void test_a_room_in_which_nothing_was_said_is_forgotten_with_its_seal(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 MODE den | +s;;/\n"
        "MODE #den by=alice extra=+s;;/ count=1 n=1\n"
        "SEALED @0 room=den value=all n=2\n"
        "> 1 QUIT\n"
        "GOODBYE @1 by=alice\n"
        "QUIT +1+ by=alice count=1\n"
        "SEALED @0 room=den n=3\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob count=1\n"
        "JOINED #den by=bob count=1\n",
        NULL);
}

static void test_while_the_log_fails_a_room_is_sealed_all_the_same(void **state)
{
    (void)state;
    run("> 1 REGISTER alice\n"
        "WELCOME @1 by=alice\n"
        "> 1 JOIN den\n"
        "ENTERED @1 room=den by=alice count=1\n"
        "JOINED #den by=alice count=1\n"
        "> 1 SAY den | one\n"
        "MESSAGE #den by=alice text=one seq=1 n=1\n"
        "> 1 MODE den | +s;;/\n"
        "MODE #den by=alice extra=+s;;/ count=1 n=2\n"
        "SEALED @0 room=den value=all n=3\n"
        "> ! disk full\n"
        "> 1 LEAVE den\n"
        "GONE_FROM @1 room=den by=alice\n"
        "LEFT #den by=alice\n"
        "> 2 REGISTER bob\n"
        "WELCOME @2 by=bob\n"
        "> 2 JOIN den\n"
        "ENTERED @2 room=den by=bob from=2 count=1 seq=1\n"
        "JOINED #den by=bob count=1\n",
        NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_operator_puts_somebody_out),
        cmocka_unit_test(test_nobody_is_put_out_while_it_cannot_be_stored),
        cmocka_unit_test(test_an_operator_of_the_server_is_told_what_it_does_from_outside),
        cmocka_unit_test(test_a_locked_topic_is_for_operators),
        cmocka_unit_test(test_a_room_gets_another_name),
        cmocka_unit_test(test_what_was_said_in_a_closed_room_is_sealed),
        cmocka_unit_test(test_an_open_room_is_not_sealed),
        cmocka_unit_test(test_a_room_in_which_nothing_was_said_is_forgotten_with_its_seal),
        cmocka_unit_test(test_while_the_log_fails_a_room_is_sealed_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
