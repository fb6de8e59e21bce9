/* SPDX-License-Identifier: MIT */
#include <partyline/resolve.h>

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/error.h>

#include "fail_malloc.h"

/* The old resolver calls are played here, so that a host can have any names and any failure. */

int __real_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t host_cap,
                       char *service, socklen_t service_cap, int flags);
int __wrap_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t host_cap,
                       char *service, socklen_t service_cap, int flags);
int __wrap_gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buf,
                            size_t cap, struct hostent **ret_found, int *ret_herr);
int __wrap_gethostbyaddr_r(const void *bytes, socklen_t len, int family, struct hostent *entry,
                           char *buf, size_t cap, struct hostent **ret_found, int *ret_herr);
int __wrap_gethostname(char *name, size_t cap);
int __wrap_sethostname(const char *name, size_t len);

static struct {
    struct hostent *host; /* what is found; NULL: nothing */
    int herr;             /* h_errno then */
    int error;            /* what the call returns */
    size_t needs;         /* bytes of memory, below which it says ERANGE */
    int family;           /* that was asked for */
    char asked[INET6_ADDRSTRLEN];
    int eai; /* of getnameinfo; 0: libc's */
    const char *own_name;
    int own_error; /* errno of gethostname and sethostname; 0: they work */
    char set_name[16];
} system_says;

int __wrap_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host, socklen_t host_cap,
                       char *service, socklen_t service_cap, int flags)
{
    if (system_says.eai == EAI_SYSTEM) {
        errno = EMFILE;
    }
    return system_says.eai != 0
               ? system_says.eai
               : __real_getnameinfo(sa, len, host, host_cap, service, service_cap, flags);
}

static int answer(struct hostent *entry, size_t cap, struct hostent **ret_found, int *ret_herr)
{
    if (cap < system_says.needs) {
        *ret_found = NULL;
        *ret_herr = NETDB_INTERNAL;
        return ERANGE;
    }
    *ret_herr = system_says.herr;
    *ret_found = NULL;
    if (system_says.host != NULL) {
        *entry = *system_says.host;
        *ret_found = entry;
    }
    return system_says.error;
}

int __wrap_gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buf,
                            size_t cap, struct hostent **ret_found, int *ret_herr)
{
    (void)buf;
    system_says.family = family;
    (void)strncpy(system_says.asked, name, sizeof(system_says.asked) - 1);
    return answer(entry, cap, ret_found, ret_herr);
}

int __wrap_gethostbyaddr_r(const void *bytes, socklen_t len, int family, struct hostent *entry,
                           char *buf, size_t cap, struct hostent **ret_found, int *ret_herr)
{
    (void)buf;
    assert_int_equal(len, family == AF_INET6 ? 16 : 4);
    system_says.family = family;
    (void)inet_ntop(family, bytes, system_says.asked, sizeof(system_says.asked));
    return answer(entry, cap, ret_found, ret_herr);
}

int __wrap_gethostname(char *name, size_t cap)
{
    errno = system_says.own_error;
    if (system_says.own_error != 0) {
        return -1;
    }
    (void)strncpy(name, system_says.own_name, cap);
    return 0;
}

int __wrap_sethostname(const char *name, size_t len)
{
    errno = system_says.own_error;
    if (system_says.own_error != 0) {
        return -1;
    }
    assert_true(len < sizeof(system_says.set_name));
    memcpy(system_says.set_name, name, len);
    system_says.set_name[len] = '\0';
    return 0;
}

/* A host with two addresses and two other names, the second with a dot. */
static char name_plain[] = "plain";
static char name_alias[] = "alias";
static char name_full[] = "full.example";
static char v4_first[] = {(char)192, 0, 2, 1};
static char v4_second[] = {(char)192, 0, 2, 2};
static char *aliases[] = {name_alias, name_full, NULL};
static char *addresses[] = {v4_first, v4_second, NULL};
static struct hostent plain_host = {.h_name = name_plain,
                                    .h_aliases = aliases,
                                    .h_addrtype = AF_INET,
                                    .h_length = 4,
                                    .h_addr_list = addresses};

