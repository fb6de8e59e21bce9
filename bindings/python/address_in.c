/* SPDX-License-Identifier: MIT */
#include "binding.h"

#include <errno.h>
#include <linux/if_alg.h>
#include <linux/tipc.h>
#include <string.h>

#include <partyline/address_family.h>

/*
 * Python's addresses (tuples, strings, bytes) as the library's. Each family has a reader here; the
 * families of devices have theirs in address_in_device.c.
 */

/* A host name as the resolver wants it: bytes without NUL. What is not ASCII goes through Python's
   own codec, so that its rules (IDNA 2003) and its errors hold here too. */
struct host_name {
    const char *text;
    PyObject *encoded; /* owns text, or NULL */
};

static bool encode_host(PyObject *arg, struct host_name *ret_name, Py_ssize_t *ret_len)
{
    ret_name->encoded = NULL;
    if (PyBytes_Check(arg)) {
        ret_name->text = PyBytes_AS_STRING(arg);
        *ret_len = PyBytes_GET_SIZE(arg);
    } else if (PyByteArray_Check(arg)) {
        ret_name->text = PyByteArray_AS_STRING(arg);
        *ret_len = PyByteArray_GET_SIZE(arg);
    } else if (!PyUnicode_Check(arg)) {
        (void)PyErr_Format(PyExc_TypeError, "str, bytes or bytearray expected, not %s",
                           Py_TYPE(arg)->tp_name);
        return false;
    } else if (PyUnicode_READY(arg) == 0 && PyUnicode_IS_COMPACT_ASCII(arg)) {
        ret_name->text = PyUnicode_DATA(arg);
        *ret_len = PyUnicode_GET_LENGTH(arg);
    } else {
        ret_name->encoded = PyUnicode_AsEncodedString(arg, "idna", NULL);
        if (ret_name->encoded == NULL) {
            PyErr_SetString(PyExc_TypeError, "encoding of hostname failed");
            return false;
        }
        ret_name->text = PyBytes_AS_STRING(ret_name->encoded);
        *ret_len = PyBytes_GET_SIZE(ret_name->encoded);
    }
    return true;
}

/* A converter for PyArg_ParseTuple; called with NULL when a later argument is wrong. */
static int convert_host(PyObject *arg, void *user)
{
    struct host_name *name = user;
    if (arg == NULL) {
        Py_CLEAR(name->encoded);
        return 1;
    }
    Py_ssize_t len;
    if (!encode_host(arg, name, &len)) {
        return 0;
    }
    if (strlen(name->text) != (size_t)len) {
        Py_CLEAR(name->encoded);
        PyErr_SetString(PyExc_TypeError, "host name must not contain null character");
        return 0;
    }
    return Py_CLEANUP_SUPPORTED;
}

static bool is_tuple(PyObject *arg, const char *caller, const char *family)
{
    if (!PyTuple_Check(arg)) {
        (void)PyErr_Format(PyExc_TypeError, "%s(): %s address must be tuple, not %.500s", caller,
                           family, Py_TYPE(arg)->tp_name);
        return false;
    }
    return true;
}

static bool raise_port(const char *caller)
{
    (void)PyErr_Format(PyExc_OverflowError, "%s(): port must be 0-65535.", caller);
    return false;
}

static bool look_up(struct host_name *name, int port, int family, const char *caller,
                    struct party_address *ret_address)
{
    int r = -ERANGE;
    if (port >= 0 && port <= UINT16_MAX) {
        PyThreadState *state = PyEval_SaveThread();
        r = party_resolve_address(name->text, port, family, ret_address);
        PyEval_RestoreThread(state);
    }
    Py_CLEAR(name->encoded);
    if (r == -ERANGE) {
        return raise_port(caller);
    }
    if (r == -EAFNOSUPPORT) {
        PyErr_SetString(PyExc_OSError, "address family mismatched");
        return false;
    }
    if (r < 0) {
        (void)binding_error(r);
        return false;
    }
    return true;
}

