/* SPDX-License-Identifier: MIT */
/*
 * The same questions to Python's socket module and to ours, on the same machine, must have the same
 * answers. Python runs as a child that gets a question a line, fields parted by tabs, and writes an
 * answer a line. Only what no name server would be asked for is asked.
 */
#include <partyline/resolve.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/error.h>

#include "sock/idna.h"

#define ANSWER_CAP 4096

static const char script[] =
    "import socket, sys\n"
    "def getaddrinfo(host, service, family, type, flags):\n"
    "    found = socket.getaddrinfo(host, service, int(family), int(type), 0, int(flags))\n"
    "    return found[0][3] + '|' + ''.join('%d %d %d %s %d %d;' % (*e[:3], *e[4][:2],\n"
    "        e[4][3] if len(e[4]) > 2 else 0) for e in found)\n"
    "def host(found):\n"
    "    return '%s|%s|%s' % (found[0], ' '.join(found[1]), ' '.join(found[2]))\n"
    "def bind(name, family):\n"
    "    with socket.socket(int(family), socket.SOCK_DGRAM) as sock:\n"
    "        sock.bind((name, 0))\n"
    "        return sock.getsockname()[0]\n"
    "ask = {\n"
    "    'getaddrinfo': getaddrinfo,\n"
    "    'bind': bind,\n"
    "    'gethostbyname': socket.gethostbyname,\n"
    "    'gethostbyname_ex': lambda name: host(socket.gethostbyname_ex(name)),\n"
    "    'gethostbyaddr': lambda name: host(socket.gethostbyaddr(name)),\n"
    "    'getfqdn': socket.getfqdn,\n"
    "    'gethostname': socket.gethostname,\n"
    "    'getnameinfo': lambda name, port, flags:\n"
    "        '|'.join(socket.getnameinfo((name, int(port)), int(flags))),\n"
    "    'getservbyname': lambda *a: socket.getservbyname(*[x for x in a if x is not None]),\n"
    "    'getservbyport': lambda port, *a:\n"
    "        socket.getservbyport(int(port), *[x for x in a if x is not None]),\n"
    "    'getprotobyname': socket.getprotobyname,\n"
    "    'if_nameindex': lambda: ''.join('%d %s;' % i for i in socket.if_nameindex()),\n"
    "    'if_nametoindex': socket.if_nametoindex,\n"
    "    'if_indextoname': lambda index: socket.if_indextoname(int(index)),\n"
    "    'idna': lambda name: name.encode('idna').decode(),\n"
    "}\n"
    "for line in sys.stdin.buffer:\n"
    "    name, *fields = line.decode().rstrip('\\n').split('\\t')\n"
    "    try:\n"
    "        answer = ask[name](*[None if f == '<None>' else f for f in fields])\n"
    "    except (socket.gaierror, socket.herror) as e:\n"
    "        answer = '%s %d' % (type(e).__name__, e.errno)\n"
    "    except OSError:\n"
    "        answer = 'OSError'\n"
    "    except (UnicodeError, OverflowError) as e:\n"
    "        answer = 'UnicodeError' if isinstance(e, UnicodeError) else 'OverflowError'\n"
    "    sys.stdout.buffer.write(b'%s\\n' % str(answer).encode())\n"
    "    sys.stdout.flush()\n";

static struct {
    pid_t pid;
    FILE *to;
    FILE *from;
} python;

static int start_python(void **state)
{
    (void)state;
    int to[2];
    int from[2];
    if (pipe(to) == -1 || pipe(from) == -1) {
        return -1;
    }
    python.pid = fork();
    if (python.pid == 0) {
        (void)dup2(to[0], STDIN_FILENO);
        (void)dup2(from[1], STDOUT_FILENO);
        (void)close(to[1]);
        (void)close(from[0]);
        (void)execl("/usr/bin/python3", "python3", "-I", "-c", script, (char *)NULL);
        _exit(127);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    python.to = fdopen(to[1], "w");
    python.from = fdopen(from[0], "r");
    return python.pid == -1 || python.to == NULL || python.from == NULL ? -1 : 0;
}

static int end_python(void **state)
{
    (void)state;
    int status;
    (void)fclose(python.to);
    (void)fclose(python.from);
    return waitpid(python.pid, &status, 0) == python.pid && status == 0 ? 0 : -1;
}

/* ---- our answers, in Python's words ---- */

struct text {
    char at[ANSWER_CAP];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text->at + text->len, sizeof(text->at) - text->len, format, arguments);
    va_end(arguments);
    assert_true(len >= 0 && text->len + (size_t)len < sizeof(text->at));
    text->len += (size_t)len;
}