static int reset(void **state)
{
    (void)state;
    memset(&system_says, 0, sizeof(system_says));
    system_says.own_name = "own";
    return 0;
}

/* ---- getnameinfo ---- */

static void test_getnameinfo_writes_numbers_without_a_look_up(void **state)
{
    (void)state;
    struct party_address address;
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    assert_int_equal(party_resolve_address("2001:db8::1", 60000, AF_INET6, &address), 0);
    assert_int_equal(party_resolve_getnameinfo(&address, NI_NUMERICHOST | NI_NUMERICSERV, host,
                                               sizeof(host), service, sizeof(service)),
                     0);
    assert_string_equal(host, "2001:db8::1");
    assert_string_equal(service, "60000");

    memset(host, 0, sizeof(host));
    assert_int_equal(
        party_resolve_getnameinfo(&address, NI_NUMERICHOST, host, sizeof(host), NULL, 0), 0);
    assert_string_equal(host, "2001:db8::1");
    assert_int_equal(
        party_resolve_getnameinfo(&address, NI_NUMERICSERV, NULL, 0, service, sizeof(service)), 0);
}

static void assert_getnameinfo_refuses(const struct party_address *address, size_t host_cap,
                                       size_t service_cap, int code)
{
    char host[NI_MAXHOST] = "as is";
    char service[NI_MAXSERV] = "as is";
    assert_int_equal(party_resolve_getnameinfo(address, NI_NUMERICHOST | NI_NUMERICSERV, host,
                                               host_cap, service, service_cap),
                     code);
    assert_string_equal(host, "as is");
    assert_string_equal(service, "as is");
}

static void test_getnameinfo_refuses_what_has_no_room_or_no_name(void **state)
{
    (void)state;
    static const int answers[] = {EAI_BADFLAGS, EAI_NONAME, EAI_AGAIN,
                                  EAI_FAIL,     EAI_MEMORY, EAI_OVERFLOW};
    struct party_address address;
    assert_int_equal(party_resolve_address("192.0.2.1", 60000, AF_INET, &address), 0);
    assert_getnameinfo_refuses(&address, 9, NI_MAXSERV, -ENAMETOOLONG);
    assert_getnameinfo_refuses(&address, NI_MAXHOST, 5, -ENAMETOOLONG);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        system_says.eai = answers[i];
        assert_getnameinfo_refuses(&address, NI_MAXHOST, NI_MAXSERV, -5100 + answers[i]);
    }
    system_says.eai = EAI_SYSTEM;
    assert_getnameinfo_refuses(&address, NI_MAXHOST, NI_MAXSERV, -EMFILE);
    system_says.eai = 0;
    assert_int_equal(party_resolve_getnameinfo(&address, 0, NULL, 0, NULL, 0), PARTY_EGAI_NONAME);

    struct party_address other = {.len = sizeof(other.u.un)};
    other.u.un.sun_family = AF_UNIX;
    assert_getnameinfo_refuses(&other, NI_MAXHOST, NI_MAXSERV, PARTY_EGAI_FAMILY);
    other.len = 0;
    assert_getnameinfo_refuses(&other, NI_MAXHOST, NI_MAXSERV, PARTY_EGAI_FAMILY);
    address.len = 3;
    assert_getnameinfo_refuses(&address, NI_MAXHOST, NI_MAXSERV, PARTY_EGAI_FAMILY);
}

/* ---- gethostby... ---- */

