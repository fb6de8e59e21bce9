/* SPDX-License-Identifier: MIT */
#include "methods.h"

#include <sys/socket.h>

/* setsockopt and getsockopt, whose arguments may have three forms. Options of VSOCK sockets are 64
   bits wide; all other int options are ints. */

/* Python's limit for options as bytes. */
#define OPTION_MAX_BYTES 1024

static PyObject *set_bytes(struct binding_socket *self, int level, int name, const void *value,
                           size_t len)
{
    struct binding_call call;
    if (!binding_call_begin(self, &call)) {
        return NULL;
    }
    int r = party_sock_setsockopt_bytes(call.sock, level, name, value, len);
    return binding_call_end(&call, r) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *set_int(struct binding_socket *self, int level, int name, int value)
{
    struct binding_call call;
    if (!binding_call_begin(self, &call)) {
        return NULL;
    }
    int r = party_sock_setsockopt(call.sock, level, name, value);
    return binding_call_end(&call, r) ? Py_NewRef(Py_None) : NULL;
}

PyObject *binding_sock_setsockopt(PyObject *object, PyObject *args)
{
    struct binding_socket *self = (struct binding_socket *)object;
    int level, name;
    if (self->sock_family == AF_VSOCK) {
        unsigned long long wide;
        return PyArg_ParseTuple(args, "iiK:setsockopt", &level, &name, &wide)
                   ? set_bytes(self, level, name, &wide, sizeof(wide))
                   : NULL;
    }
    int value;
    if (PyArg_ParseTuple(args, "iii:setsockopt", &level, &name, &value)) {
        return set_int(self, level, name, value);
    }
    PyErr_Clear();
    PyObject *none;
    unsigned len;
    if (PyArg_ParseTuple(args, "iiO!I:setsockopt", &level, &name, Py_TYPE(Py_None), &none, &len)) {
        return set_bytes(self, level, name, NULL, len);
    }
    PyErr_Clear();
    Py_buffer bytes;
    if (!PyArg_ParseTuple(args, "iiy*:setsockopt", &level, &name, &bytes)) {
        return NULL;
    }
    PyObject *result = set_bytes(self, level, name, bytes.buf, (size_t)bytes.len);
    PyBuffer_Release(&bytes);
    return result;
}

static PyObject *get_int(struct binding_socket *self, int level, int name)
{
    struct binding_call call;
    if (!binding_call_begin(self, &call)) {
        return NULL;
    }
    int value = 0;
    int r = party_sock_getsockopt(call.sock, level, name, &value);
    return binding_call_end(&call, r) ? PyLong_FromLong(value) : NULL;
}

static PyObject *get_wide(struct binding_socket *self, int level, int name)
{
    struct binding_call call;
    if (!binding_call_begin(self, &call)) {
        return NULL;
    }
    uint64_t value = 0;
    ssize_t r = party_sock_getsockopt_bytes(call.sock, level, name, &value, sizeof(value));
    return binding_call_end(&call, r) ? PyLong_FromUnsignedLongLong(value) : NULL;
}

PyObject *binding_sock_getsockopt(PyObject *object, PyObject *args)
{
    struct binding_socket *self = (struct binding_socket *)object;
    int level, name;
    int size = 0;
    if (!PyArg_ParseTuple(args, "ii|i:getsockopt", &level, &name, &size)) {
        return NULL;
    }
    if (size == 0) {
        return self->sock_family == AF_VSOCK ? get_wide(self, level, name)
                                             : get_int(self, level, name);
    }
    if (self->sock_family == AF_VSOCK) {
        PyErr_SetString(PyExc_OSError, "getsockopt string buffer not allowed");
        return NULL;
    }
    if (size < 0 || size > OPTION_MAX_BYTES) {
        PyErr_SetString(PyExc_OSError, "getsockopt buflen out of range");
        return NULL;
    }
    char bytes[OPTION_MAX_BYTES];
    struct binding_call call;
    if (!binding_call_begin(self, &call)) {
        return NULL;
    }
    ssize_t n = party_sock_getsockopt_bytes(call.sock, level, name, bytes, (size_t)size);
    return binding_call_end(&call, n) ? PyBytes_FromStringAndSize(bytes, n) : NULL;
}
