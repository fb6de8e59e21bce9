/* SPDX-License-Identifier: MIT */
#include "methods.h"

/* Methods that send and receive bytes. */

static ssize_t receive(struct binding_socket *self, char *buf, Py_ssize_t len, int flags)
{
    struct binding_call call;
    if (!binding_call_begin(self, &call)) {
        return -1;
    }
    ssize_t n = party_sock_recv_into(call.sock, buf, (size_t)len, flags);
    return binding_call_end(&call, n) ? n : -1;
}

static ssize_t receive_from(struct binding_socket *self, char *buf, Py_ssize_t len, int flags,
                            PyObject **ret_address)
{
    struct party_address peer;
    struct binding_call call;
    if (!binding_address_known(self) || !binding_call_begin(self, &call)) {
        return -1;
    }
    ssize_t n = party_sock_recvfrom_into(call.sock, buf, (size_t)len, flags, &peer);
    if (!binding_call_end(&call, n)) {
        return -1;
    }
    *ret_address = binding_address_out(self, self->sock_proto, &peer);
    return *ret_address != NULL ? n : -1;
}

/* The bytes object that a call has filled with n bytes: cut to them, or gone when n is negative.
   With MSG_TRUNC n may be more than there is room for. */
static PyObject *cut(PyObject *bytes, ssize_t n)
{
    if (n < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    if (n < PyBytes_GET_SIZE(bytes)) {
        (void)_PyBytes_Resize(&bytes, n); /* on failure bytes is NULL and MemoryError set */
    }
    return bytes;
}

static PyObject *new_bytes(Py_ssize_t len, const char *method)
{
    if (len < 0) {
        return PyErr_Format(PyExc_ValueError, "negative buffersize in %s", method);
    }
    return PyBytes_FromStringAndSize(NULL, len);
}

PyObject *binding_sock_recv(PyObject *self, PyObject *args)
{
    Py_ssize_t len;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "n|i:recv", &len, &flags)) {
        return NULL;
    }
    PyObject *bytes = new_bytes(len, "recv");
    if (bytes == NULL || len == 0) {
        return bytes;
    }
    return cut(bytes, receive((struct binding_socket *)self, PyBytes_AS_STRING(bytes), len, flags));
}

PyObject *binding_sock_recvfrom(PyObject *self, PyObject *args)
{
    Py_ssize_t len;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "n|i:recvfrom", &len, &flags)) {
        return NULL;
    }
    PyObject *bytes = new_bytes(len, "recvfrom");
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *address = NULL;
    bytes = cut(bytes, receive_from((struct binding_socket *)self, PyBytes_AS_STRING(bytes), len,
                                    flags, &address));
    if (bytes == NULL) {
        Py_XDECREF(address);
        return NULL;
    }
    return Py_BuildValue("NN", bytes, address);
}

/* What recv_into and recvfrom_into get. */
struct target {
    Py_buffer buffer;
    Py_ssize_t len; /* how much of it is to be filled at most */
    int flags;
};

struct target_texts {
    const char *format;
    const char *negative;
    const char *too_small;
};

static bool parse_target(PyObject *args, PyObject *keywords, const struct target_texts *texts,
                         struct target *ret_target)
{
    static const char *const names[] = {"buffer", "nbytes", "flags", NULL};
    struct target target = {.len = 0};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, texts->format, (char **)names, &target.buffer,
                                     &target.len, &target.flags)) {
        return false;
    }
    const char *wrong = target.len < 0                   ? texts->negative
                        : target.len > target.buffer.len ? texts->too_small
                                                         : NULL;
    if (wrong != NULL) {
        PyBuffer_Release(&target.buffer);
        PyErr_SetString(PyExc_ValueError, wrong);
        return false;
    }
    if (target.len == 0) {
        target.len = target.buffer.len;
    }
    *ret_target = target;
    return true;
}

