/* SPDX-License-Identifier: MIT */
#include <partyline/resolve.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <partyline/error.h>

#include "fail_malloc.h"

/*
 * The databases are played here: /etc/services is not on every machine. "toolarge" asks for more
 * memory for ever, "large" for 100,000 bytes, "broken" is what fails; "echo" is found.
 */

#define LARGE_BYTES 100000

int __wrap_getservbyname_r(const char *name, const char *proto, struct servent *entry, char *buf,
                           size_t cap, struct servent **ret_found);
int __wrap_getservbyport_r(int port, const char *proto, struct servent *entry, char *buf,
                           size_t cap, struct servent **ret_found);
int __wrap_getprotobyname_r(const char *name, struct protoent *entry, char *buf, size_t cap,
                            struct protoent **ret_found);
struct if_nameindex *__real_if_nameindex(void);
struct if_nameindex *__wrap_if_nameindex(void);
void __real_if_freenameindex(struct if_nameindex *all);
void __wrap_if_freenameindex(struct if_nameindex *all);
unsigned __real_if_nametoindex(const char *name);
unsigned __wrap_if_nametoindex(const char *name);
char *__real_if_indextoname(unsigned index, char *name);
char *__wrap_if_indextoname(unsigned index, char *name);

static const char *mode;      /* the name that getservbyport is to be asked for */
static bool interfaces_fail;  /* with EMFILE */
static bool interfaces_blank; /* as errno */
static bool interfaces_none;  /* an empty list */
static struct if_nameindex no_interface;

/* Returns: -1 when the name is found, else what the call returns. */
static int play(const char *name, char *buf, size_t cap)
{
    if (strcmp(name, "toolarge") == 0 || (strcmp(name, "large") == 0 && cap < LARGE_BYTES)) {
        return ERANGE;
    }
    if (strcmp(name, "large") == 0) {
        memset(buf, 'x', LARGE_BYTES);
    }
    if (strcmp(name, "broken") == 0) {
        return EIO;
    }
    return strcmp(name, "echo") == 0 || strcmp(name, "large") == 0 ? -1 : 0;
}

int __wrap_getservbyname_r(const char *name, const char *proto, struct servent *entry, char *buf,
                           size_t cap, struct servent **ret_found)
{
    int r = proto == NULL || strcmp(proto, "tcp") == 0 ? play(name, buf, cap) : 0;
    entry->s_port = htons(60007);
    *ret_found = r == -1 ? entry : NULL;
    return r == -1 ? 0 : r;
}

int __wrap_getservbyport_r(int port, const char *proto, struct servent *entry, char *buf,
                           size_t cap, struct servent **ret_found)
{
    static char name[] = "echo";
    assert_int_equal(port, htons(60007));
    int r = proto == NULL || strcmp(proto, "tcp") == 0 ? play(mode, buf, cap) : 0;
    entry->s_name = name;
    *ret_found = r == -1 ? entry : NULL;
    return r == -1 ? 0 : r;
}

int __wrap_getprotobyname_r(const char *name, struct protoent *entry, char *buf, size_t cap,
                            struct protoent **ret_found)
{
    int r = play(name, buf, cap);
    entry->p_proto = 132;
    *ret_found = r == -1 ? entry : NULL;
    return r == -1 ? 0 : r;
}

struct if_nameindex *__wrap_if_nameindex(void)
{
    errno = EMFILE;
    if (interfaces_fail) {
        return NULL;
    }
    return interfaces_none ? &no_interface : __real_if_nameindex();
}

void __wrap_if_freenameindex(struct if_nameindex *all)
{
    if (all != &no_interface) {
        __real_if_freenameindex(all);
    }
}

unsigned __wrap_if_nametoindex(const char *name)
{
    errno = interfaces_blank ? 0 : EMFILE;
    return interfaces_fail ? 0 : __real_if_nametoindex(name);
}

char *__wrap_if_indextoname(unsigned index, char *name)
{
    errno = interfaces_blank ? 0 : EMFILE;
    return interfaces_fail ? NULL : __real_if_indextoname(index, name);
}

static int reset(void **state)
{
    (void)state;
    mode = "echo";
    interfaces_fail = false;
    interfaces_blank = false;
    interfaces_none = false;
    return 0;
}

static void test_services_and_protocols_are_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(party_resolve_getservbyname("echo", NULL), 60007);
    assert_int_equal(party_resolve_getservbyname("echo", "tcp"), 60007);
    assert_int_equal(party_resolve_getservbyname("large", "tcp"), 60007);
    assert_int_equal(party_resolve_getprotobyname("echo"), 132);
    assert_int_equal(party_resolve_getprotobyname("large"), 132);
}

static void test_services_are_found_by_port(void **state)
{
    (void)state;
    char name[8] = "";
    assert_int_equal(party_resolve_getservbyport(60007, NULL, name, sizeof(name)), 0);
    assert_string_equal(name, "echo");
    mode = "large";
    assert_int_equal(party_resolve_getservbyport(60007, "tcp", name, 5), 0);
}

static void test_what_is_not_there_is_enoent(void **state)
{
    (void)state;
    char name[8] = "as is";
    assert_int_equal(party_resolve_getservbyname("none", NULL), -ENOENT);
    assert_int_equal(party_resolve_getservbyname("echo", "udp"), -ENOENT);
    assert_int_equal(party_resolve_getservbyname("echo", ""), -ENOENT);
    assert_int_equal(party_resolve_getprotobyname("none"), -ENOENT);
    mode = "none";
    assert_int_equal(party_resolve_getservbyport(60007, NULL, name, sizeof(name)), -ENOENT);
    assert_string_equal(name, "as is");
}