static void put_error(struct text *text, int code)
{
    switch (party_error_kind(code)) {
    case PARTY_KIND_GAI:
        put(text, "gaierror %d", code + 5100);
        break;
    case PARTY_KIND_HERROR:
        put(text, "herror %d", -5200 - code);
        break;
    case PARTY_KIND_OS:
        put(text, code == -ERANGE ? "OverflowError" : "OSError");
        break;
    default:
        put(text, "UnicodeError");
        break;
    }
}

static void put_getaddrinfo(struct text *text, const char *const *fields)
{
    struct party_resolve_list list;
    int r = party_resolve_getaddrinfo(fields[0], fields[1], atoi(fields[2]), atoi(fields[3]), 0,
                                      atoi(fields[4]), &list);
    if (r < 0) {
        put_error(text, r);
        return;
    }
    put(text, "%s|", list.canonname != NULL ? list.canonname : "");
    for (size_t i = 0; i < list.count; i++) {
        const struct party_resolve_entry *entry = &list.entries[i];
        struct party_address address = entry->address;
        uint32_t scope_id = 0;
        if (entry->family == AF_INET6) {
            /* Python gives the scope as a number of its own. */
            scope_id = address.u.in6.sin6_scope_id;
            address.u.in6.sin6_scope_id = 0;
        }
        char host[NI_MAXHOST];
        assert_int_equal(
            party_resolve_getnameinfo(&address, NI_NUMERICHOST, host, sizeof(host), NULL, 0), 0);
        put(text, "%d %d %d %s %d %u;", entry->family, entry->type, entry->proto, host,
            party_address_port(&address), scope_id);
    }
    party_resolve_list_finish(&list);
}

static void put_bind(struct text *text, const char *const *fields)
{
    struct party_address address;
    char host[NI_MAXHOST];
    int r = party_resolve_address(fields[0], 0, atoi(fields[1]), &address);
    if (r == 0) {
        r = party_resolve_getnameinfo(&address, NI_NUMERICHOST, host, sizeof(host), NULL, 0);
    }
    if (r < 0) {
        put_error(text, r);
    } else {
        put(text, "%s", host);
    }
}

static void put_list(struct text *text, char *const *list, size_t count)
{
    put(text, "|");
    for (size_t i = 0; i < count; i++) {
        put(text, i == 0 ? "%s" : " %s", list[i]);
    }
}

static void put_host(struct text *text, int r, struct party_resolve_host *host)
{
    if (r < 0) {
        put_error(text, r);
        return;
    }
    put(text, "%s", host->name);
    put_list(text, host->aliases, host->alias_count);
    put_list(text, host->addresses, host->address_count);
    party_resolve_host_finish(host);
}

static void put_gethostbyname_ex(struct text *text, const char *const *fields)
{
    struct party_resolve_host host;
    put_host(text, party_resolve_gethostbyname_ex(fields[0], &host), &host);
}

static void put_gethostbyaddr(struct text *text, const char *const *fields)
{
    struct party_resolve_host host;
    put_host(text, party_resolve_gethostbyaddr(fields[0], &host), &host);
}

static void put_name(struct text *text, int r, const char *name)
{
    if (r < 0) {
        put_error(text, r);
    } else {
        put(text, "%s", name);
    }
}

static void put_number(struct text *text, int r)
{
    if (r < 0) {
        put_error(text, r);
    } else {
        put(text, "%d", r);
    }
}

static void put_gethostbyname(struct text *text, const char *const *fields)
{
    char name[INET_ADDRSTRLEN];
    put_name(text, party_resolve_gethostbyname(fields[0], name), name);
}

static void put_getfqdn(struct text *text, const char *const *fields)
{
    char name[NI_MAXHOST];
    put_name(text, party_resolve_getfqdn(fields[0], name, sizeof(name)), name);
}

