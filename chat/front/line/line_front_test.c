/* SPDX-License-Identifier: MIT */
#include "front/front_testing.h"
#include <stdio.h>
#include <string.h>
static void t(void **state)
{
    (void)state;
    struct house *house = house_open(NULL, NULL);
    struct user *user = user_connect(house, ENTRY_LINE);
    user_send(user, "");
    user_read(user);
    printf("%s--\n", user->text);
    user_forget(user);
    user_send(user, "/help\n/nick alice\nhello\n/me waves\n/who\n/rooms\n/topic\n/topic "
                    "fish\n/topic\n/msg alice hi\n/msg bob hi\n/join\n/join "
                    "kitchen\n/leave\n/leave\n/time\n/nope\n/history\n/search ell\nquit\n");
    user_read(user);
    printf("%s--\n", user->text);
    user_forget(user);
    printf("%s", house->logged);
    user_free(user);
    house_close(house);
}
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(t)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
