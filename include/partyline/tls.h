/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_TLS_H
#define PARTYLINE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <partyline/sock.h>

PARTY_BEGIN_DECLS

/*
 * TLS 1.2 and 1.3 over sockets, with the names of Python's ssl module. The peer's certificate and
 * its host name are verified unless somebody says "insecure". For TLS on a loop see
 * party_stream_start_tls in stream.h; what it gives to look at is the same struct party_tls.
 *
 *     struct party_tls_context *context;
 *     int r = party_tls_context_create(PARTY_TLS_CLIENT, NULL, text, sizeof(text), &context);
 *     ...
 *     struct party_tls_options options = {.server_hostname = "example.org"};
 *     r = party_tls_wrap_socket(context, sock, &options, &tls); // tls owns sock from here on
 *     r = party_tls_do_handshake(tls);
 *     if (r < 0) {
 *         fprintf(stderr, "%s: %s\n", party_strerror(r), party_tls_error_text(tls));
 *     }
 *
 * Time-outs are the socket's (party_sock_settimeout on party_tls_sock): -1 waits for ever, 0 never
 * waits and a call that would have to returns -EAGAIN, > 0 is one deadline for a whole call, which
 * then returns PARTY_ETIMEOUT. Interrupted calls go on by themselves; SIGPIPE is never raised.
 *
 * The end of a TLS stream is a message of its own (close_notify). A connection that ends without it
 * may have been cut by somebody in between: PARTY_ETLS_TRUNCATED, never 0.
 *
 * Errors of the protocol, here called "the PARTY_ETLS_ codes": PARTY_ETLS_CERTIFICATE,
 * PARTY_ETLS_HOSTNAME, PARTY_ETLS_EXPIRED, PARTY_ETLS_NO_CERTIFICATE (the peer's certificate was
 * refused, and why), PARTY_ETLS_NO_COMMON (no version, cipher or application protocol that both
 * know), PARTY_ETLS_ALERT (the peer refused), PARTY_ETLS_TRUNCATED, PARTY_ETLS_PROTOCOL (anything
 * else that is no TLS). After one of them, and after an -errno other than -EAGAIN, -EINVAL and what
 * poll(2) said, the connection is broken: further calls return the same code.
 *
 * A library built without OpenSSL has all the functions: those that make a context or a connection
 * return -EOPNOTSUPP, and nothing else can then be reached.
 *
 * Threads: a context may be used by any number of threads at once; a connection by one at a time.
 */
struct party_tls_context;
struct party_tls;
struct party_tls_session;

enum party_tls_role { PARTY_TLS_CLIENT, PARTY_TLS_SERVER };

enum party_tls_client_certs {
    PARTY_TLS_CLIENT_CERTS_NONE,     /* not asked for */
    PARTY_TLS_CLIENT_CERTS_OPTIONAL, /* one that is sent must be good */
    PARTY_TLS_CLIENT_CERTS_REQUIRED, /* without one: PARTY_ETLS_NO_CERTIFICATE */
    PARTY_TLS_CLIENT_CERTS_ANY,      /* none or any, whoever signed it: for who knows its users by
                                        fingerprint (PARTY_TLS_CERT_SHA256) */
};

/* A certificate with its key. */
struct party_tls_keypair {
    const char *chain_file; /* PEM: the certificate, then those that lead to the authority */
    const char *key_file;   /* PEM, no pass phrase; NULL: in chain_file */
};

/**
 * Called once in a server's handshake with the name that the client wants (NULL: it gave none; else
 * any bytes that it likes).
 * Sets *ret_context to go on with another server context, or leaves it. All of that context's
 * settings count but its own sni: what it asks of clients too, and a session of another context is
 * not resumed there. Returns: 0; negative refuses the client with the alert unrecognized_name, and
 * is what the handshake ends with (-EAGAIN and -EINTR as PARTY_ETLS_PROTOCOL).
 * Owns: the connection takes a reference of its own of *ret_context. Threads: the connection's.
 */
typedef int (*party_tls_sni_fn)(const char *server_name, void *user,
                                struct party_tls_context **ret_context);

/* All are copied or read by party_tls_context_create but sni_user. Zeroed they are the defaults. */
struct party_tls_settings {
    const char *ca_file; /* PEM: authorities to trust; with ca_dir NULL too: the system's, where
                            OpenSSL has them or SSL_CERT_FILE and SSL_CERT_DIR say. A server that
                            asks clients for good certificates must name its own */
    const char *ca_dir;  /* the same as a folder made by openssl rehash. It is looked into in each
                            handshake, the system's too: what cannot be opened then (no descriptor
                            is left) is not trusted */
    const struct party_tls_keypair *keypairs; /* a server's, one at least; a client's, one at most.
                                                 A client that wants a name gets the first that
                                                 holds it, else the first of all */
    size_t keypair_count;
    const char *const *alpn; /* application protocols, the best first; a server that has some
                                refuses a client that offers only others */
    size_t alpn_count;
    enum party_tls_client_certs client_certs; /* servers */
    bool insecure_no_verify;                  /* clients: whoever answers is believed */
    bool insecure_no_hostname; /* clients: a good certificate for any name is believed */
    bool only_tls_1_3;         /* else TLS 1.2 too; nothing older in any case */
    bool no_tickets;           /* servers: no session can be resumed */
    party_tls_sni_fn sni;      /* servers; NULL: none */
    void *sni_user;
    const char *keylog_file; /* the secrets of each connection are appended here, for Wireshark: who
                                has the file can read everything. NULL: never */
};

