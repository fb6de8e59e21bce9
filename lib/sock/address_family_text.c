/* SPDX-License-Identifier: MIT */
#include "sock/address_text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <partyline/address_family.h>
#include <partyline/error.h>

#include "base/require.h"
#include "sock/address_bluetooth.h"

/*
 * The written forms of the families that are neither INET, INET6 nor UNIX: the family's name and
 * its parts, each after a colon. Those of netlink, packet and vsock can be read back.
 */

#define NETLINK_PREFIX "netlink:"
#define PACKET_PREFIX  "packet:"
#define VSOCK_PREFIX   "vsock:"

#define ANY_TEXT       "*"

static void put_part(struct party__writer *writer, uint32_t number)
{
    party__put_byte(writer, ':');
    party__put_number(writer, number);
}

static void put_part_or_any(struct party__writer *writer, uint32_t number, uint32_t any)
{
    if (number == any) {
        party__put_text(writer, ":" ANY_TEXT);
    } else {
        put_part(writer, number);
    }
}

/* A colon, a prefix and at least so many digits in hex. */
static void put_hex(struct party__writer *writer, const char *prefix, int width, uint32_t number)
{
    char digits[16];
    (void)snprintf(digits, sizeof(digits), "%0*" PRIx32, width, number);
    party__put_byte(writer, ':');
    party__put_text(writer, prefix);
    party__put_text(writer, digits);
}

/* Names of algorithms come from whoever made the address: they must not confuse a terminal. */
static void put_name(struct party__writer *writer, const char *name)
{
    party__put_byte(writer, ':');
    for (size_t i = 0; name[i] != '\0'; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < ' ' || c > '~' || c == '\\') {
            party__put_escaped(writer, c);
        } else {
            party__put_byte(writer, (char)c);
        }
    }
}

static void put_pairs(struct party__writer *writer, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_hex(writer, "", 2, bytes[i]);
    }
}

static bool put_netlink(struct party__writer *writer, const struct party_address *address)
{
    uint32_t port_id;
    uint32_t groups;
    if (party_address_get_netlink(address, &port_id, &groups) < 0) {
        return false;
    }
    party__put_text(writer, "netlink");
    put_part(writer, port_id);
    put_hex(writer, "0x", 1, groups);
    return true;
}

static bool put_packet(struct party__writer *writer, const struct party_address *address)
{
    struct party_address_packet packet;
    if (party_address_get_packet(address, &packet) < 0) {
        return false;
    }
    party__put_text(writer, PACKET_PREFIX);
    if (packet.interface == 0) {
        party__put_text(writer, ANY_TEXT);
    } else {
        party__put_interface(writer, (uint32_t)packet.interface);
    }
    put_hex(writer, "0x", 4, packet.protocol);
    put_pairs(writer, packet.addr, packet.addr_len);
    return true;
}

static bool put_vsock(struct party__writer *writer, const struct party_address *address)
{
    uint32_t cid;
    uint32_t port;
    if (party_address_get_vsock(address, &cid, &port) < 0) {
        return false;
    }
    party__put_text(writer, "vsock");
    put_part_or_any(writer, cid, UINT32_MAX);
    put_part_or_any(writer, port, UINT32_MAX);
    return true;
}

static bool put_can(struct party__writer *writer, const struct party_address *address)
{
    int interface;
    if (party_address_get_can(address, &interface) < 0) {
        return false;
    }
    party__put_text(writer, "can:");
    if (interface == 0) {
        party__put_text(writer, ANY_TEXT);
    } else {
        party__put_interface(writer, (uint32_t)interface);
    }
    return true;
}

static bool put_alg(struct party__writer *writer, const struct party_address *address)
{
    const char *type;
    const char *name;
    if (party_address_get_alg(address, &type, &name) < 0) {
        return false;
    }
    party__put_text(writer, "alg");
    put_name(writer, type);
    put_name(writer, name);
    return true;
}

static bool put_qipcrtr(struct party__writer *writer, const struct party_address *address)
{
    uint32_t node;
    uint32_t port;
    if (party_address_get_qipcrtr(address, &node, &port) < 0) {
        return false;
    }
    party__put_text(writer, "qipcrtr");
    put_part(writer, node);
    put_part(writer, port);
    return true;
}

