/* SPDX-License-Identifier: MIT */
#include <partyline/tls.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include <partyline/error.h>

#include "base/require.h"
#include "sock/tls_openssl.h"

/*
 * Contexts: what many connections share. Nothing in one changes after party_tls_context_create but
 * its count of references, so threads need no lock for it; what OpenSSL counts in it is atomic.
 *
 * A context has one SSL_CTX per certificate. They differ in nothing else, so that a
 * ClientHello can switch a connection from one to another.
 */

#define ALPN_NAME_MAX_BYTES 255u
#define ALPN_WIRE_MAX_BYTES 65535u
#define TEXT_MAX_BYTES      256u

/* What is known while a context is made. */
struct making {
    struct party_tls_context *context;
    const struct party_tls_settings *settings;
    char *text; /* NULL: nobody asks */
    size_t text_cap;
};

static int refuse(const struct making *making, int code, const char *what, const char *why)
{
    if (making->text != NULL && making->text_cap > 0) {
        (void)snprintf(making->text, making->text_cap, "%s: %s", what, why);
    }
    ERR_clear_error();
    return code;
}

/* For a failed call of OpenSSL: it has said why. */
static int refuse_openssl(const struct making *making, const char *what)
{
    char why[TEXT_MAX_BYTES];
    int code = party__tls_take_error(NULL, PARTY_ETLS_SETTINGS, why, sizeof(why));
    return refuse(making, code >= -4095 ? code : PARTY_ETLS_SETTINGS, what, why);
}

static int no_memory(const struct making *making)
{
    return refuse(making, -ENOMEM, "TLS context", party_strerror(-ENOMEM));
}

static int open_file(const char *path, int flags)
{
    int fd;
    do {
        fd = open(path, flags | O_CLOEXEC, 0600);
    } while (fd == -1 && errno == EINTR);
    return fd;
}

/* Returns: 0 when it can be read from; -errno. */
static int can_open(const char *path, int flags)
{
    int fd = open_file(path, O_RDONLY | flags);
    if (fd == -1) {
        return -errno;
    }
    (void)close(fd); /* only read from */
    return 0;
}

/* OpenSSL hides which system call failed, so the file is tried first. */
static int try_open(const struct making *making, const char *path, int flags)
{
    int r = can_open(path, flags);
    return r < 0 ? refuse(making, r, path, party_strerror(r)) : 0;
}

/* ---- ALPN (RFC 7301) ---- */

static int on_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                   const unsigned char *offered, unsigned offered_len, void *arg)
{
    (void)ssl;
    const struct party_tls_context *context = arg;
    unsigned char *name = NULL;
    int r = SSL_select_next_proto(&name, ret_len, context->alpn_wire, context->alpn_wire_len,
                                  offered, offered_len);
    *ret_name = name;
    return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int copy_alpn(const struct making *making)
{
    struct party_tls_context *context = making->context;
    size_t count = making->settings->alpn_count, len = 0;
    for (size_t i = 0; i < count; i++) {
        size_t name_len = strlen(making->settings->alpn[i]);
        len += 1 + name_len;
        if (name_len == 0 || name_len > ALPN_NAME_MAX_BYTES || len > ALPN_WIRE_MAX_BYTES) {
            return refuse(making, -EINVAL, "ALPN", "a name is empty or too long");
        }
    }
    if (count == 0) {
        return 0;
    }
    context->alpn = calloc(count, sizeof(*context->alpn));
    context->alpn_wire = malloc(len);
    if (context->alpn == NULL || context->alpn_wire == NULL) {
        return no_memory(making);
    }
    for (size_t i = 0; i < count; i++) {
        char *name = strdup(making->settings->alpn[i]);
        if (name == NULL) {
            return no_memory(making);
        }
        size_t name_len = strlen(name);
        context->alpn[context->alpn_count++] = name;
        context->alpn_wire[context->alpn_wire_len++] = (unsigned char)name_len;
        memcpy(context->alpn_wire + context->alpn_wire_len, name, name_len);
        context->alpn_wire_len += (unsigned)name_len;
    }
    return 0;
}

/* ---- the certificate ---- */

static int no_pass_phrase(char *buf, int size, int writing, void *user)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)user;
    return -1; /* OpenSSL would ask at the terminal */
}