/**
 * Makes a context: certificates are read and checked here, nothing is read later but ca_dir. To
 * change certificates make another context; connections keep the one they began with.
 * settings NULL means all defaults. A file or folder of authorities that the system does not
 * have is passed over; with neither, nobody is trusted.
 * Returns: 0; -EINVAL for settings that contradict each other or a bad ALPN name; -errno of a file
 *   that cannot be opened, the system's too; PARTY_ETLS_SETTINGS for one without a certificate or
 *   key, or a key that does not fit; -ENOMEM; -EOPNOTSUPP. After a failure ret_text, when not NULL,
 *   says what is wrong, in at most text_cap bytes with the NUL.
 * Owns: the caller one reference, ended by party_tls_context_unref.
 * Blocks: for reading files.
 */
PARTY_API PARTY_MUST_USE int party_tls_context_create(enum party_tls_role role,
                                                      const struct party_tls_settings *settings,
                                                      char *ret_text, size_t text_cap,
                                                      struct party_tls_context **ret_context);

/** One more reference. Returns: context. */
PARTY_API struct party_tls_context *party_tls_context_ref(struct party_tls_context *context);

/** One reference less; the last frees the context. NULL is accepted. */
PARTY_API void party_tls_context_unref(struct party_tls_context *context);

/* ---- connections ---- */

struct party_tls_options {
    const char *server_hostname; /* clients: the name or address that the certificate must be for;
                                    in UTF-8, and xn--... is made of what is beyond ASCII. Names are
                                    sent to the server. NULL only with an insecure_ setting.
                                    Servers: NULL */
    const struct party_tls_session *session; /* clients: to resume; of the same context and the same
                                                server_hostname, as a server that resumes shows no
                                                certificate. NULL: none. Servers: NULL */
    bool suppress_ragged_eofs; /* recv returns 0 where it is PARTY_ETLS_TRUNCATED (sockets only) */
};

/**
 * Python's ssl.SSLContext.wrap_socket with do_handshake_on_connect=False: TLS over a connected
 * stream socket. Nothing is sent yet. options NULL means none.
 * Returns: 0; -EINVAL for a server_hostname that is missing, not wanted, or no name, and for a
 *   session that does not fit; PARTY_EIDNA, PARTY_EIDNA_EMPTY, PARTY_EIDNA_LONG,
 *   PARTY_EIDNA_UNSUPPORTED for a server_hostname beyond ASCII (see resolve.h); -ENOMEM;
 *   -EOPNOTSUPP.
 * Owns: on success tls owns sock (as Python's takes its descriptor) and a reference of context.
 */
PARTY_API PARTY_MUST_USE int party_tls_wrap_socket(struct party_tls_context *context,
                                                   struct party_sock *sock,
                                                   const struct party_tls_options *options,
                                                   struct party_tls **ret_tls);

/**
 * Python's do_handshake. The calls below do it by themselves when it has not been done.
 * Returns: 0, also when it was done before; -EAGAIN; PARTY_ETIMEOUT; the PARTY_ETLS_ codes; -errno.
 * Blocks: up to the socket's time-out in all.
 */
PARTY_API PARTY_MUST_USE int party_tls_do_handshake(struct party_tls *tls);

/**
 * Python's SSLSocket.recv_into; party_tls_recv is another name for it.
 * Returns: bytes read (> 0); 0 when the peer has ended its stream in good order, or for len 0;
 *   -EAGAIN; PARTY_ETIMEOUT; the PARTY_ETLS_ codes; -errno of recv(2) or send(2).
 * Blocks: up to the socket's time-out.
 */
PARTY_API PARTY_MUST_USE ssize_t party_tls_recv_into(struct party_tls *tls, void *buf, size_t len);
PARTY_API PARTY_MUST_USE ssize_t party_tls_recv(struct party_tls *tls, void *buf, size_t len);

/**
 * Python's SSLSocket.send: sends one record, at most 16 KiB of buf.
 * Returns: bytes taken; -EAGAIN, PARTY_ETIMEOUT: nothing was taken, but the record is made, so the
 *   next send must be with the same bytes (or those and more), -EINVAL when it is with fewer;
 * -EPIPE after party_tls_send_close_notify; the PARTY_ETLS_ codes; -errno. Blocks: up to the
 * socket's time-out.
 */
PARTY_API PARTY_MUST_USE ssize_t party_tls_send(struct party_tls *tls, const void *buf, size_t len);

/**
 * Python's SSLSocket.sendall: sends everything, with one deadline for the whole call.
 * Returns: 0; as party_tls_send otherwise. After a failure it is unknown how much went out.
 */
