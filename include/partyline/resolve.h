/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_RESOLVE_H
#define PARTYLINE_RESOLVE_H

#include <net/if.h>
#include <netdb.h>

#include <partyline/address.h>

PARTY_BEGIN_DECLS

/*
 * Names and numbers, as Python's socket module has them: hosts, services, protocols, interfaces.
 * Look-ups on a loop, which do not wait, are in lookup.h.
 *
 *     struct party_resolve_list list;
 *     int r = party_resolve_getaddrinfo("example.org", "https", 0, SOCK_STREAM, 0, 0, &list);
 *     for (size_t i = 0; r == 0 && i < list.count; i++) {
 *         puts(party_address_format(&list.entries[i].address, text, sizeof(text)));
 *     }
 *     party_resolve_list_finish(&list);
 *
 * A host name with letters beyond ASCII is UTF-8 and is looked up in its ASCII form (IDNA 2008,
 * UTS 46 without the transitional rules, libidn2); other names go to the resolver byte for byte.
 * Every function that takes a host can return for such a name: PARTY_EIDNA, not a name that a
 * domain can have; PARTY_EIDNA_EMPTY, an empty label; PARTY_EIDNA_LONG, a label beyond 63 bytes or
 * a name beyond 255; PARTY_EIDNA_UNSUPPORTED, the library was built without libidn2.
 *
 * Text is given back into the caller's memory: ret_x has x_cap bytes with the NUL, and what does
 * not fit is -ENAMETOOLONG, nothing written. What owns memory has a _finish.
 *
 * Blocks: what takes a host name or an address: as long as the resolver takes (resolv.conf(5)), but
 *   not at all for numeric hosts and services. What looks up services and protocols reads files,
 *   or what nsswitch.conf(5) says.
 * Threads: any.
 */

/* ---- addresses of a host ---- */

struct party_resolve_entry {
    int family;
    int type;
    int proto;
    struct party_address address;
};

struct party_resolve_list {
    size_t count;
    struct party_resolve_entry *entries; /* NULL when count is 0 */
    char *canonname;                     /* NULL when not asked for */
};

/**
 * Python's socket.getaddrinfo: all addresses of host and service, in the order to try them. host
 * NULL is the wildcard with AI_PASSIVE and loopback without. service is a name or a decimal number;
 * NULL and "" are port 0. As in Python "" is no host, host and service may not both be NULL, and
 * "<broadcast>" is known to party_resolve_address only. 0 for family, type and proto means any;
 * flags are AI_* of <netdb.h>. Unlike Python, which takes port 65616 for 80, a number beyond 65535
 * or with a sign or white space before it is refused with PARTY_EGAI_SERVICE.
 * Returns: 0; a PARTY_EGAI_ code; -errno when the system failed; -ENOMEM.
 * Owns: on success the caller owns the list's memory until party_resolve_list_finish.
 */
PARTY_API PARTY_MUST_USE int party_resolve_getaddrinfo(const char *host, const char *service,
                                                       int family, int type, int proto, int flags,
                                                       struct party_resolve_list *ret_list);

/** Frees what the list owns. A zeroed list and NULL are accepted. */
PARTY_API void party_resolve_list_finish(struct party_resolve_list *list);

/**
 * The address that Python makes of the (host, port) given to bind, connect and sendto. "" and NULL
 * are the wildcard, "<broadcast>" is 255.255.255.255, a numeric host is not looked up, of a name's
 * addresses the first is taken. family is AF_INET, AF_INET6, or AF_UNSPEC for whichever comes.
 * A scope ("fe80::1%eth0") is kept, which Python does not do; sin6_flowinfo is 0.
 * Returns: 0; -ERANGE when port is not in 0..65535; -EAFNOSUPPORT: another family, "<broadcast>"
 *   with AF_INET6, the wildcard with AF_UNSPEC, or a name whose address is neither v4 nor v6;
 *   else as party_resolve_getaddrinfo.
 */
PARTY_API PARTY_MUST_USE int party_resolve_address(const char *host, int port, int family,
                                                   struct party_address *ret_address);

/**
 * party_resolve_address with the port as text: a decimal number, or the name of a service. For what
 * people write: arguments, settings. NULL and "" are port 0.
 * Returns: as party_resolve_address; PARTY_EGAI_SERVICE for a number beyond 65535 or with a sign,
 * and for a service that nobody knows.
 */
PARTY_API PARTY_MUST_USE int party_resolve_host_port(const char *host, const char *port, int family,
                                                     struct party_address *ret_address);

/**
 * Python's socket.getnameinfo: host and service of an address; flags are NI_* of <netdb.h>
 * (NI_NUMERICHOST | NI_NUMERICSERV looks nothing up). NI_MAXHOST and NI_MAXSERV bytes are always
 * enough. Either output may be NULL with 0 bytes when it is not wanted, not both. Names come as the
 * resolver has them, in their ASCII form.
 * Returns: 0; PARTY_EGAI_NONAME with NI_NAMEREQD when there is no name, or nothing is wanted; other
 *   PARTY_EGAI_ codes, PARTY_EGAI_FAMILY for an address neither v4 nor v6; -ENAMETOOLONG; -errno.
 */
PARTY_API PARTY_MUST_USE int party_resolve_getnameinfo(const struct party_address *address,
                                                       int flags, char *ret_host, size_t host_cap,
                                                       char *ret_service, size_t service_cap);