/* The messages of the interpreter's own parser, but for a port beyond an int. */
static bool explain_overflow(const char *caller)
{
    return PyErr_ExceptionMatches(PyExc_OverflowError) ? raise_port(caller) : false;
}

static bool read_inet(PyObject *arg, const char *caller, struct party_address *ret_address)
{
    struct host_name name = {NULL, NULL};
    int port;
    if (!is_tuple(arg, caller, "AF_INET")) {
        return false;
    }
    if (!PyArg_ParseTuple(arg, "O&i;AF_INET address must be a pair (host, port)", convert_host,
                          &name, &port)) {
        return explain_overflow(caller);
    }
    return look_up(&name, port, AF_INET, caller, ret_address);
}

static bool read_inet6(PyObject *arg, const char *caller, struct party_address *ret_address)
{
    struct host_name name = {NULL, NULL};
    int port;
    unsigned flowinfo = 0;
    unsigned scope_id = 0;
    if (!is_tuple(arg, caller, "AF_INET6")) {
        return false;
    }
    if (!PyArg_ParseTuple(arg,
                          "O&i|II;AF_INET6 address must be a tuple "
                          "(host, port[, flowinfo[, scopeid]])",
                          convert_host, &name, &port, &flowinfo, &scope_id)) {
        return explain_overflow(caller);
    }
    if (!look_up(&name, port, AF_INET6, caller, ret_address)) {
        return false;
    }
    if (flowinfo > 0xfffff) {
        (void)PyErr_Format(PyExc_OverflowError, "%s(): flowinfo must be 0-1048575.", caller);
        return false;
    }
    /* The scope is the tuple's alone: one written after the host ("%eth0") does not count. */
    struct in6_addr addr = ret_address->u.in6.sin6_addr;
    party_address_inet6(&addr, (uint16_t)port, flowinfo, scope_id, ret_address);
    return true;
}

/* A bytes-like object: a path, an abstract name that begins with a NUL, or nothing, for which the
   kernel makes up an abstract name. */
static bool read_unix_bytes(PyObject *arg, struct party_address *ret_address)
{
    Py_buffer name;
    if (!PyArg_Parse(arg, "y*", &name)) {
        return false;
    }
    int r = party_address_unix(name.buf, (size_t)name.len, ret_address);
    PyBuffer_Release(&name);
    if (r == -ENAMETOOLONG) {
        PyErr_SetString(PyExc_OSError, "AF_UNIX path too long");
    } else if (r < 0) {
        (void)binding_error(r);
    }
    return r == 0;
}

static bool read_unix(PyObject *arg, const char *caller, struct party_address *ret_address)
{
    (void)caller;
    if (!PyUnicode_Check(arg)) {
        return read_unix_bytes(arg, ret_address);
    }
    /* Not PyUnicode_FSConverter, which refuses NUL. */
    PyObject *bytes = PyUnicode_EncodeFSDefault(arg);
    bool ok = bytes != NULL && read_unix_bytes(bytes, ret_address);
    Py_XDECREF(bytes);
    return ok;
}

static bool read_netlink(PyObject *arg, const char *caller, struct party_address *ret_address)
{
    unsigned pid, groups;
    if (!is_tuple(arg, caller, "AF_NETLINK") ||
        !PyArg_ParseTuple(arg, "II;AF_NETLINK address must be a pair (pid, groups)", &pid,
                          &groups)) {
        return false;
    }
    party_address_netlink(pid, groups, ret_address);
    return true;
}

/* Two numbers. Here Python's messages name another function than the one that was called. */
static bool read_pair(PyObject *arg, const char *family, unsigned *ret_a, unsigned *ret_b)
{
    if (!PyTuple_Check(arg)) {
        (void)PyErr_Format(PyExc_TypeError, "getsockaddrarg: %s address must be tuple, not %.500s",
                           family, Py_TYPE(arg)->tp_name);
        return false;
    }
    return PyArg_ParseTuple(arg, "II:getsockaddrarg", ret_a, ret_b) != 0;
}

