/* SPDX-License-Identifier: MIT */
#include <partyline/address.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <partyline/error.h>

#include "base/require.h"
#include "sock/address_text.h"

#define UNIX_PREFIX     "unix:"
#define UNIX_PREFIX_LEN (sizeof(UNIX_PREFIX) - 1)
#define SUN_PATH_OFFSET offsetof(struct sockaddr_un, sun_path)
#define SUN_PATH_CAP    sizeof(((struct sockaddr_un *)NULL)->sun_path)

#define PORT_DIGITS_MAX 5
#define PORT_MAX        65535

/* DNS names end at 253 bytes; scopes and brackets add little. What is longer is no host. */
#define HOST_MAX_BYTES 256

/* A piece of the text that is being read. */
struct piece {
    const char *at;
    size_t len;
};

static bool is_unix_text(const char *text)
{
    return strncmp(text, UNIX_PREFIX, UNIX_PREFIX_LEN) == 0;
}

static bool copy_piece(const struct piece *piece, char *ret_text, size_t cap)
{
    if (piece->len >= cap) {
        return false;
    }
    memcpy(ret_text, piece->at, piece->len);
    ret_text[piece->len] = '\0';
    return true;
}

/* Letters that no host and no service has: they would only confuse logs and terminals. */
static bool has_odd_bytes(const struct piece *piece)
{
    for (size_t i = 0; i < piece->len; i++) {
        unsigned char c = (unsigned char)piece->at[i];
        if (c <= ' ' || c == 0x7f || c == '[' || c == ']' || c == '/' || c == ':') {
            return true;
        }
    }
    return false;
}

static bool is_v6_like(const struct piece *piece)
{
    struct piece address = *piece;
    const char *percent = memchr(piece->at, '%', piece->len);
    if (percent != NULL) {
        address.len = (size_t)(percent - piece->at);
        struct piece scope = {percent + 1, piece->len - address.len - 1};
        if (scope.len == 0 || has_odd_bytes(&scope)) {
            return false;
        }
    }
    bool has_colon = false;
    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.at[i];
        has_colon = has_colon || c == ':';
        if (!isxdigit(c) && c != ':' && c != '.') {
            return false;
        }
    }
    return has_colon;
}

/* Finds host and port without copying. has_brackets tells "[::1]" from a name. */
static int split_pieces(const char *text, struct piece *ret_host, struct piece *ret_port,
                        bool *ret_has_brackets)
{
    struct piece host = {text, 0};
    const char *rest;
    bool has_brackets = text[0] == '[';

    if (is_unix_text(text) || text[0] == '\0') {
        return PARTY_EADDRESS;
    }
    if (has_brackets) {
        host.at = text + 1;
        host.len = strcspn(host.at, "]");
        rest = host.at + host.len;
        if (*rest != ']' || !is_v6_like(&host)) {
            return PARTY_EADDRESS;
        }
        rest++;
    } else {
        host.len = strcspn(text, ":");
        rest = host.at + host.len;
        if (has_odd_bytes(&host)) {
            return PARTY_EADDRESS;
        }
    }

    struct piece port = {rest, 0};
    if (*rest == ':') {
        port.at = rest + 1;
        port.len = strlen(port.at);
        if (port.len == 0 || has_odd_bytes(&port)) {
            return PARTY_EADDRESS;
        }
    } else if (*rest != '\0') {
        return PARTY_EADDRESS;
    }
    *ret_host = host;
    *ret_port = port;
    *ret_has_brackets = has_brackets;
    return 0;
}

int party_address_split(const char *text, char *ret_host, size_t host_cap, char *ret_port,
                        size_t port_cap)
{
    PARTY__REQUIRE(-EINVAL, text, ret_host, ret_port);
    struct piece host;
    struct piece port;
    bool has_brackets;
    int r = split_pieces(text, &host, &port, &has_brackets);
    if (r < 0) {
        return r;
    }
    /* Both are measured before either is written: outputs stay untouched on failure. */
    if (host.len >= host_cap || port.len >= port_cap) {
        return -ENAMETOOLONG;
    }
    (void)copy_piece(&host, ret_host, host_cap);
    (void)copy_piece(&port, ret_port, port_cap);
    return 0;
}

