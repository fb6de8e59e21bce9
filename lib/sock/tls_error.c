/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <partyline/error.h>

#include "sock/tls_openssl.h"

/*
 * OpenSSL reports by a queue of errors in each thread. Here it is read, turned into one code and
 * one text, and emptied: what is left in it would be taken for the next call's error.
 */

/* Alerts of the peer come as reasons with this added (ssl.h: SSL_AD_REASON_OFFSET). */
static bool is_alert(int reason)
{
    return reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255;
}

static int code_of_alert(int alert)
{
    switch (alert) {
    case SSL_AD_PROTOCOL_VERSION:
    case SSL_AD_INSUFFICIENT_SECURITY:
    case SSL_AD_NO_APPLICATION_PROTOCOL:
        return PARTY_ETLS_NO_COMMON;
    default:
        return PARTY_ETLS_ALERT;
    }
}

static int code_of_verify(long result)
{
    switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return PARTY_ETLS_HOSTNAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return PARTY_ETLS_EXPIRED;
    case X509_V_ERR_OUT_OF_MEM:
        return -ENOMEM;
    default:
        return PARTY_ETLS_CERTIFICATE;
    }
}

static int code_of_reason(int reason, int fallback)
{
    switch (reason) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return PARTY_ETLS_TRUNCATED;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return PARTY_ETLS_NO_CERTIFICATE;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
        return PARTY_ETLS_NO_COMMON;
    default:
        return fallback;
    }
}

/* The oldest error of the queue, which is what began it. Returns: 0 when the queue is empty. */
static unsigned long drain(bool *ret_no_memory)
{
    unsigned long first = 0, error;
    while ((error = ERR_get_error()) != 0) {
        first = first == 0 ? error : first;
        if (!ERR_SYSTEM_ERROR(error) && ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) {
            *ret_no_memory = true;
        }
    }
    return first;
}

int party__tls_take_error(const SSL *ssl, int fallback, char *ret_text, size_t text_cap)
{
    bool no_memory = false;
    unsigned long error = drain(&no_memory);
    int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    const char *text;
    int code;
    if (no_memory) {
        code = -ENOMEM;
        text = party_strerror(code);
    } else if (ssl == NULL && ERR_SYSTEM_ERROR(error)) { /* a file that could be opened before */
        code = -ERR_GET_REASON(error);
        text = party_strerror(code);
    } else if (ssl != NULL && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        code = code_of_verify(SSL_get_verify_result(ssl));
        text = X509_verify_cert_error_string(SSL_get_verify_result(ssl));
    } else if (is_alert(reason)) {
        code = code_of_alert(reason - SSL_AD_REASON_OFFSET);
        text = SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);
    } else {
        code = code_of_reason(reason, fallback);
        text = ERR_reason_error_string(error);
    }
    (void)snprintf(ret_text, text_cap, "%s", text != NULL ? text : party_strerror(code));
    return code;
}
