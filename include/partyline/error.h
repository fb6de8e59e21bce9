/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_ERROR_H
#define PARTYLINE_ERROR_H

#include <partyline/api.h>

PARTY_BEGIN_DECLS

/*
 * Error codes. Every function of the library that can fail returns a negative code: -errno for what
 * the kernel said, or one of the codes below, which lie beyond any errno. errno itself is no part
 * of the interface.
 *
 *     int r = party_sock_connect(sock, &address);
 *     if (r < 0) {
 *         fprintf(stderr, "%s\n", party_strerror(r));
 *     }
 *
 * Threads: all functions here may be called from any thread.
 */

/* name, code, text. The texts of the EAI family are getaddrinfo(3)'s, in our words. A
   PARTY_EGAI_ code is -5100 plus its EAI_ code, a PARTY_EH_ code -5200 minus its h_errno. */
#define PARTY_ERRORS(X)                                                                            \
    X(PARTY_EOF, -5000, "end of stream")                                                           \
    X(PARTY_ETIMEOUT, -5001, "timed out")                                                          \
    X(PARTY_EADDRESS, -5002, "not an address")                                                     \
    X(PARTY_EOVERFLOW, -5003, "output limit reached: the peer does not read")                      \
    X(PARTY_EIDLE, -5004, "the peer took nothing for too long")                                    \
    X(PARTY_ESILENT, -5005, "the peer said nothing for too long")                                  \
    X(PARTY_EIDNA, -5020, "no domain can have this host name")                                     \
    X(PARTY_EIDNA_EMPTY, -5021, "empty label in a host name")                                      \
    X(PARTY_EIDNA_LONG, -5022, "host name or label of it too long")                                \
    X(PARTY_EIDNA_UNSUPPORTED, -5023, "no host names beyond ASCII: built without libidn2")         \
    X(PARTY_EGAI_BADFLAGS, -5101, "bad flags for a name look-up")                                  \
    X(PARTY_EGAI_NONAME, -5102, "name or service not known")                                       \
    X(PARTY_EGAI_AGAIN, -5103, "temporary failure in name resolution")                             \
    X(PARTY_EGAI_FAIL, -5104, "the name server gave up for good")                                  \
    X(PARTY_EGAI_NODATA, -5105, "the name has no address")                                         \
    X(PARTY_EGAI_FAMILY, -5106, "address family not supported by the look-up")                     \
    X(PARTY_EGAI_SOCKTYPE, -5107, "socket type not supported by the look-up")                      \
    X(PARTY_EGAI_SERVICE, -5108, "service not known for this socket type")                         \
    X(PARTY_EGAI_ADDRFAMILY, -5109, "the name has no address in this family")                      \
    X(PARTY_EGAI_MEMORY, -5110, "out of memory during a name look-up")                             \
    X(PARTY_EGAI_OVERFLOW, -5112, "argument too long for a name look-up")                          \
    X(PARTY_EH_HOST_NOT_FOUND, -5201, "unknown host")                                              \
    X(PARTY_EH_TRY_AGAIN, -5202, "temporary failure in looking up a host")                         \
    X(PARTY_EH_NO_RECOVERY, -5203, "the name server failed for good in looking up a host")         \
    X(PARTY_EH_NO_DATA, -5204, "the host has no address, or the address no name")                  \
    X(PARTY_ETLS_PROTOCOL, -5300, "the peer does not speak TLS as it should")                      \
    X(PARTY_ETLS_TRUNCATED, -5301, "the stream ended without the end of TLS")                      \
    X(PARTY_ETLS_CERTIFICATE, -5302, "the peer's certificate is not trusted")                      \
    X(PARTY_ETLS_HOSTNAME, -5303, "the peer's certificate is for another name")                    \
    X(PARTY_ETLS_EXPIRED, -5304, "the peer's certificate is not valid at this time")               \
    X(PARTY_ETLS_NO_CERTIFICATE, -5305, "the peer has shown no certificate")                       \
    X(PARTY_ETLS_ALERT, -5306, "the peer refused the TLS connection")                              \
    X(PARTY_ETLS_NO_COMMON, -5307, "no TLS version, cipher or protocol in common")                 \
    X(PARTY_ETLS_SETTINGS, -5308, "the certificate or key cannot be used")                         \
    X(PARTY_EPROXY_PROTOCOL, -5400, "the proxy does not speak its protocol as it should")          \
    X(PARTY_EPROXY_FAILURE, -5401, "the proxy failed")                                             \
    X(PARTY_EPROXY_NOTALLOWED, -5402, "the proxy does not allow the connection")                   \
    X(PARTY_EPROXY_NETUNREACH, -5403, "the proxy cannot reach the network")                        \
    X(PARTY_EPROXY_HOSTUNREACH, -5404, "the proxy cannot reach the host")                          \
    X(PARTY_EPROXY_CONNREFUSED, -5405, "the host refused the proxy")                               \
    X(PARTY_EPROXY_TTL, -5406, "the proxy's packets did not live long enough")                     \
    X(PARTY_EPROXY_COMMAND, -5407, "the proxy cannot connect for others")                          \
    X(PARTY_EPROXY_ADDRTYPE, -5408, "the proxy does not know this kind of address")                \
    X(PARTY_EPROXY_UNASSIGNED, -5409, "the proxy refused for a reason without a name")             \
    X(PARTY_EPROXY_METHODS, -5410, "the proxy wants to know us in a way we do not know")           \
    X(PARTY_EPROXY_AUTH, -5411, "the proxy refused the user or the password")                      \
    X(PARTY_EPROXY_STATUS, -5412, "the proxy refused the tunnel")                                  \
    X(PARTY_EPROXY_TOOLONG, -5413, "the proxy said more than it may")                              \
    X(PARTY_EPROXY_HEADER, -5420, "not a PROXY header")                                            \
    X(PARTY_EPROXY_CHECKSUM, -5421, "the PROXY header's checksum is wrong")