static bool put_tipc(struct party__writer *writer, const struct party_address *address)
{
    struct party_address_tipc tipc;
    if (party_address_get_tipc(address, &tipc) < 0) {
        return false;
    }
    party__put_text(writer, "tipc");
    put_part(writer, tipc.type);
    put_part(writer, tipc.v1);
    put_part(writer, tipc.v2);
    put_part(writer, tipc.v3);
    return true;
}

static bool put_l2cap(struct party__writer *writer, const struct party_address *address)
{
    struct party_bdaddr addr;
    uint16_t psm;
    uint16_t cid;
    uint8_t type;
    if (party_address_get_l2cap(address, &addr, &psm, &cid, &type) < 0) {
        return false;
    }
    party__put_text(writer, "l2cap");
    put_pairs(writer, addr.bytes, sizeof(addr.bytes));
    put_part(writer, psm);
    return true;
}

static bool put_rfcomm(struct party__writer *writer, const struct party_address *address)
{
    struct party_bdaddr addr;
    uint8_t channel;
    if (party_address_get_rfcomm(address, &addr, &channel) < 0) {
        return false;
    }
    party__put_text(writer, "rfcomm");
    put_pairs(writer, addr.bytes, sizeof(addr.bytes));
    put_part(writer, channel);
    return true;
}

static bool put_hci(struct party__writer *writer, const struct party_address *address)
{
    uint16_t device;
    uint16_t channel;
    if (party_address_get_hci(address, &device, &channel) < 0) {
        return false;
    }
    party__put_text(writer, "hci");
    put_part_or_any(writer, device, UINT16_MAX);
    return true;
}

static bool put_sco(struct party__writer *writer, const struct party_address *address)
{
    struct party_bdaddr addr;
    if (party_address_get_sco(address, &addr) < 0) {
        return false;
    }
    party__put_text(writer, "sco");
    put_pairs(writer, addr.bytes, sizeof(addr.bytes));
    return true;
}

static bool put_bluetooth(struct party__writer *writer, const struct party_address *address)
{
    switch (address->len) {
    case sizeof(struct party__sockaddr_l2):
        return put_l2cap(writer, address);
    case sizeof(struct party__sockaddr_rc):
        return put_rfcomm(writer, address);
    case sizeof(struct party__sockaddr_sco):
        return put_sco(writer, address);
    case sizeof(struct party__sockaddr_hci):
        return put_hci(writer, address);
    default:
        return false;
    }
}

static const struct {
    int family;
    bool (*put)(struct party__writer *writer, const struct party_address *address);
} writers[] = {
    {AF_NETLINK, put_netlink}, {AF_PACKET, put_packet},
    {AF_VSOCK, put_vsock},     {AF_CAN, put_can},
    {AF_ALG, put_alg},         {AF_QIPCRTR, put_qipcrtr},
    {AF_TIPC, put_tipc},       {AF_BLUETOOTH, put_bluetooth},
};

void party__put_family(struct party__writer *writer, const struct party_address *address)
{
    int family = party_address_family(address);
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        if (writers[i].family == family && writers[i].put(writer, address)) {
            return;
        }
    }
    party__put_text(writer, "family");
    put_part(writer, (uint32_t)family);
}

/* Reads digits at *text and moves on behind them. False: there are none, or too many. */
static bool take_digits(const char **text, unsigned base, uint32_t *ret_number)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t number = 0;
    const char *at = *text;
    for (;; at++) {
        char lower = (char)(*at >= 'A' && *at <= 'F' ? *at - 'A' + 'a' : *at);
        const char *digit = lower == '\0' ? NULL : strchr(digits, lower);
        if (digit == NULL || (unsigned)(digit - digits) >= base) {
            break;
        }
        if (__builtin_mul_overflow(number, base, &number) ||
            __builtin_add_overflow(number, (uint32_t)(digit - digits), &number)) {
            return false;
        }
    }
    if (at == *text) {
        return false;
    }
    *text = at;
    *ret_number = number;
    return true;
}

/* Reads a number, which may be in hex behind 0x. */
static bool take_number(const char **text, uint32_t *ret_number)
{
    if ((*text)[0] == '0' && (*text)[1] == 'x') {
        *text += 2;
        return take_digits(text, 16, ret_number);
    }
    return take_digits(text, 10, ret_number);
}