static bool read_qipcrtr(PyObject *arg, const char *caller, struct party_address *ret_address)
{
    (void)caller;
    unsigned node, port;
    if (!read_pair(arg, "AF_QIPCRTR", &node, &port)) {
        return false;
    }
    party_address_qipcrtr(node, port, ret_address);
    return true;
}

static bool read_vsock(PyObject *arg, const char *caller, struct party_address *ret_address)
{
    (void)caller;
    unsigned cid, port;
    if (!read_pair(arg, "AF_VSOCK", &cid, &port)) {
        return false;
    }
    party_address_vsock(cid, port, ret_address);
    return true;
}

static bool read_tipc(PyObject *arg, const char *caller, struct party_address *ret_address)
{
    unsigned type;
    unsigned scope = TIPC_CLUSTER_SCOPE;
    struct party_address_tipc tipc;
    if (!is_tuple(arg, caller, "AF_TIPC") ||
        !PyArg_ParseTuple(arg,
                          "IIII|I;AF_TIPC address must be a tuple "
                          "(addr_type, v1, v2, v3[, scope])",
                          &type, &tipc.v1, &tipc.v2, &tipc.v3, &scope)) {
        return false;
    }
    tipc.type = (uint8_t)type;
    tipc.scope = (int8_t)scope;
    if (type > UINT8_MAX || party_address_tipc(&tipc, ret_address) < 0) {
        PyErr_SetString(PyExc_TypeError, "Invalid address type");
        return false;
    }
    return true;
}

static bool read_alg(PyObject *arg, const char *caller, struct party_address *ret_address)
{
    const char *type, *name;
    unsigned short feat = 0;
    unsigned short mask = 0;
    if (!is_tuple(arg, caller, "AF_ALG") ||
        !PyArg_ParseTuple(arg,
                          "ss|HH;AF_ALG address must be a tuple "
                          "(type, name[, feat[, mask]])",
                          &type, &name, &feat, &mask)) {
        return false;
    }
    if (party_address_alg(type, name, feat, mask, ret_address) < 0) {
        bool is_type = strlen(type) >= sizeof(((struct sockaddr_alg *)NULL)->salg_type);
        (void)PyErr_Format(PyExc_ValueError, "AF_ALG %s too long.", is_type ? "type" : "name");
        return false;
    }
    return true;
}

typedef bool (*read_fn)(PyObject *arg, const char *caller, struct party_address *ret_address);

static read_fn find_reader(int family)
{
    switch (family) {
    case AF_INET:
    case AF_RDS: /* which has the addresses of INET */
        return read_inet;
    case AF_INET6:
        return read_inet6;
    case AF_UNIX:
        return read_unix;
    case AF_NETLINK:
        return read_netlink;
    case AF_QIPCRTR:
        return read_qipcrtr;
    case AF_VSOCK:
        return read_vsock;
    case AF_TIPC:
        return read_tipc;
    case AF_ALG:
        return read_alg;
    default:
        return NULL;
    }
}

bool binding_address_in(struct binding_socket *self, PyObject *arg, const char *caller,
                        struct party_address *ret_address)
{
    read_fn read = find_reader(self->sock_family);
    return read != NULL ? read(arg, caller, ret_address)
                        : binding_address_in_device(self, arg, caller, ret_address);
}

bool binding_address_known(const struct binding_socket *self)
{
    switch (self->sock_family) {
    case AF_PACKET:
    case AF_CAN:
        return true;
    case AF_BLUETOOTH:
        if (self->sock_proto >= PARTY_BTPROTO_L2CAP && self->sock_proto <= PARTY_BTPROTO_RFCOMM) {
            return true;
        }
        PyErr_SetString(PyExc_OSError, "getsockaddrlen: unknown BT protocol");
        return false;
    default:
        if (find_reader(self->sock_family) != NULL) {
            return true;
        }
        PyErr_SetString(PyExc_OSError, "getsockaddrlen: bad family");
        return false;
    }
}
