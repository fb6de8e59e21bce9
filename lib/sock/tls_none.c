/* SPDX-License-Identifier: MIT */
#include <partyline/tls.h>

#include <errno.h>
#include <stdio.h>

#include <partyline/error.h>

#include "sock/tls_internal.h"

/*
 * TLS for a library built without OpenSSL. No context can be made, so nobody holds a connection,
 * and what asks one is never called; it exists because the library's symbols do not depend on how
 * it was built.
 */

int party_tls_context_create(enum party_tls_role role, const struct party_tls_settings *settings,
                             char *ret_text, size_t text_cap,
                             struct party_tls_context **ret_context)
{
    (void)role;
    (void)settings;
    (void)ret_context;
    if (ret_text != NULL && text_cap > 0) {
        (void)snprintf(ret_text, text_cap, "this library was built without TLS");
    }
    return -EOPNOTSUPP;
}

struct party_tls_context *party_tls_context_ref(struct party_tls_context *context)
{
    return context;
}

void party_tls_context_unref(struct party_tls_context *context)
{
    (void)context;
}

int party_tls_wrap_socket(struct party_tls_context *context, struct party_sock *sock,
                          const struct party_tls_options *options, struct party_tls **ret_tls)
{
    (void)context;
    (void)sock;
    (void)options;
    (void)ret_tls;
    return -EOPNOTSUPP;
}

int party_tls_do_handshake(struct party_tls *tls)
{
    (void)tls;
    return -EOPNOTSUPP;
}

ssize_t party_tls_recv_into(struct party_tls *tls, void *buf, size_t len)
{
    (void)tls;
    (void)buf;
    (void)len;
    return -EOPNOTSUPP;
}

ssize_t party_tls_recv(struct party_tls *tls, void *buf, size_t len)
{
    return party_tls_recv_into(tls, buf, len);
}

ssize_t party_tls_send(struct party_tls *tls, const void *buf, size_t len)
{
    (void)tls;
    (void)buf;
    (void)len;
    return -EOPNOTSUPP;
}

int party_tls_sendall(struct party_tls *tls, const void *buf, size_t len)
{
    return (int)party_tls_send(tls, buf, len);
}

int party_tls_send_close_notify(struct party_tls *tls)
{
    (void)tls;
    return -EOPNOTSUPP;
}

int party_tls_unwrap(struct party_tls *tls, struct party_sock **ret_sock)
{
    (void)tls;
    (void)ret_sock;
    return -EOPNOTSUPP;
}

void party_tls_close(struct party_tls *tls)
{
    (void)tls;
}

struct party_sock *party_tls_sock(const struct party_tls *tls)
{
    (void)tls;
    return NULL;
}

size_t party_tls_pending(const struct party_tls *tls)
{
    (void)tls;
    return 0;
}

short party_tls_wants(const struct party_tls *tls)
{
    (void)tls;
    return 0;
}

const char *party_tls_error_text(const struct party_tls *tls)
{
    (void)tls;
    return "";
}

bool party_tls_is_secure(const struct party_tls *tls)
{
    (void)tls;
    return false;
}

bool party_tls_server_side(const struct party_tls *tls)
{
    (void)tls;
    return false;
}

const char *party_tls_server_hostname(const struct party_tls *tls)
{
    (void)tls;
    return NULL;
}

const char *party_tls_version(const struct party_tls *tls)
{
    (void)tls;
    return NULL;
}

const char *party_tls_cipher(const struct party_tls *tls, int *ret_bits)
{
    (void)tls;
    (void)ret_bits;
    return NULL;
}

const char *party_tls_selected_alpn_protocol(const struct party_tls *tls)
{
    (void)tls;
    return NULL;
}

ssize_t party_tls_getpeercert(const struct party_tls *tls, enum party_tls_cert_form form, void *buf,
                              size_t cap)
{
    (void)tls;
    (void)form;
    (void)buf;
    (void)cap;
    return -EOPNOTSUPP;
}

bool party_tls_session_reused(const struct party_tls *tls)
{
    (void)tls;
    return false;
}

int party_tls_session(const struct party_tls *tls, struct party_tls_session **ret_session)
{
    (void)tls;
    (void)ret_session;
    return -EOPNOTSUPP;
}

void party_tls_session_destroy(struct party_tls_session *session)
{
    (void)session;
}

/* ---- for the layers above ---- */

int party__tls_create(struct party_tls_context *context, const struct party_tls_options *options,
                      const struct party__tls_io *io, void *user, struct party_tls **ret_tls)
{
    (void)context;
    (void)options;
    (void)io;
    (void)user;
    (void)ret_tls;
    return -EOPNOTSUPP;
}

void party__tls_destroy(struct party_tls *tls)
{
    (void)tls;
}

int party__tls_handshake(struct party_tls *tls)
{
    (void)tls;
    return -EOPNOTSUPP;
}

ssize_t party__tls_read(struct party_tls *tls, void *buf, size_t len)
{
    return party_tls_recv_into(tls, buf, len);
}

ssize_t party__tls_write(struct party_tls *tls, const void *buf, size_t len)
{
    return party_tls_send(tls, buf, len);
}

int party__tls_end(struct party_tls *tls)
{
    (void)tls;
    return -EOPNOTSUPP;
}

int party__tls_error(const struct party_tls *tls)
{
    (void)tls;
    return -EOPNOTSUPP;
}