static void put_gethostname(struct text *text, const char *const *fields)
{
    (void)fields;
    char name[NI_MAXHOST];
    put_name(text, party_resolve_gethostname(name, sizeof(name)), name);
}

static void put_getnameinfo(struct text *text, const char *const *fields)
{
    struct party_address address;
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    int r = party_resolve_address(fields[0], atoi(fields[1]), AF_UNSPEC, &address);
    assert_int_equal(r, 0);
    r = party_resolve_getnameinfo(&address, atoi(fields[2]), host, sizeof(host), service,
                                  sizeof(service));
    if (r < 0) {
        put_error(text, r);
    } else {
        put(text, "%s|%s", host, service);
    }
}

static void put_getservbyname(struct text *text, const char *const *fields)
{
    put_number(text, party_resolve_getservbyname(fields[0], fields[1]));
}

static void put_getservbyport(struct text *text, const char *const *fields)
{
    char name[64];
    put_name(text, party_resolve_getservbyport(atoi(fields[0]), fields[1], name, sizeof(name)),
             name);
}

static void put_getprotobyname(struct text *text, const char *const *fields)
{
    put_number(text, party_resolve_getprotobyname(fields[0]));
}

static void put_if_nameindex(struct text *text, const char *const *fields)
{
    (void)fields;
    struct party_resolve_interfaces all;
    assert_int_equal(party_resolve_if_nameindex(&all), 0);
    for (size_t i = 0; i < all.count; i++) {
        put(text, "%u %s;", all.entries[i].index, all.entries[i].name);
    }
    party_resolve_interfaces_finish(&all);
}

static void put_if_nametoindex(struct text *text, const char *const *fields)
{
    unsigned index = 0;
    int r = party_resolve_if_nametoindex(fields[0], &index);
    put_number(text, r < 0 ? r : (int)index);
}

static void put_if_indextoname(struct text *text, const char *const *fields)
{
    char name[IF_NAMESIZE];
    put_name(text, party_resolve_if_indextoname((unsigned)atoi(fields[0]), name), name);
}

#ifdef PARTY_HAVE_IDN2
static void put_idna(struct text *text, const char *const *fields)
{
    char buffer[PARTY__IDNA_CAP];
    const char *name = "";
    int r = party__idna_encode(fields[0], buffer, &name);
    put_name(text, r, name);
}
#endif

/* ---- the questions ---- */

#define FIELDS_MAX 5

struct question {
    const char *name; /* Python's */
    void (*put_ours)(struct text *text, const char *const *fields);
    int count;
    const char *fields[FIELDS_MAX]; /* NULL: None */
};

