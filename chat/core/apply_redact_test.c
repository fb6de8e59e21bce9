/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/hub_script.h"
#include "core/label.h"

/*
 * Taking back what was said. The records from the log hold identities, which come from the seed and
 * the session: in these scripts {N} stands for the one of session N.
 */

#define SEED 5

static void run(const char *script)
{
    char filled[16384];
    size_t len = 0;
    for (const char *at = script; *at != '\0'; at++) {
        if (at[0] == '{') {
            len += (size_t)snprintf(filled + len, sizeof(filled) - len, "%" PRIu64,
                                    label_identity(SEED, (uint64_t)(at[1] - '0')));
            at += 2;
        } else {
            filled[len++] = *at;
        }
        assert_in_range(len, 0, sizeof(filled) - 1);
    }
    filled[len] = '\0';
    struct hub_settings settings = {.identity_seed = SEED};
    struct hub *hub = hub_create(&settings);
    hub_script_run(hub, filled);
    hub_destroy(hub);
}

/* Room 1, in which alice is the operator and bob said message 1, alice message 2. */
#define DEN                                                                                        \
    "> 1 REGISTER alice\n"                                                                         \
    "WELCOME @1 by=alice\n"                                                                        \
    "> 1 JOIN den\n"                                                                               \
    "ENTERED @1 room=den by=alice count=1\n"                                                       \
    "JOINED #den by=alice count=1\n"                                                               \
    "> 2 REGISTER bob\n"                                                                           \
    "WELCOME @2 by=bob\n"                                                                          \
    "> 2 JOIN den\n"                                                                               \
    "ENTERED @2 room=den by=bob count=2\n"                                                         \
    "JOINED #den by=bob count=2\n"                                                                 \
    "> 2 SAY den | one\n"                                                                          \
    "MESSAGE #den by=bob text=one seq=1 n=1\n"                                                     \
    "> 1 SAY den | two\n"                                                                          \
    "MESSAGE #den by=alice text=two seq=2 n=2\n"

#define CAROL                                                                                      \
    "> 3 REGISTER carol\n"                                                                         \
    "WELCOME @3 by=carol\n"

static void test_an_author_takes_its_message_back_and_nobody_is_shown_it_again(void **state)
{
    (void)state;
    run(DEN "> 2 REDACT=1 den | oops || 1;1;{2};/\n"
            "REDACTED #den by=bob text=oops value=1 n=3\n" CAROL "> 3 JOIN den\n"
            "ENTERED @3 room=den by=carol count=3 seq=2 [two]\n"
            "JOINED #den by=carol count=3\n");
}

static void test_only_operators_take_back_what_others_said(void **state)
{
    (void)state;
    run(DEN "> 2 REDACT=2 den || 1;2;{1};/\n"
            "ERROR @2 room=den REDACT_DENIED text=den count=2\n"
            "> 1 REDACT=1 den | spam || 1;1;{2};/\n"
            "REDACTED #den by=alice text=spam value=1 n=3\n" CAROL "> 3 REDACT=2 den || 1;2;{1};/\n"
            "ERROR @3 NOT_IN_ROOM text=den\n"
            "> 3 OPER | root\n"
            "OPERED @3 by=carol\n"
            "USER_MODE @3 by=carol of=carol extra=+o;;/ count=1\n"
            "> 3 REDACT=2 den || 1;2;{1};/\n"
            "REDACTED #den by=carol value=2 n=4\n"
            "REDACTED @3 room=den by=carol value=2 own n=4\n");
}

static void test_what_the_log_does_not_know_cannot_be_taken_back(void **state)
{
    (void)state;
    run(DEN "> 1 REDACT=9 den\n"
            "ERROR @1 room=den REDACT_UNKNOWN text=den count=9\n"
            "> 1 REDACT=9 nowhere\n"
            "ERROR @1 REDACT_UNKNOWN text=nowhere count=9\n"
            "> 1 REDACT=1 den || 7;1;{2};/\n"
            "ERROR @1 room=den REDACT_UNKNOWN text=den count=1\n"
            "> 1 REDACT=1 bob\n"
            "ERROR @1 REDACT_UNKNOWN text=bob count=1\n");
}

static void test_a_sealed_message_cannot_be_taken_back(void **state)
{
    (void)state;
    run(DEN "> 1 MODE den | +i;;/\n"
            "MODE #den by=alice extra=+i;;/ count=1 n=3\n"
            "SEALED @0 room=den value=all n=4\n"
            "> 1 LEAVE den\n"
            "GONE_FROM @1 room=den by=alice\n"
            "LEFT #den by=alice count=1\n"
            "> 2 LEAVE den\n"
            "GONE_FROM @2 room=den by=bob\n"
            "LEFT #den by=bob\n"
            "SEALED @0 room=den value=2 n=5\n"
            "> 2 JOIN den\n"
            "ENTERED @2 room=den by=bob from=3 count=1 seq=2\n"
            "JOINED #den by=bob count=1\n"
            "> 2 REDACT=1 den || 1;1;{2};/\n"
            "ERROR @2 room=den REDACT_UNKNOWN text=den count=1\n");
}

static void test_a_private_message_is_taken_back_by_its_author_alone(void **state)
{
    (void)state;
    run(DEN CAROL "> 2 PRIVATE alice | psst\n"
                  "PRIVATE_TO @1 by=bob of=alice text=psst n=3\n"
                  "PRIVATE_OF @2 by=bob of=alice text=psst n=3\n"
                  "> 1 REDACT=3 bob || 0;0;{2};{1};/\n"
                  "ERROR @1 REDACT_DENIED text=bob count=3\n"
                  "> 3 REDACT=3 bob || 0;0;{2};{1};/\n"
                  "ERROR @3 REDACT_UNKNOWN text=bob count=3\n"
                  "> 2 REDACT=3 alice | oops || 0;0;{2};{1};/\n"
                  "REDACTED @2 by=bob of=alice text=oops value=3 n=4\n"
                  "REDACTED @1 by=bob of=alice text=oops value=3 n=4\n");
}

static void test_a_receiver_who_left_is_not_told(void **state)
{
    (void)state;
    run(DEN "> 2 PRIVATE alice | psst\n"
            "PRIVATE_TO @1 by=bob of=alice text=psst n=3\n"
            "PRIVATE_OF @2 by=bob of=alice text=psst n=3\n"
            "> 1 NICK anna\n"
            "RENAMED +1+ by=alice of=anna\n"
            "> 3 REGISTER alice\n"
            "WELCOME @3 by=alice\n"
            "> 2 REDACT=3 alice || 0;0;{2};{1};/\n"
            "REDACTED @2 by=bob of=alice value=3 n=4\n");
}

static void test_while_the_log_fails_nothing_is_taken_back(void **state)
{
    (void)state;
    run(DEN "> ! disk full\n"
            "> 2 REDACT=1 den || 1;1;{2};/\n"
            "ERROR @2 NOT_STORED text=disk full\n"
            "> 2 REDACT=3 alice || 0;0;{2};{1};/\n"
            "ERROR @2 NOT_STORED text=disk full\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_author_takes_its_message_back_and_nobody_is_shown_it_again),
        cmocka_unit_test(test_only_operators_take_back_what_others_said),
        cmocka_unit_test(test_what_the_log_does_not_know_cannot_be_taken_back),
        cmocka_unit_test(test_a_sealed_message_cannot_be_taken_back),
        cmocka_unit_test(test_a_private_message_is_taken_back_by_its_author_alone),
        cmocka_unit_test(test_a_receiver_who_left_is_not_told),
        cmocka_unit_test(test_while_the_log_fails_nothing_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