/**
 * Python's socket.gethostbyname: one v4 address of a host as text; "" and NULL are "0.0.0.0",
 * "<broadcast>" is "255.255.255.255".
 * Returns: 0; else as party_resolve_address.
 */
PARTY_API PARTY_MUST_USE int party_resolve_gethostbyname(const char *host,
                                                         char ret_text[INET_ADDRSTRLEN]);

/* What gethostbyname_ex and gethostbyaddr tell. */
struct party_resolve_host {
    char *name; /* the primary name */
    size_t alias_count;
    char **aliases; /* other names of the host */
    size_t address_count;
    char **addresses; /* numeric, of one family */
};

/**
 * Python's socket.gethostbyname_ex: the names and all v4 addresses of a host, NULL as above.
 * Returns: 0; a code of party_resolve_gethostbyname when it has no address at all; PARTY_EH_ codes
 *   (herror) when the second look-up, for the names, fails; -EAFNOSUPPORT; -errno; -ENOMEM.
 * Owns: on success the caller owns the memory until party_resolve_host_finish.
 */
PARTY_API PARTY_MUST_USE int party_resolve_gethostbyname_ex(const char *host,
                                                            struct party_resolve_host *ret_host);

/**
 * Python's socket.gethostbyaddr: the names of an address, v4 or v6, which is given as text or as
 * a host name; NULL is "".
 * Returns: 0; a code of party_resolve_address when the text has no address; PARTY_EH_ codes when
 *   the address has no name; -EAFNOSUPPORT; -errno; -ENOMEM.
 * Owns: as party_resolve_gethostbyname_ex.
 */
PARTY_API PARTY_MUST_USE int party_resolve_gethostbyaddr(const char *address_or_name,
                                                         struct party_resolve_host *ret_host);

/** Frees what the host owns. A zeroed host and NULL are accepted. */
PARTY_API void party_resolve_host_finish(struct party_resolve_host *host);

/* ---- this host ---- */

/** Python's socket.gethostname. Returns: 0; -ENAMETOOLONG; -errno of uname(2). */
PARTY_API PARTY_MUST_USE int party_resolve_gethostname(char *ret_name, size_t name_cap);

/** Python's socket.sethostname. Returns: 0; -EPERM without CAP_SYS_ADMIN; -EINVAL beyond 64 bytes.
 */
PARTY_API PARTY_MUST_USE int party_resolve_sethostname(const char *name);

/**
 * Python's socket.getfqdn: the first name with a dot among those of the host, else its primary
 * name, else name as it was given, white space around it cut. NULL, "", "0.0.0.0" and "::" mean
 * this host. That a look-up fails is no error.
 * Returns: 0; -ENAMETOOLONG; -errno of party_resolve_gethostname; -ENOMEM.
 */
PARTY_API PARTY_MUST_USE int party_resolve_getfqdn(const char *name, char *ret_name,
                                                   size_t name_cap);

/* ---- services and protocols ---- */

/**
 * Python's socket.getservbyname: the port of a service. proto is "tcp", "udp" ...; NULL is any.
 * Returns: the port; -ENOENT when there is no such service; -errno; -ENOMEM.
 */
PARTY_API PARTY_MUST_USE int party_resolve_getservbyname(const char *name, const char *proto);

/**
 * Python's socket.getservbyport: the service at a port.
 * Returns: 0; -ERANGE when port is not in 0..65535; -ENOENT when the port has no name;
 *   -ENAMETOOLONG; -errno; -ENOMEM.
 */
PARTY_API PARTY_MUST_USE int party_resolve_getservbyport(int port, const char *proto,
                                                         char *ret_name, size_t name_cap);

/**
 * Python's socket.getprotobyname: the number of a protocol, for the third argument of socket.
 * Returns: the number; -ENOENT when there is no such protocol; -errno; -ENOMEM.
 */
PARTY_API PARTY_MUST_USE int party_resolve_getprotobyname(const char *name);

/* ---- interfaces ---- */

struct party_resolve_interface {
    unsigned index;
    char name[IF_NAMESIZE];
};

struct party_resolve_interfaces {
    size_t count;
    struct party_resolve_interface *entries; /* NULL when count is 0 */
};

/**
 * Python's socket.if_nameindex: the network interfaces.
 * Returns: 0; -errno; -ENOMEM.
 * Owns: on success the caller owns the memory until party_resolve_interfaces_finish.
 */
PARTY_API PARTY_MUST_USE int party_resolve_if_nameindex(
    struct party_resolve_interfaces *ret_interfaces);

/** Frees what the list owns. A zeroed list and NULL are accepted. */
PARTY_API void party_resolve_interfaces_finish(struct party_resolve_interfaces *interfaces);

/** Python's socket.if_nametoindex. Returns: 0; -ENODEV when no interface has the name; -errno. */
PARTY_API PARTY_MUST_USE int party_resolve_if_nametoindex(const char *name, unsigned *ret_index);

/** Python's socket.if_indextoname. Returns: 0; -ENXIO when no interface has the number; -errno. */
PARTY_API PARTY_MUST_USE int party_resolve_if_indextoname(unsigned index,
                                                          char ret_name[IF_NAMESIZE]);

PARTY_END_DECLS
#endif