static int load_keypair(const struct making *making, SSL_CTX *ctx,
                        const struct party_tls_keypair *pair)
{
    const char *key_file = pair->key_file != NULL ? pair->key_file : pair->chain_file;
    int r = try_open(making, pair->chain_file, 0);
    if (r == 0) {
        r = try_open(making, key_file, 0);
    }
    if (r < 0) {
        return r;
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, pair->chain_file) != 1) {
        return refuse_openssl(making, pair->chain_file);
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1) {
        return refuse_openssl(making, key_file);
    }
    return 0;
}

/* ---- whom to trust ---- */

static int believe(int preverified, X509_STORE_CTX *store)
{
    (void)preverified;
    (void)store;
    return 1;
}

/* Where OpenSSL looks for the system's: a variable, which set-user-ID programs do not hear, or what
   it was built with. */
static const char *of_system(const char *variable, const char *built_in)
{
    const char *value = secure_getenv(variable);
    return value != NULL ? value : built_in;
}

static bool is_absent(int code)
{
    return code == -ENOENT || code == -ENOTDIR;
}

/* Returns: 0; 1 when there is no such file; negative when it cannot be opened. */
static int find_of_system(const struct making *making, const char *path, int flags)
{
    int r = can_open(path, flags);
    if (is_absent(r)) {
        return 1;
    }
    return r < 0 ? refuse(making, r, path, party_strerror(r)) : 0;
}

/* dirs: separated by colons. */
static int find_folders_of_system(const struct making *making, const char *dirs)
{
    int r = 0;
    while (r >= 0 && *dirs != '\0') {
        size_t len = strcspn(dirs, ":");
        char *dir = strndup(dirs, len);
        if (dir == NULL) {
            return no_memory(making);
        }
        r = find_of_system(making, dir, O_DIRECTORY);
        free(dir);
        dirs += len + (dirs[len] == ':' ? 1 : 0);
    }
    return r < 0 ? r : 0;
}

/* SSL_CTX_set_default_verify_paths would do, were it not silent about what it cannot read: then
   nobody is trusted, and each handshake says that the peer's certificate is bad. */
static int load_system(const struct making *making, SSL_CTX *ctx)
{
    const char *file = of_system(X509_get_default_cert_file_env(), X509_get_default_cert_file());
    int r = find_of_system(making, file, 0);
    if (r == 0 && SSL_CTX_load_verify_file(ctx, file) != 1) {
        return refuse_openssl(making, file);
    }
    if (r >= 0) {
        r = find_folders_of_system(
            making, of_system(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()));
    }
    if (r < 0) {
        return r;
    }
    if (SSL_CTX_set_default_verify_dir(ctx) != 1 || SSL_CTX_set_default_verify_store(ctx) != 1) {
        return refuse_openssl(making, "system");
    }
    return 0;
}

static int load_authorities(const struct making *making, SSL_CTX *ctx)
{
    const char *file = making->settings->ca_file, *dir = making->settings->ca_dir;
    if (file == NULL && dir == NULL) {
        return load_system(making, ctx);
    }
    int r = file != NULL ? try_open(making, file, 0) : 0;
    if (r == 0 && dir != NULL) {
        r = try_open(making, dir, O_DIRECTORY);
    }
    if (r < 0) {
        return r;
    }
    if (SSL_CTX_load_verify_locations(ctx, file, dir) != 1) {
        return refuse_openssl(making, file != NULL ? file : dir);
    }
    if (file != NULL && making->context->role == PARTY_TLS_SERVER) {
        STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
        if (names == NULL) {
            return refuse_openssl(making, file);
        }
        SSL_CTX_set_client_CA_list(ctx, names);
    }
    return 0;
}