static bool take_number_or_any(const char **text, uint32_t any, uint32_t *ret_number)
{
    if (**text == ANY_TEXT[0]) {
        (*text)++;
        *ret_number = any;
        return true;
    }
    return take_number(text, ret_number);
}

static bool take_colon(const char **text)
{
    if (**text != ':') {
        return false;
    }
    (*text)++;
    return true;
}

static int parse_netlink(const char *text, struct party_address *ret_address)
{
    uint32_t port_id;
    uint32_t groups;
    if (!take_number(&text, &port_id) || !take_colon(&text) || !take_number(&text, &groups) ||
        *text != '\0') {
        return PARTY_EADDRESS;
    }
    party_address_netlink(port_id, groups, ret_address);
    return 0;
}

static int parse_vsock(const char *text, struct party_address *ret_address)
{
    uint32_t cid;
    uint32_t port;
    if (!take_number_or_any(&text, UINT32_MAX, &cid) || !take_colon(&text) ||
        !take_number_or_any(&text, UINT32_MAX, &port) || *text != '\0') {
        return PARTY_EADDRESS;
    }
    party_address_vsock(cid, port, ret_address);
    return 0;
}

/* Reads ":00:11:..." up to the end. False: it is something else, or too long. */
static bool take_pairs(const char *text, uint8_t *ret_bytes, size_t cap, uint8_t *ret_count)
{
    uint8_t count = 0;
    while (*text != '\0') {
        const char *pair = text + 1;
        uint32_t byte;
        if (*text != ':' || count == cap) {
            return false;
        }
        text = pair;
        if (!take_digits(&text, 16, &byte) || text - pair != 2) {
            return false;
        }
        ret_bytes[count] = (uint8_t)byte;
        count++;
    }
    *ret_count = count;
    return true;
}

static int parse_packet(const char *text, struct party_address *ret_address)
{
    struct party_address_packet packet = {0};
    char name[IF_NAMESIZE];
    size_t len = strcspn(text, ":");
    if (len == 0 || len >= sizeof(name)) {
        return len == 0 ? PARTY_EADDRESS : -ENODEV;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    text += len;

    uint32_t protocol;
    if (!take_colon(&text) || !take_number(&text, &protocol) || protocol > UINT16_MAX ||
        !take_pairs(text, packet.addr, sizeof(packet.addr), &packet.addr_len)) {
        return PARTY_EADDRESS;
    }
    packet.protocol = (uint16_t)protocol;
    if (strcmp(name, ANY_TEXT) != 0) {
        uint32_t index;
        int r = party__parse_interface(name, &index);
        if (r < 0) {
            return r;
        }
        /* The kernel counts interfaces in an int. */
        if (index > INT_MAX) {
            return -ENODEV;
        }
        packet.interface = (int)index;
    }
    return party_address_packet(&packet, ret_address);
}

static const struct {
    const char *prefix;
    int (*parse)(const char *text, struct party_address *ret_address);
} readers[] = {
    {NETLINK_PREFIX, parse_netlink},
    {PACKET_PREFIX, parse_packet},
    {VSOCK_PREFIX, parse_vsock},
};

bool party__is_family_text(const char *text)
{
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        if (strncmp(text, readers[i].prefix, strlen(readers[i].prefix)) == 0) {
            return true;
        }
    }
    return false;
}

int party__parse_family(const char *text, struct party_address *ret_address)
{
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        size_t len = strlen(readers[i].prefix);
        if (strncmp(text, readers[i].prefix, len) == 0) {
            return readers[i].parse(text + len, ret_address);
        }
    }
    return PARTY_EADDRESS;
}

int party_address_bdaddr(const char *text, struct party_bdaddr *ret_addr)
{
    PARTY__REQUIRE(-EINVAL, text, ret_addr);
    struct party_bdaddr addr;
    for (size_t i = 0; i < sizeof(addr.bytes); i++) {
        uint32_t byte;
        if (i > 0 && !take_colon(&text)) {
            return PARTY_EADDRESS;
        }
        const char *pair = text;
        if (!take_digits(&text, 16, &byte) || text - pair > 2) {
            return PARTY_EADDRESS;
        }
        addr.bytes[i] = (uint8_t)byte;
    }
    if (*text != '\0') {
        return PARTY_EADDRESS;
    }
    *ret_addr = addr;
    return 0;
}