static int parse_port(const struct piece *piece, uint16_t *ret_port)
{
    if (piece->len == 0 || piece->len > PORT_DIGITS_MAX) {
        return PARTY_EADDRESS;
    }
    unsigned value = 0;
    for (size_t i = 0; i < piece->len; i++) {
        if (piece->at[i] < '0' || piece->at[i] > '9') {
            return PARTY_EADDRESS;
        }
        value = value * 10 + (unsigned)(piece->at[i] - '0');
    }
    if (value > PORT_MAX) {
        return PARTY_EADDRESS;
    }
    *ret_port = (uint16_t)value;
    return 0;
}

/* A number need not exist (any more). */
int party__parse_interface(const char *text, uint32_t *ret_index)
{
    uint32_t number = 0;
    bool is_number = text[0] != '\0';
    for (size_t i = 0; text[i] != '\0' && is_number; i++) {
        is_number = text[i] >= '0' && text[i] <= '9' &&
                    !__builtin_mul_overflow(number, 10U, &number) &&
                    !__builtin_add_overflow(number, (uint32_t)(text[i] - '0'), &number);
    }
    if (is_number && number > 0) {
        *ret_index = number;
        return 0;
    }
    if (strlen(text) >= IF_NAMESIZE) {
        return -ENODEV;
    }
    errno = 0;
    unsigned index = if_nametoindex(text);
    if (index == 0) {
        /* Out of descriptors and the like are told apart from a name that does not exist. */
        return errno > 0 ? -errno : -ENODEV;
    }
    *ret_index = index;
    return 0;
}

static int parse_v6(char *host, uint16_t port, struct party_address *ret_address)
{
    struct party_address address = {.len = sizeof(address.u.in6)};
    address.u.in6.sin6_family = AF_INET6;
    address.u.in6.sin6_port = htons(port);

    char *percent = strchr(host, '%');
    if (percent != NULL) {
        *percent = '\0';
    }
    if (inet_pton(AF_INET6, host, &address.u.in6.sin6_addr) != 1) {
        return PARTY_EADDRESS;
    }
    if (percent != NULL) {
        int r = party__parse_interface(percent + 1, &address.u.in6.sin6_scope_id);
        if (r < 0) {
            return r;
        }
    }
    *ret_address = address;
    return 0;
}