PARTY_API PARTY_MUST_USE int party_tls_sendall(struct party_tls *tls, const void *buf, size_t len);

/**
 * Tells the peer that no more comes; it can still be read from. A second call does nothing.
 * Returns: 0; -ENOTCONN before the handshake; -EINVAL while a send waits to be repeated; -EAGAIN;
 *   PARTY_ETIMEOUT; -errno; the PARTY_ETLS_ codes.
 * Blocks: up to the socket's time-out.
 */
PARTY_API PARTY_MUST_USE int party_tls_send_close_notify(struct party_tls *tls);

/**
 * Python's SSLSocket.unwrap: ends TLS on both sides and gives the socket back. What the peer sends
 * until its end is dropped; a call that may not wait drops 256 KiB at most, then it is -EAGAIN.
 * Returns: 0, and tls is freed; as party_tls_send_close_notify and party_tls_recv_into otherwise,
 *   and tls is as before.
 * Owns: on success the caller owns the socket again.
 * Blocks: up to the socket's time-out in all.
 */
PARTY_API PARTY_MUST_USE int party_tls_unwrap(struct party_tls *tls, struct party_sock **ret_sock);

/**
 * Closes the socket and frees tls. The peer is told (close_notify) as far as that can be done
 * without waiting. Python's SSLSocket.close does not do that. NULL is accepted.
 */
PARTY_API void party_tls_close(struct party_tls *tls);

/** The socket below, for time-outs, addresses and options. It stays tls's. NULL for a stream's. */
PARTY_API struct party_sock *party_tls_sock(const struct party_tls *tls);

/** Python's SSLSocket.pending: bytes that recv_into can give without the network. */
PARTY_API size_t party_tls_pending(const struct party_tls *tls);

/** What the last call that returned -EAGAIN waits for: POLLIN or POLLOUT; 0 when none did. */
PARTY_API short party_tls_wants(const struct party_tls *tls);

/**
 * What went wrong, for people: "hostname mismatch", "unknown ca". Lives until tls's
 * next call. Returns: never NULL; "" while nothing is wrong.
 */
PARTY_API const char *party_tls_error_text(const struct party_tls *tls);

/* ---- what was agreed; all may be asked in a stream's callbacks too ---- */

/** Whether the handshake is done. */
PARTY_API bool party_tls_is_secure(const struct party_tls *tls);

/** Python's SSLSocket.server_side. */
PARTY_API bool party_tls_server_side(const struct party_tls *tls);

/**
 * Python's SSLSocket.server_hostname, in ASCII; for a server, the name that the client gave. Lives
 * as long as tls. NULL: none.
 */
PARTY_API const char *party_tls_server_hostname(const struct party_tls *tls);

/** Python's SSLSocket.version: "TLSv1.3". NULL before the handshake. Static. */
PARTY_API const char *party_tls_version(const struct party_tls *tls);

/**
 * Python's SSLSocket.cipher: its name; ret_bits, when not NULL, gets the bits of its key. NULL
 * before the handshake. Static.
 */
PARTY_API const char *party_tls_cipher(const struct party_tls *tls, int *ret_bits);

/** Python's selected_alpn_protocol. Lives as long as tls. NULL: none. */
PARTY_API const char *party_tls_selected_alpn_protocol(const struct party_tls *tls);

enum party_tls_cert_form {
    PARTY_TLS_CERT_DER,     /* Python's getpeercert(binary_form=True) */
    PARTY_TLS_CERT_PEM,     /* text */
    PARTY_TLS_CERT_SUBJECT, /* text: "CN=example.org,O=Example" (RFC 2253, UTF-8) */
    PARTY_TLS_CERT_SHA256,  /* text: the fingerprint, 64 hexadecimal digits */
};

/**
 * Python's SSLSocket.getpeercert. Texts end with a NUL that the length does not count.
 * Returns: the length, also when it is more than cap, and then nothing was written (for texts, when
 *   it is cap or more); -ENOTCONN before the handshake; -ENODATA when the peer has shown none;
 *   -EINVAL for no such form; -ENOMEM.
 */
PARTY_API PARTY_MUST_USE ssize_t party_tls_getpeercert(const struct party_tls *tls,
                                                       enum party_tls_cert_form form, void *buf,
                                                       size_t cap);

/** Python's SSLSocket.session_reused. */
PARTY_API bool party_tls_session_reused(const struct party_tls *tls);

/**
 * Python's SSLSocket.session: what a client needs to resume the session in another connection. With
 * TLS 1.3 it comes after the handshake, so recv something first.
 * Returns: 0; -ENODATA when there is none (yet) that can be resumed, and for a server; -ENOMEM.
 * Owns: the caller, until party_tls_session_destroy.
 */
PARTY_API PARTY_MUST_USE int party_tls_session(const struct party_tls *tls,
                                               struct party_tls_session **ret_session);

/** Frees a session. NULL is accepted. */
PARTY_API void party_tls_session_destroy(struct party_tls_session *session);

PARTY_END_DECLS
#endif