static void test_failures_of_the_databases_are_told(void **state)
{
    (void)state;
    char name[8] = "as is";
    assert_int_equal(party_resolve_getservbyname("broken", NULL), -EIO);
    assert_int_equal(party_resolve_getservbyname("toolarge", NULL), -ENOMEM);
    assert_int_equal(party_resolve_getprotobyname("broken"), -EIO);
    assert_int_equal(party_resolve_getprotobyname("toolarge"), -ENOMEM);
    mode = "broken";
    assert_int_equal(party_resolve_getservbyport(60007, NULL, name, sizeof(name)), -EIO);
    mode = "toolarge";
    assert_int_equal(party_resolve_getservbyport(60007, NULL, name, sizeof(name)), -ENOMEM);
    assert_string_equal(name, "as is");
}

static void test_ports_out_of_range_and_names_too_long_are_refused(void **state)
{
    (void)state;
    char name[8] = "as is";
    assert_int_equal(party_resolve_getservbyport(-1, NULL, name, sizeof(name)), -ERANGE);
    assert_int_equal(party_resolve_getservbyport(65536, NULL, name, sizeof(name)), -ERANGE);
    assert_int_equal(party_resolve_getservbyport(60007, NULL, name, 4), -ENAMETOOLONG);
    assert_int_equal(party_resolve_getservbyport(60007, NULL, name, 0), -ENAMETOOLONG);
    assert_string_equal(name, "as is");
}

static void test_every_interface_has_its_number_both_ways(void **state)
{
    (void)state;
    struct party_resolve_interfaces all;
    assert_int_equal(party_resolve_if_nameindex(&all), 0);
    for (size_t i = 0; i < all.count; i++) {
        unsigned index = 0;
        char name[IF_NAMESIZE];
        assert_int_equal(party_resolve_if_nametoindex(all.entries[i].name, &index), 0);
        assert_int_equal(index, all.entries[i].index);
        assert_int_equal(party_resolve_if_indextoname(index, name), 0);
        assert_string_equal(name, all.entries[i].name);
    }
    party_resolve_interfaces_finish(&all);
    assert_null(all.entries);
    assert_int_equal(all.count, 0);
    party_resolve_interfaces_finish(&all);
    party_resolve_interfaces_finish(NULL);

    interfaces_none = true;
    assert_int_equal(party_resolve_if_nameindex(&all), 0);
    assert_int_equal(all.count, 0);
    assert_null(all.entries);
}

static void test_interfaces_that_are_not_there_have_no_number(void **state)
{
    (void)state;
    unsigned index = 77;
    char name[IF_NAMESIZE] = "as is";
    assert_int_equal(party_resolve_if_nametoindex("no-such-if", &index), -ENODEV);
    assert_int_equal(party_resolve_if_nametoindex("", &index), -ENODEV);
    assert_int_equal(party_resolve_if_nametoindex("longer-than-any-name", &index), -ENODEV);
    assert_int_equal(party_resolve_if_indextoname(0, name), -ENXIO);
    assert_int_equal(party_resolve_if_indextoname(0x7fffffff, name), -ENXIO);
    assert_int_equal(index, 77);
    assert_string_equal(name, "as is");
}

static void test_failures_to_ask_for_interfaces_are_told(void **state)
{
    (void)state;
    struct party_resolve_interfaces all = {.count = 77};
    unsigned index = 77;
    char name[IF_NAMESIZE] = "as is";
    interfaces_fail = true;
    assert_int_equal(party_resolve_if_nameindex(&all), -EMFILE);
    assert_int_equal(party_resolve_if_nametoindex("lo", &index), -EMFILE);
    assert_int_equal(party_resolve_if_indextoname(1, name), -EMFILE);
    interfaces_blank = true;
    assert_int_equal(party_resolve_if_nametoindex("lo", &index), -ENODEV);
    assert_int_equal(party_resolve_if_indextoname(1, name), -ENXIO);
    assert_int_equal(all.count, 77);
    assert_int_equal(index, 77);
    assert_string_equal(name, "as is");
}

static int ask_everything(void *user)
{
    (void)user;
    char name[8];
    struct party_resolve_interfaces all;
    mode = "large";
    int r = party_resolve_getservbyname("large", NULL);
    if (r >= 0) {
        r = party_resolve_getprotobyname("large");
    }
    if (r >= 0) {
        r = party_resolve_getservbyport(60007, NULL, name, sizeof(name));
    }
    if (r >= 0) {
        r = party_resolve_if_nameindex(&all);
    }
    if (r >= 0) {
        party_resolve_interfaces_finish(&all);
        r = 0;
    }
    return r;
}

static void test_everything_survives_no_memory(void **state)
{
    (void)state;
    /* Three times 8 KiB, 32 KiB and 128 KiB, and the list of interfaces. */
    assert_int_equal(assert_survives_malloc_failure(ask_everything, NULL), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_services_and_protocols_are_found_by_name, reset),
        cmocka_unit_test_setup(test_services_are_found_by_port, reset),
        cmocka_unit_test_setup(test_what_is_not_there_is_enoent, reset),
        cmocka_unit_test_setup(test_failures_of_the_databases_are_told, reset),
        cmocka_unit_test_setup(test_ports_out_of_range_and_names_too_long_are_refused, reset),
        cmocka_unit_test_setup(test_every_interface_has_its_number_both_ways, reset),
        cmocka_unit_test_setup(test_interfaces_that_are_not_there_have_no_number, reset),
        cmocka_unit_test_setup(test_failures_to_ask_for_interfaces_are_told, reset),
        cmocka_unit_test_setup(test_everything_survives_no_memory, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