static int parse_v4(const char *host, uint16_t port, struct party_address *ret_address)
{
    struct party_address address = {.len = sizeof(address.u.in)};
    address.u.in.sin_family = AF_INET;
    address.u.in.sin_port = htons(port);

    bool is_wildcard = host[0] == '\0' || strcmp(host, "*") == 0;
    if (!is_wildcard && inet_pton(AF_INET, host, &address.u.in.sin_addr) != 1) {
        return PARTY_EADDRESS;
    }
    *ret_address = address;
    return 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* Reads one byte of a unix name, which may be written as \xHH. Returns how many letters it took. */
static size_t unescape_byte(const char *text, char *ret_byte)
{
    /* hex_value of the final NUL is -1, so this never looks beyond it. */
    if (text[0] == '\\' && text[1] == 'x' && hex_value(text[2]) >= 0 && hex_value(text[3]) >= 0) {
        *ret_byte = (char)(unsigned char)(hex_value(text[2]) * 16 + hex_value(text[3]));
        return 4;
    }
    *ret_byte = text[0];
    return 1;
}

static int parse_unix(const char *name, struct party_address *ret_address)
{
    struct party_address address = {0};
    address.u.un.sun_family = AF_UNIX;
    bool is_abstract = name[0] == '@';
    /* An abstract name begins with a NUL, a path ends with one: either way one byte is taken. */
    char *out = address.u.un.sun_path + (is_abstract ? 1 : 0);
    size_t len = 0;

    for (size_t i = is_abstract ? 1 : 0; name[i] != '\0';) {
        char byte;
        i += unescape_byte(name + i, &byte);
        if (byte == '\0' && !is_abstract) {
            return PARTY_EADDRESS;
        }
        if (len >= SUN_PATH_CAP - 1) {
            return -ENAMETOOLONG;
        }
        out[len] = byte;
        len++;
    }
    if (len == 0) {
        return PARTY_EADDRESS;
    }
    address.len = (socklen_t)(SUN_PATH_OFFSET + len + 1);
    *ret_address = address;
    return 0;
}

int party_address_parse(const char *text, struct party_address *ret_address)
{
    PARTY__REQUIRE(-EINVAL, text, ret_address);
    if (is_unix_text(text)) {
        return parse_unix(text + UNIX_PREFIX_LEN, ret_address);
    }
    if (party__is_family_text(text)) {
        return party__parse_family(text, ret_address);
    }
    struct piece host_piece;
    struct piece port_piece;
    bool has_brackets;
    int r = split_pieces(text, &host_piece, &port_piece, &has_brackets);
    if (r < 0) {
        return r;
    }
    uint16_t port;
    r = parse_port(&port_piece, &port);
    if (r < 0) {
        return r;
    }
    char host[HOST_MAX_BYTES];
    if (!copy_piece(&host_piece, host, sizeof(host))) {
        return PARTY_EADDRESS;
    }
    return has_brackets ? parse_v6(host, port, ret_address) : parse_v4(host, port, ret_address);
}

/* Bytes of the name: abstract with its first NUL, a path without its last. 0 when there is none. */
static size_t unix_name_len(const struct party_address *address)
{
    if (address->len <= SUN_PATH_OFFSET) {
        return 0;
    }
    /* The kernel reports one byte more than sun_path has for a path that fills it. */
    size_t len = address->len - SUN_PATH_OFFSET;
    len = len < SUN_PATH_CAP ? len : SUN_PATH_CAP;
    const char *path = address->u.un.sun_path;
    return path[0] == '\0' ? len : strnlen(path, len);
}

static void format_unix(struct party__writer *writer, const struct party_address *address)
{
    const char *path = address->u.un.sun_path;
    size_t len = unix_name_len(address);
    bool is_abstract = len > 0 && path[0] == '\0';

    party__put_text(writer, is_abstract ? UNIX_PREFIX "@" : UNIX_PREFIX);
    for (size_t i = is_abstract ? 1 : 0; i < len; i++) {
        unsigned char c = (unsigned char)path[i];
        /* A path that begins with @ would be read back as an abstract name. */
        bool looks_abstract = c == '@' && i == 0;
        if (c < ' ' || c > '~' || c == '\\' || looks_abstract) {
            party__put_escaped(writer, c);
        } else {
            party__put_byte(writer, (char)c);
        }
    }
}

static void format_v4(struct party__writer *writer, const void *addr, uint16_t port)
{
    char host[INET_ADDRSTRLEN];
    party__put_text(writer, inet_ntop(AF_INET, addr, host, sizeof(host)));
    party__put_byte(writer, ':');
    party__put_number(writer, port);
}

static void format_v6(struct party__writer *writer, const struct sockaddr_in6 *in6)
{
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        format_v4(writer, &in6->sin6_addr.s6_addr[12], ntohs(in6->sin6_port));
        return;
    }
    char host[INET6_ADDRSTRLEN];
    party__put_byte(writer, '[');
    party__put_text(writer, inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host)));
    if (in6->sin6_scope_id != 0) {
        party__put_byte(writer, '%');
        party__put_interface(writer, in6->sin6_scope_id);
    }
    party__put_text(writer, "]:");
    party__put_number(writer, ntohs(in6->sin6_port));
}