static void test_gethostbyname_is_one_address_as_text(void **state)
{
    (void)state;
    char text[INET_ADDRSTRLEN] = "as is";
    assert_int_equal(party_resolve_gethostbyname("::1", text), PARTY_EGAI_ADDRFAMILY);
    assert_string_equal(text, "as is");
    assert_int_equal(party_resolve_gethostbyname("", text), 0);
    assert_string_equal(text, "0.0.0.0");
    assert_int_equal(party_resolve_gethostbyname("<broadcast>", text), 0);
    assert_string_equal(text, "255.255.255.255");
    assert_int_equal(party_resolve_gethostbyname("192.0.2.77", text), 0);
    assert_string_equal(text, "192.0.2.77");
}

static void assert_is_plain_host(struct party_resolve_host *host)
{
    assert_string_equal(host->name, "plain");
    assert_int_equal(host->alias_count, 2);
    assert_string_equal(host->aliases[0], "alias");
    assert_string_equal(host->aliases[1], "full.example");
    assert_int_equal(host->address_count, 2);
    assert_string_equal(host->addresses[0], "192.0.2.1");
    assert_string_equal(host->addresses[1], "192.0.2.2");
    party_resolve_host_finish(host);
    assert_null(host->name);
    assert_int_equal(host->alias_count, 0);
}

static void test_a_host_is_found_with_all_names_and_addresses(void **state)
{
    (void)state;
    struct party_resolve_host host;
    system_says.host = &plain_host;
    assert_int_equal(party_resolve_gethostbyname_ex("192.0.2.1", &host), 0);
    assert_string_equal(system_says.asked, "192.0.2.1");
    assert_int_equal(system_says.family, AF_INET);
    assert_is_plain_host(&host);
    system_says.needs = 100000;
    assert_int_equal(party_resolve_gethostbyaddr("192.0.2.1", &host), 0);
    assert_is_plain_host(&host);
    party_resolve_host_finish(&host);
    party_resolve_host_finish(NULL);
}

static void test_an_address_of_version_6_is_asked_for_as_such(void **state)
{
    (void)state;
    static char v6[16] = {0x20, 0x01, 0x0d, (char)0xb8, [15] = 1};
    static char *v6_addresses[] = {v6, NULL};
    static char *no_aliases[] = {NULL};
    struct hostent entry = {.h_name = name_full,
                            .h_aliases = no_aliases,
                            .h_addrtype = AF_INET6,
                            .h_length = 16,
                            .h_addr_list = v6_addresses};
    struct party_resolve_host host;
    system_says.host = &entry;
    assert_int_equal(party_resolve_gethostbyaddr("2001:db8::1", &host), 0);
    assert_int_equal(system_says.family, AF_INET6);
    assert_string_equal(system_says.asked, "2001:db8::1");
    assert_int_equal(host.alias_count, 0);
    assert_string_equal(host.addresses[0], "2001:db8::1");
    party_resolve_host_finish(&host);
}

static void test_a_host_without_any_lists_has_none(void **state)
{
    (void)state;
    struct hostent entry = {.h_name = name_full, .h_addrtype = AF_INET};
    struct party_resolve_host host;
    system_says.host = &entry;
    assert_int_equal(party_resolve_gethostbyaddr("192.0.2.1", &host), 0);
    assert_string_equal(host.name, "full.example");
    assert_int_equal(host.alias_count + host.address_count, 0);
    party_resolve_host_finish(&host);
}

static void assert_both_refuse(int code)
{
    struct party_resolve_host host = {.alias_count = 77};
    assert_int_equal(party_resolve_gethostbyname_ex("192.0.2.1", &host), code);
    assert_int_equal(party_resolve_gethostbyaddr("192.0.2.1", &host), code);
    assert_int_equal(host.alias_count, 77);
}