PyObject *binding_sock_recv_into(PyObject *self, PyObject *args, PyObject *keywords)
{
    static const struct target_texts texts = {"w*|ni:recv_into", "negative buffersize in recv_into",
                                              "buffer too small for requested bytes"};
    struct target target;
    if (!parse_target(args, keywords, &texts, &target)) {
        return NULL;
    }
    /* Nothing asked for, nothing done: not even on a closed socket. */
    ssize_t n = target.len == 0 ? 0
                                : receive((struct binding_socket *)self, target.buffer.buf,
                                          target.len, target.flags);
    PyBuffer_Release(&target.buffer);
    return n < 0 ? NULL : PyLong_FromSsize_t(n);
}

PyObject *binding_sock_recvfrom_into(PyObject *self, PyObject *args, PyObject *keywords)
{
    static const struct target_texts texts = {"w*|ni:recvfrom_into",
                                              "negative buffersize in recvfrom_into",
                                              "nbytes is greater than the length of the buffer"};
    struct target target;
    if (!parse_target(args, keywords, &texts, &target)) {
        return NULL;
    }
    PyObject *address = NULL;
    ssize_t n = receive_from((struct binding_socket *)self, target.buffer.buf, target.len,
                             target.flags, &address);
    PyBuffer_Release(&target.buffer);
    return n < 0 ? NULL : Py_BuildValue("nN", (Py_ssize_t)n, address);
}

PyObject *binding_sock_send(PyObject *self, PyObject *args)
{
    Py_buffer data;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "y*|i:send", &data, &flags)) {
        return NULL;
    }
    PyObject *result = NULL;
    struct binding_call call;
    if (binding_call_begin((struct binding_socket *)self, &call)) {
        ssize_t n = party_sock_send(call.sock, data.buf, (size_t)data.len, flags);
        result = binding_call_end(&call, n) ? PyLong_FromSsize_t(n) : NULL;
    }
    PyBuffer_Release(&data);
    return result;
}

PyObject *binding_sock_sendall(PyObject *self, PyObject *args)
{
    Py_buffer data;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "y*|i:sendall", &data, &flags)) {
        return NULL;
    }
    PyObject *result = NULL;
    struct binding_call call;
    if (binding_call_begin((struct binding_socket *)self, &call)) {
        int r = party_sock_sendall(call.sock, data.buf, (size_t)data.len, flags);
        /* Handlers of signals that cut a send short without EINTR have their turn now. */
        if (binding_call_end(&call, r) && PyErr_CheckSignals() == 0) {
            result = Py_NewRef(Py_None);
        }
    }
    PyBuffer_Release(&data);
    return result;
}

static PyObject *send_to(struct binding_socket *self, const Py_buffer *data, int flags,
                         PyObject *destination)
{
    struct party_address address;
    struct binding_call call;
    if (!binding_address_in(self, destination, "sendto", &address) ||
        PySys_Audit("socket.sendto", "OO", self, destination) < 0 ||
        !binding_call_begin(self, &call)) {
        return NULL;
    }
    ssize_t n = party_sock_sendto(call.sock, data->buf, (size_t)data->len, flags, &address);
    return binding_call_end(&call, n) ? PyLong_FromSsize_t(n) : NULL;
}

PyObject *binding_sock_sendto(PyObject *self, PyObject *args)
{
    Py_buffer data;
    PyObject *destination;
    int flags = 0;
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count != 2 && count != 3) {
        return PyErr_Format(PyExc_TypeError, "sendto() takes 2 or 3 arguments (%zd given)", count);
    }
    int parsed = count == 2 ? PyArg_ParseTuple(args, "y*O:sendto", &data, &destination)
                            : PyArg_ParseTuple(args, "y*iO:sendto", &data, &flags, &destination);
    if (!parsed) {
        return NULL;
    }
    PyObject *result = send_to((struct binding_socket *)self, &data, flags, destination);
    PyBuffer_Release(&data);
    return result;
}