#define ASK(name, ...)                                                                             \
    {                                                                                              \
#name, put_##name, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),          \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define V4 "2"
#define V6 "10"

static void ask_python(const struct question *question, char answer[ANSWER_CAP])
{
    (void)fputs(question->name, python.to);
    for (int i = 0; i < question->count; i++) {
        (void)fprintf(python.to, "\t%s",
                      question->fields[i] != NULL ? question->fields[i] : "<None>");
    }
    (void)fputc('\n', python.to);
    assert_int_equal(fflush(python.to), 0);
    assert_non_null(fgets(answer, ANSWER_CAP, python.from));
    answer[strcspn(answer, "\n")] = '\0';
}

static void assert_same(const struct question *questions, size_t count)
{
    size_t differing = 0;
    for (size_t i = 0; i < count; i++) {
        char theirs[ANSWER_CAP];
        struct text ours = {.len = 0};
        ask_python(&questions[i], theirs);
        questions[i].put_ours(&ours, questions[i].fields);
        if (strcmp(ours.at, theirs) != 0) {
            print_error("%s(%s, ...): Python says \"%s\", we \"%s\"\n", questions[i].name,
                        questions[i].fields[0] != NULL ? questions[i].fields[0] : "None", theirs,
                        ours.at);
            differing++;
        }
    }
    assert_int_equal(differing, 0);
}

#define ASSERT_SAME(questions) assert_same(questions, sizeof(questions) / sizeof((questions)[0]))

static void test_getaddrinfo_answers_as_python(void **state)
{
    (void)state;
    static const struct question questions[] = {
        ASK(getaddrinfo, "127.0.0.1", "80", "0", "0", "0"),
        ASK(getaddrinfo, "127.0.0.1", "80", "0", "1", "2"),
        ASK(getaddrinfo, "127.0.0.1", NULL, V4, "2", "0"),
        ASK(getaddrinfo, "127.0.0.1", "", V4, "1", "0"),
        ASK(getaddrinfo, "127.0.0.1", "http", V4, "1", "0"),
        ASK(getaddrinfo, "127.0.0.1", "no-such-service", V4, "1", "0"),
        ASK(getaddrinfo, "127.0.0.1", "http", V4, "1", "1024"),
        ASK(getaddrinfo, "127.0.0.1", "-1", V4, "1", "0"),
        ASK(getaddrinfo, "127.0.0.1", "80", V6, "1", "0"),
        ASK(getaddrinfo, "127.0.0.1", "80", V6, "1", "8"),
        ASK(getaddrinfo, "127.0.0.1", "80", "1", "1", "0"),
        ASK(getaddrinfo, "127.0.0.1", "80", "12345", "1", "0"),
        ASK(getaddrinfo, "127.0.0.1", "80", "0", "12345", "0"),
        ASK(getaddrinfo, "127.0.0.1", "80", "0", "1", "1073741824"),
        ASK(getaddrinfo, "127.0.0.1", "65535", "0", "0", "0"),
        ASK(getaddrinfo, "1", "80", "0", "1", "0"),
        ASK(getaddrinfo, "0x7f.1", "80", "0", "1", "0"),
        ASK(getaddrinfo, "::1", "80", "0", "0", "0"),
        ASK(getaddrinfo, "::1", "80", V4, "1", "0"),
        ASK(getaddrinfo, "::ffff:192.0.2.1", "80", "0", "1", "0"),
        ASK(getaddrinfo, "fe80::1%7", "80", "0", "1", "0"),
        ASK(getaddrinfo, "fe80::1%lo", "80", "0", "1", "0"),
        ASK(getaddrinfo, "::1::2", "80", "0", "1", "4"),
        ASK(getaddrinfo, "localhost", "80", V4, "1", "0"),
        ASK(getaddrinfo, "localhost", "80", V4, "1", "2"),
        ASK(getaddrinfo, "localhost", "80", "0", "1", "4"),
        ASK(getaddrinfo, "", "80", "0", "1", "0"),
        ASK(getaddrinfo, "", NULL, "0", "1", "1"),
        ASK(getaddrinfo, NULL, "80", "0", "1", "1"),
        ASK(getaddrinfo, NULL, "80", "0", "0", "0"),
        ASK(getaddrinfo, NULL, "", "0", "1", "0"),
        ASK(getaddrinfo, NULL, NULL, "0", "1", "1"),
        ASK(getaddrinfo, NULL, "http", "0", "1", "0"),
    };
    ASSERT_SAME(questions);
}

static void test_hosts_answer_as_python(void **state)
{
    (void)state;
    static const struct question questions[] = {
        ASK(gethostbyname, ""),
        ASK(gethostbyname, "<broadcast>"),
        ASK(gethostbyname, "255.255.255.255"),
        ASK(gethostbyname, "127.0.0.1"),
        ASK(gethostbyname, "1"),
        ASK(gethostbyname, "127.1"),
        ASK(gethostbyname, "localhost"),
        ASK(gethostbyname, "::1"),
        ASK(gethostbyname_ex, "localhost"),
        ASK(gethostbyname_ex, "127.0.0.1"),
        ASK(gethostbyname_ex, "192.0.2.1"),
        ASK(gethostbyname_ex, "::1"),
        ASK(gethostbyname_ex, ""),
        ASK(gethostbyaddr, "127.0.0.1"),
        ASK(gethostbyaddr, "localhost"),
        ASK(gethostbyaddr, ""),
        ASK(getfqdn, "127.0.0.1"),
        ASK(getfqdn, " localhost "),
        ASK(getfqdn, "<nothing>"),
        ASK(bind, "", V4),
        ASK(bind, "", V6),
        ASK(bind, "127.0.0.1", V4),
        ASK(bind, "127.2", V4),
        ASK(bind, "localhost", V4),
        ASK(bind, "::1", V6),
        ASK(bind, "::", V6),
        ASK(bind, "<broadcast>", V6),
        ASK(bind, "::1", V4),
        ASK(bind, "127.0.0.1", V6),
        ASK(getnameinfo, "127.0.0.1", "80", "0"),
        ASK(getnameinfo, "127.0.0.1", "80", "1"),
        ASK(getnameinfo, "127.0.0.1", "60000", "3"),
        ASK(getnameinfo, "127.0.0.1", "53", "16"),
        ASK(getnameinfo, "::1", "80", "3"),
        ASK(getnameinfo, "fe80::1", "80", "3"),
        ASK(getnameinfo, "127.0.0.1", "80", "1073741824"),
    };
    ASSERT_SAME(questions);
    static const struct question own = {"gethostname", put_gethostname, 0, {NULL}};
    assert_same(&own, 1);
}

static void test_services_protocols_and_interfaces_answer_as_python(void **state)
{
    (void)state;
    static const struct question questions[] = {
        ASK(getservbyname, "http", NULL),
        ASK(getservbyname, "http", "tcp"),
        ASK(getservbyname, "domain", "udp"),
        ASK(getservbyname, "syslog", "udp"),
        ASK(getservbyname, "syslog", "tcp"),
        ASK(getservbyname, "none-such", NULL),
        ASK(getservbyname, "http", ""),
        ASK(getservbyname, "HTTP", "tcp"),
        ASK(getservbyname, "", NULL),
        ASK(getservbyport, "80", NULL),
        ASK(getservbyport, "53", "udp"),
        ASK(getservbyport, "80", "sctp"),
        ASK(getservbyport, "0", NULL),
        ASK(getservbyport, "65535", NULL),
        ASK(getservbyport, "65536", NULL),
        ASK(getservbyport, "-1", NULL),
        ASK(getprotobyname, "tcp"),
        ASK(getprotobyname, "udp"),
        ASK(getprotobyname, "icmp"),
        ASK(getprotobyname, "ipv6-icmp"),
        ASK(getprotobyname, "none-such"),
        ASK(getprotobyname, ""),
        ASK(if_nametoindex, "lo"),
        ASK(if_nametoindex, "none-such"),
        ASK(if_nametoindex, ""),
        ASK(if_indextoname, "1"),
        ASK(if_indextoname, "0"),
        ASK(if_indextoname, "2147483647"),
    };
    ASSERT_SAME(questions);
    static const struct question all = {"if_nameindex", put_if_nameindex, 0, {NULL}};
    assert_same(&all, 1);
}

#ifdef PARTY_HAVE_IDN2
static void test_names_beyond_ascii_are_written_as_by_python(void **state)
{
    (void)state;
    static const struct question questions[] = {
        ASK(idna, "b\u00fccher.example"),
        ASK(idna, "B\u00dcCHER.example"),
        ASK(idna, "bu\u0308cher.example"),
        ASK(idna, "\u0438\u0441\u043f\u044b\u0442\u0430\u043d\u0438\u0435.python.org"),
        ASK(idna, "\u65e5\u672c\u8a9e\u3002jp"),
        ASK(idna, "\u4f8b\u3048.\u30c6\u30b9\u30c8"),
        ASK(idna, "\u03b5\u03bb\u03bb\u03ac\u03b4\u03b1.gr"),
        ASK(idna, "\u0645\u062b\u0627\u0644.\u0625\u062e\u062a\u0628\u0627\u0631"),
        ASK(idna, "\ud55c\uad6d.kr"),
        ASK(idna, "\ufb01.\u00fc"),
        ASK(idna, "_srv.\u00fc"),
        ASK(idna, "\u00fc."),
        ASK(idna, "\u00fc..de"),
        ASK(idna, ".\u00fc"),
        ASK(idna, "\u2603.net"),
        ASK(idna, "\U0001f4a9.la"),
        ASK(idna, "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"
                  "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"
                  "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"
                  "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"
                  "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"),
    };
    ASSERT_SAME(questions);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_getaddrinfo_answers_as_python),
        cmocka_unit_test(test_hosts_answer_as_python),
        cmocka_unit_test(test_services_protocols_and_interfaces_answer_as_python),
#ifdef PARTY_HAVE_IDN2
        cmocka_unit_test(test_names_beyond_ascii_are_written_as_by_python),
#endif
    };
    return cmocka_run_group_tests(tests, start_python, end_python);
}