static void test_failures_are_herrors(void **state)
{
    (void)state;
    system_says.herr = HOST_NOT_FOUND;
    assert_both_refuse(PARTY_EH_HOST_NOT_FOUND);
    system_says.herr = TRY_AGAIN;
    assert_both_refuse(PARTY_EH_TRY_AGAIN);
    system_says.herr = NO_RECOVERY;
    assert_both_refuse(PARTY_EH_NO_RECOVERY);
    system_says.herr = NO_DATA;
    assert_both_refuse(PARTY_EH_NO_DATA);
    system_says.herr = NETDB_INTERNAL;
    system_says.error = EMFILE;
    assert_both_refuse(-EMFILE);
    system_says.error = 0;
    system_says.herr = NETDB_SUCCESS;
    assert_both_refuse(PARTY_EH_HOST_NOT_FOUND);
    system_says.needs = (size_t)1 << 30;
    assert_both_refuse(-ENOMEM);
}

static void test_an_answer_of_another_family_is_refused(void **state)
{
    (void)state;
    struct hostent entry = plain_host;
    entry.h_addrtype = AF_INET6;
    system_says.host = &entry;
    assert_both_refuse(-EAFNOSUPPORT);
}

static void test_what_is_no_address_is_refused_before_the_names_are_asked_for(void **state)
{
    (void)state;
    struct party_resolve_host host;
    system_says.host = &plain_host;
    assert_int_equal(party_resolve_gethostbyname_ex("::1", &host), PARTY_EGAI_ADDRFAMILY);
    assert_int_equal(party_resolve_gethostbyaddr("", &host), -EAFNOSUPPORT);
    assert_int_equal(party_resolve_gethostbyaddr(NULL, &host), -EAFNOSUPPORT);
    assert_string_equal(system_says.asked, "");
    system_says.host = NULL;
    system_says.herr = HOST_NOT_FOUND;
    assert_int_equal(party_resolve_gethostbyname_ex(NULL, &host), PARTY_EH_HOST_NOT_FOUND);
}

/* ---- this host ---- */

static void test_this_hosts_name_is_read_and_set(void **state)
{
    (void)state;
    char name[8] = "as is";
    assert_int_equal(party_resolve_gethostname(name, 3), -ENAMETOOLONG);
    assert_string_equal(name, "as is");
    assert_int_equal(party_resolve_gethostname(name, 4), 0);
    assert_string_equal(name, "own");
    assert_int_equal(party_resolve_sethostname("new-name"), 0);
    assert_string_equal(system_says.set_name, "new-name");
    system_says.own_error = EPERM;
    assert_int_equal(party_resolve_sethostname("new-name"), -EPERM);
    system_says.own_error = EFAULT;
    assert_int_equal(party_resolve_gethostname(name, 4), -EFAULT);
    assert_int_equal(party_resolve_getfqdn("", name, sizeof(name)), -EFAULT);
    assert_string_equal(name, "own");
}

static void assert_fqdn(const char *name, const char *wanted)
{
    char full[NI_MAXHOST] = "";
    assert_int_equal(party_resolve_getfqdn(name, full, sizeof(full)), 0);
    assert_string_equal(full, wanted);
}

static void test_getfqdn_takes_the_first_name_with_a_dot(void **state)
{
    (void)state;
    system_says.host = &plain_host;
    assert_fqdn("192.0.2.1", "full.example");
    static char dotted[] = "dotted.example";
    struct hostent entry = plain_host;
    entry.h_name = dotted;
    system_says.host = &entry;
    assert_fqdn("192.0.2.1", "dotted.example");
    static char *only_plain[] = {name_alias, NULL};
    entry.h_name = name_plain;
    entry.h_aliases = only_plain;
    assert_fqdn("192.0.2.1", "plain");
}

static void test_getfqdn_of_what_is_not_found_is_the_name_itself(void **state)
{
    (void)state;
    system_says.herr = HOST_NOT_FOUND;
    assert_fqdn("192.0.2.1", "192.0.2.1");
    assert_fqdn(" \t192.0.2.1\r\n", "192.0.2.1");
    assert_fqdn("<broadcast>", "<broadcast>");
    char full[4] = "as";
    assert_int_equal(party_resolve_getfqdn("192.0.2.1", full, sizeof(full)), -ENAMETOOLONG);
    assert_string_equal(full, "as");
}