static int set_verification(const struct making *making, SSL_CTX *ctx)
{
    const struct party_tls_settings *settings = making->settings;
    int mode = SSL_VERIFY_PEER;
    if (making->context->role == PARTY_TLS_CLIENT) {
        if (settings->insecure_no_verify) {
            mode = SSL_VERIFY_NONE;
        }
    } else if (settings->client_certs == PARTY_TLS_CLIENT_CERTS_NONE) {
        mode = SSL_VERIFY_NONE;
    } else if (settings->client_certs == PARTY_TLS_CLIENT_CERTS_REQUIRED) {
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    } else if (settings->client_certs == PARTY_TLS_CLIENT_CERTS_ANY) {
        SSL_CTX_set_verify(ctx, mode, believe);
        return 0;
    }
    SSL_CTX_set_verify(ctx, mode, NULL);
    return mode == SSL_VERIFY_NONE ? 0 : load_authorities(making, ctx);
}

/* ---- the whole ---- */

static void on_keylog(const SSL *ssl, const char *line)
{
    const struct party_tls *tls = SSL_get_app_data(ssl);
    const struct party_tls_context *context = tls->switched != NULL ? tls->switched : tls->context;
    char text[512];
    int len = snprintf(text, sizeof(text), "%s\n", line);
    if (len > 0 && (size_t)len < sizeof(text)) {
        /* One write per line keeps the lines of threads apart; a full disk is no matter here. */
        ssize_t n = write(context->keylog_fd, text, (size_t)len);
        (void)n;
    }
}

static int set_server(const struct making *making, SSL_CTX *ctx)
{
    const struct party_tls_context *context = making->context;
    /* Sessions are in tickets that the clients keep, so none have to be held here. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (making->settings->no_tickets) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(ctx, 0);
    }
    /* A session that began with another context's rules, by the SNI hook, is not resumed: it may
       have been without a client's certificate. */
    if (SSL_CTX_set_session_id_context(ctx, context->id, sizeof(context->id)) != 1) {
        return refuse_openssl(making, "TLS context");
    }
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_client_hello_cb(ctx, party__tls_on_hello, NULL);
    SSL_CTX_set_tlsext_servername_callback(ctx, party__tls_on_name);
    if (making->context->alpn != NULL) {
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, making->context);
    }
    return 0;
}

static int set_client(const struct making *making, SSL_CTX *ctx)
{
    const struct party_tls_context *context = making->context;
    if (context->alpn != NULL &&
        SSL_CTX_set_alpn_protos(ctx, context->alpn_wire, context->alpn_wire_len) != 0) {
        return no_memory(making);
    }
    return 0;
}