enum party_error {
#define PARTY_ERROR_ENUM(name, code, text) name = code,
    PARTY_ERRORS(PARTY_ERROR_ENUM)
#undef PARTY_ERROR_ENUM
};

/* Python's classes of socket errors. */
enum party_error_kind {
    PARTY_KIND_NONE,    /* no error: the code is >= 0 */
    PARTY_KIND_OS,      /* OSError: -errno of the kernel */
    PARTY_KIND_GAI,     /* socket.gaierror */
    PARTY_KIND_HERROR,  /* socket.herror */
    PARTY_KIND_TIMEOUT, /* TimeoutError (socket.timeout): PARTY_ETIMEOUT, -ETIMEDOUT */
    PARTY_KIND_LIBRARY, /* one of ours without a counterpart in Python */
};

/**
 * The text for a code, for people: "Connection refused", "timed out".
 * Returns: a static string, never NULL; "no error" for a code >= 0; for a code nobody defined,
 *   "unknown error".
 */
PARTY_API const char *party_strerror(int code);

/**
 * The symbolic name of a code: "ECONNREFUSED", "PARTY_EOF".
 * Returns: a static string, never NULL; "OK" for a code >= 0; for a code nobody defined, "?".
 */
PARTY_API const char *party_error_name(int code);

/** Which of Python's classes the code belongs to. A code >= 0 is PARTY_KIND_NONE. */
PARTY_API enum party_error_kind party_error_kind(int code);

/** Translates getaddrinfo's EAI_* into ours; EAI_SYSTEM becomes -sys_errno; 0 stays 0. */
PARTY_API int party_error_from_gai(int eai, int sys_errno);

/**
 * Translates the h_errno of gethostbyname(3) and its like into ours; NETDB_INTERNAL becomes
 * -sys_errno; NETDB_SUCCESS, 0, stays 0.
 */
PARTY_API int party_error_from_h(int herr, int sys_errno);

PARTY_END_DECLS
#endif