static void test_getfqdn_of_nothing_is_this_host(void **state)
{
    (void)state;
    static const char *const names[] = {NULL, "", "  ", "0.0.0.0", "::", " :: "};
    system_says.own_name = "192.0.2.9";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        system_says.host = NULL;
        assert_fqdn(names[i], "192.0.2.9");
        assert_string_equal(system_says.asked, "192.0.2.9");
        system_says.host = &plain_host;
        assert_fqdn(names[i], "full.example");
    }
}

static void test_names_that_no_domain_can_have_are_told_as_such(void **state)
{
    (void)state;
    char full[32] = "as is";
    char text[INET_ADDRSTRLEN] = "as is";
    struct party_resolve_host host;
#ifdef PARTY_HAVE_IDN2
    static const struct {
        const char *name;
        int code;
    } cases[] = {{"\xff", PARTY_EIDNA}, {"\u00fc..de", PARTY_EIDNA_EMPTY}};
#else
    static const struct {
        const char *name;
        int code;
    } cases[] = {{"\u00fc.de", PARTY_EIDNA_UNSUPPORTED}};
#endif
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(party_resolve_getfqdn(cases[i].name, full, sizeof(full)), cases[i].code);
        assert_int_equal(party_resolve_gethostbyname(cases[i].name, text), cases[i].code);
        assert_int_equal(party_resolve_gethostbyname_ex(cases[i].name, &host), cases[i].code);
        assert_int_equal(party_resolve_gethostbyaddr(cases[i].name, &host), cases[i].code);
    }
    assert_string_equal(full, "as is");
    assert_string_equal(text, "as is");
}

static int ask_for_hosts(void *user)
{
    (void)user;
    struct party_resolve_host host;
    char full[32];
    int r = party_resolve_gethostbyname_ex("192.0.2.1", &host);
    if (r == 0) {
        party_resolve_host_finish(&host);
        r = party_resolve_gethostbyaddr("192.0.2.1", &host);
    }
    if (r == 0) {
        party_resolve_host_finish(&host);
        r = party_resolve_getfqdn("192.0.2.1", full, sizeof(full));
    }
    return r;
}

static void test_hosts_survive_no_memory(void **state)
{
    (void)state;
    system_says.host = &plain_host;
    system_says.needs = 5000;
    assert_int_equal(assert_survives_malloc_failure(ask_for_hosts, NULL), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_getnameinfo_writes_numbers_without_a_look_up, reset),
        cmocka_unit_test_setup(test_getnameinfo_refuses_what_has_no_room_or_no_name, reset),
        cmocka_unit_test_setup(test_gethostbyname_is_one_address_as_text, reset),
        cmocka_unit_test_setup(test_a_host_is_found_with_all_names_and_addresses, reset),
        cmocka_unit_test_setup(test_an_address_of_version_6_is_asked_for_as_such, reset),
        cmocka_unit_test_setup(test_a_host_without_any_lists_has_none, reset),
        cmocka_unit_test_setup(test_failures_are_herrors, reset),
        cmocka_unit_test_setup(test_an_answer_of_another_family_is_refused, reset),
        cmocka_unit_test_setup(test_what_is_no_address_is_refused_before_the_names_are_asked_for,
                               reset),
        cmocka_unit_test_setup(test_this_hosts_name_is_read_and_set, reset),
        cmocka_unit_test_setup(test_getfqdn_takes_the_first_name_with_a_dot, reset),
        cmocka_unit_test_setup(test_getfqdn_of_what_is_not_found_is_the_name_itself, reset),
        cmocka_unit_test_setup(test_getfqdn_of_nothing_is_this_host, reset),
        cmocka_unit_test_setup(test_names_that_no_domain_can_have_are_told_as_such, reset),
        cmocka_unit_test_setup(test_hosts_survive_no_memory, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