static int make_ctx(const struct making *making, const struct party_tls_keypair *pair)
{
    struct party_tls_context *context = making->context;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (ctx == NULL) {
        return refuse_openssl(making, "TLS context");
    }
    context->ctxs[context->count++] = ctx;
    int version = making->settings->only_tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    if (SSL_CTX_set_min_proto_version(ctx, version) != 1) {
        return refuse_openssl(making, "TLS version");
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_default_passwd_cb(ctx, no_pass_phrase);
    if (context->keylog_fd != -1) {
        SSL_CTX_set_keylog_callback(ctx, on_keylog);
    }
    int r = pair != NULL ? load_keypair(making, ctx, pair) : 0;
    if (r == 0) {
        r = set_verification(making, ctx);
    }
    if (r == 0) {
        r = context->role == PARTY_TLS_SERVER ? set_server(making, ctx) : set_client(making, ctx);
    }
    return r;
}

/* Authorities for clients: the system's would let in whoever has a certificate for a web site. */
static bool lacks_authorities(const struct party_tls_settings *settings)
{
    return (settings->client_certs == PARTY_TLS_CLIENT_CERTS_OPTIONAL ||
            settings->client_certs == PARTY_TLS_CLIENT_CERTS_REQUIRED) &&
           settings->ca_file == NULL && settings->ca_dir == NULL;
}

static int check_settings(const struct making *making, enum party_tls_role role)
{
    const struct party_tls_settings *settings = making->settings;
    for (size_t i = 0; i < settings->keypair_count; i++) {
        if (settings->keypairs == NULL || settings->keypairs[i].chain_file == NULL) {
            return refuse(making, -EINVAL, "TLS context", "a certificate without a file");
        }
    }
    for (size_t i = 0; i < settings->alpn_count; i++) {
        if (settings->alpn == NULL || settings->alpn[i] == NULL) {
            return refuse(making, -EINVAL, "ALPN", "a name is missing");
        }
    }
    if ((unsigned)role > PARTY_TLS_SERVER ||
        (unsigned)settings->client_certs > PARTY_TLS_CLIENT_CERTS_ANY) {
        return refuse(making, -EINVAL, "TLS context", "no such role or client_certs");
    }
    if (role == PARTY_TLS_SERVER) {
        if (lacks_authorities(settings)) {
            return refuse(making, -EINVAL, "TLS server", "no authority for clients given");
        }
        if (settings->keypair_count == 0) {
            return refuse(making, -EINVAL, "TLS server", "no certificate given");
        }
        if (settings->insecure_no_verify || settings->insecure_no_hostname) {
            return refuse(making, -EINVAL, "TLS server", "a setting for clients");
        }
    } else if (settings->keypair_count > 1 || settings->sni != NULL ||
               settings->client_certs != PARTY_TLS_CLIENT_CERTS_NONE) {
        return refuse(making, -EINVAL, "TLS client", "a setting for servers");
    }
    return 0;
}

static int fill(const struct making *making)
{
    struct party_tls_context *context = making->context;
    const struct party_tls_settings *settings = making->settings;
    size_t count = settings->keypair_count > 0 ? settings->keypair_count : 1;
    context->bio_method = party__tls_bio_method();
    context->ctxs = calloc(count, sizeof(SSL_CTX *));
    if (RAND_bytes(context->id, sizeof(context->id)) != 1) {
        return refuse_openssl(making, "TLS context");
    }
    if (context->bio_method == NULL || context->ctxs == NULL) {
        return no_memory(making);
    }
    if (settings->keylog_file != NULL) {
        context->keylog_fd = open_file(settings->keylog_file, O_WRONLY | O_APPEND | O_CREAT);
        if (context->keylog_fd == -1) {
            int r = -errno;
            return refuse(making, r, settings->keylog_file, party_strerror(r));
        }
    }
    int r = copy_alpn(making);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = make_ctx(making, settings->keypair_count > 0 ? &settings->keypairs[i] : NULL);
    }
    return r;
}

int party_tls_context_create(enum party_tls_role role, const struct party_tls_settings *settings,
                             char *ret_text, size_t text_cap,
                             struct party_tls_context **ret_context)
{
    PARTY__REQUIRE(-EINVAL, ret_context);
    static const struct party_tls_settings defaults;
    struct making making = {.settings = settings != NULL ? settings : &defaults,
                            .text = ret_text,
                            .text_cap = text_cap};
    int r = check_settings(&making, role);
    if (r < 0) {
        return r;
    }
    struct party_tls_context *context = calloc(1, sizeof(*context));
    if (context == NULL) {
        return no_memory(&making);
    }
    atomic_init(&context->refs, 1);
    context->role = role;
    context->keylog_fd = -1;
    context->sni = making.settings->sni;
    context->sni_user = making.settings->sni_user;
    context->any_hostname = making.settings->insecure_no_hostname;
    context->needs_hostname = !making.settings->insecure_no_verify && !context->any_hostname;
    making.context = context;
    r = fill(&making);
    ERR_clear_error();
    if (r < 0) {
        party_tls_context_unref(context);
        return r;
    }
    *ret_context = context;
    return 0;
}

struct party_tls_context *party_tls_context_ref(struct party_tls_context *context)
{
    PARTY__REQUIRE(NULL, context);
    atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
    return context;
}

void party_tls_context_unref(struct party_tls_context *context)
{
    if (context == NULL ||
        atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < context->count; i++) {
        SSL_CTX_free(context->ctxs[i]);
    }
    free(context->ctxs);
    for (size_t i = 0; i < context->alpn_count; i++) {
        free(context->alpn[i]);
    }
    free(context->alpn);
    free(context->alpn_wire);
    BIO_meth_free(context->bio_method);
    if (context->keylog_fd != -1) {
        (void)close(context->keylog_fd); /* nothing is owed to it */
    }
    free(context);
}