char *party_address_format(const struct party_address *address, char *text, size_t cap)
{
    PARTY__REQUIRE(NULL, address, text);
    struct party__writer writer = {.text = text, .cap = cap, .len = 0};
    if (cap > 0) {
        text[0] = '\0';
    }
    switch (party_address_family(address)) {
    case AF_INET:
        format_v4(&writer, &address->u.in.sin_addr, ntohs(address->u.in.sin_port));
        break;
    case AF_INET6:
        format_v6(&writer, &address->u.in6);
        break;
    case AF_UNIX:
        format_unix(&writer, address);
        break;
    default:
        party__put_family(&writer, address);
        break;
    }
    return text;
}

void party_address_from_sockaddr(struct party_address *ret_address, const struct sockaddr *sa,
                                 socklen_t len)
{
    PARTY__REQUIRE_VOID(ret_address);
    PARTY__REQUIRE_BYTES_VOID(sa, len);
    struct party_address address = {0};
    /* The kernel reports the full length of an address even where it cut what it wrote. */
    address.len = len < sizeof(address.u) ? len : (socklen_t)sizeof(address.u);
    if (address.len > 0) {
        memcpy(&address.u, sa, address.len);
    }
    if (party_address_family(&address) == AF_UNIX && address.len > sizeof(address.u.un)) {
        address.len = sizeof(address.u.un);
    }
    *ret_address = address;
}

int party_address_family(const struct party_address *address)
{
    PARTY__REQUIRE(-EINVAL, address);
    return address->len < sizeof(sa_family_t) ? AF_UNSPEC : address->u.sa.sa_family;
}

uint16_t party_address_port(const struct party_address *address)
{
    PARTY__REQUIRE(0, address);
    switch (party_address_family(address)) {
    case AF_INET:
        return ntohs(address->u.in.sin_port);
    case AF_INET6:
        return ntohs(address->u.in6.sin6_port);
    default:
        return 0;
    }
}

void party_address_set_port(struct party_address *address, uint16_t port)
{
    PARTY__REQUIRE_VOID(address);
    switch (party_address_family(address)) {
    case AF_INET:
        address->u.in.sin_port = htons(port);
        break;
    case AF_INET6:
        address->u.in6.sin6_port = htons(port);
        break;
    default:
        break;
    }
}

/* Writes a v4 address as v6 maps it, so that both forms compare equal. */
static void to_v6(const struct party_address *address, struct in6_addr *ret_addr)
{
    if (party_address_family(address) == AF_INET6) {
        *ret_addr = address->u.in6.sin6_addr;
        return;
    }
    memset(ret_addr, 0, sizeof(*ret_addr));
    memset(&ret_addr->s6_addr[10], 0xff, 2);
    memcpy(&ret_addr->s6_addr[12], &address->u.in.sin_addr, 4);
}

static uint32_t scope_of(const struct party_address *address)
{
    return party_address_family(address) == AF_INET6 ? address->u.in6.sin6_scope_id : 0;
}

static bool is_inet(int family)
{
    return family == AF_INET || family == AF_INET6;
}

bool party_address_equal(const struct party_address *a, const struct party_address *b)
{
    PARTY__REQUIRE(false, a, b);
    int family_a = party_address_family(a);
    int family_b = party_address_family(b);
    if (is_inet(family_a) && is_inet(family_b)) {
        struct in6_addr addr_a;
        struct in6_addr addr_b;
        to_v6(a, &addr_a);
        to_v6(b, &addr_b);
        return party_address_port(a) == party_address_port(b) && scope_of(a) == scope_of(b) &&
               memcmp(&addr_a, &addr_b, sizeof(addr_a)) == 0;
    }
    if (family_a != family_b) {
        return false;
    }
    if (family_a == AF_UNIX) {
        size_t len = unix_name_len(a);
        return len == unix_name_len(b) && memcmp(a->u.un.sun_path, b->u.un.sun_path, len) == 0;
    }
    return a->len == b->len && memcmp(&a->u, &b->u, a->len) == 0;
}
