/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_ADDRESS_H
#define PARTYLINE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <partyline/api.h>

PARTY_BEGIN_DECLS

/*
 * Where a socket is or talks to, as a value that can be copied. Written form:
 *
 *     127.0.0.1:60000   [::1]:60000   [fe80::1%eth0]:60000   unix:/run/x.sock   unix:@abstract
 *     netlink:PORT:GROUPS   vsock:CID:PORT
 *     packet:eth0:0x0800   packet:eth0:0x0806:00:11:22:33:44:55
 *
 * In the last three numbers may be in hex (0x...), and "*" stands for any machine, port of vsock or
 * interface. address_family.h makes addresses of all families from their parts. Text with a host
 * name is not an address but a question: see resolve.h.
 */
struct party_address {
    socklen_t len; /* bytes of u in use; for unix addresses it tells how long the name is */
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
        struct sockaddr_storage storage;
    } u;
};

/* Enough for every address party_address_format can write, with its NUL: the longest is a unix name
   whose 108 bytes are all escaped. */
#define PARTY_ADDRESS_TEXT_MAX 448

/**
 * Reads the written form. The host must be numeric, or empty or "*" for the wildcard (":8080" is
 * 0.0.0.0:8080). The port must be there. In a unix name a backslash, x and two hex digits stand for
 * a byte, as party_address_format writes it, so what it wrote of a unix address is read back the
 * same, but for a path that fills all of sun_path, an abstract name of no bytes and no name at all.
 * Returns: 0; PARTY_EADDRESS when the text is not an address; -ENAMETOOLONG when a unix path does
 *   not fit into sun_path; -ENODEV when a scope or a packet's text names no interface.
 */
PARTY_API PARTY_MUST_USE int party_address_parse(const char *text,
                                                 struct party_address *ret_address);

/**
 * Splits "host:port", "[v6]:port" or "host" into its parts without looking anything up.
 * Returns: 0; PARTY_EADDRESS when it is no such text; -ENAMETOOLONG when host or port does not fit.
 *   ret_port is "" when the text has none; whether it is a number or a service is not looked at.
 *   A v6 address needs its brackets, and "unix:..." has no host: both are PARTY_EADDRESS.
 */
PARTY_API PARTY_MUST_USE int party_address_split(const char *text, char *ret_host, size_t host_cap,
                                                 char *ret_port, size_t port_cap);

/**
 * Writes the address into text, at most cap bytes with the NUL, cut if it must be. A v4 address
 * mapped into v6 is written as v4; bytes of a unix name that do not print, and backslashes, are
 * written as backslash, x and two hex digits. A unix socket without a name is "unix:". The other
 * families of address_family.h are written as their name and their parts (can:can0,
 * alg:hash:sha256, tipc:2:18888:17:0, qipcrtr:1:2, l2cap:00:11:22:33:44:55:4097, rfcomm:..., hci:0,
 * sco:...), which cannot be read back; one more than those is "family:" and its number.
 * Returns: text.
 */
PARTY_API char *party_address_format(const struct party_address *address, char *text, size_t cap);

/**
 * Makes an address from what the kernel gave (accept, getsockname). Of a path that fills all of
 * sun_path the kernel counts a NUL behind it that it refuses when it is given it: here that is not
 * counted, so that what comes can be sent and connected to.
 */
PARTY_API void party_address_from_sockaddr(struct party_address *ret_address,
                                           const struct sockaddr *sa, socklen_t len);

/** AF_INET, AF_INET6, AF_UNIX ...; AF_UNSPEC for an empty address. */
PARTY_API int party_address_family(const struct party_address *address);

/** The port in host order; 0 where the family has none. */
PARTY_API uint16_t party_address_port(const struct party_address *address);

/** Sets the port; does nothing where the family has none. */
PARTY_API void party_address_set_port(struct party_address *address, uint16_t port);

/** Whether both name the same place; a v4 address and the same mapped into v6 do. */
PARTY_API bool party_address_equal(const struct party_address *a, const struct party_address *b);

/**
 * Python's socket.inet_aton: reads an IPv4 address in any of the forms of old: 127.1, 0x7f000001.
 * Returns: 0; PARTY_EADDRESS.
 */
PARTY_API PARTY_MUST_USE int party_address_inet_aton(const char *text, struct in_addr *ret_addr);

/** Python's socket.inet_ntoa. text has room for INET_ADDRSTRLEN bytes. Returns: text. */
PARTY_API char *party_address_inet_ntoa(struct in_addr addr, char *text);

/**
 * Python's socket.inet_pton: ret_addr is a struct in_addr for AF_INET, a struct in6_addr for
 * AF_INET6. Returns: 0; PARTY_EADDRESS when text is no address of the family; -EAFNOSUPPORT.
 */
PARTY_API PARTY_MUST_USE int party_address_inet_pton(int family, const char *text, void *ret_addr);

/**
 * Python's socket.inet_ntop. INET6_ADDRSTRLEN bytes are enough for either family.
 * Returns: 0; -EINVAL when len is not what an address of the family has; -ENOSPC when cap is too
 *   small; -EAFNOSUPPORT.
 */
PARTY_API PARTY_MUST_USE int party_address_inet_ntop(int family, const void *addr, size_t len,
                                                     char *ret_text, size_t cap);

/** Python's socket.htons, htonl, ntohs and ntohl: between the machine's order and the network's. */
PARTY_API uint16_t party_address_htons(uint16_t number);
PARTY_API uint32_t party_address_htonl(uint32_t number);
PARTY_API uint16_t party_address_ntohs(uint16_t number);
PARTY_API uint32_t party_address_ntohl(uint32_t number);

PARTY_END_DECLS
#endif
