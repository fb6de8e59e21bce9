/* SPDX-License-Identifier: MIT */
#include "methods.h"

#include <limits.h>
#include <string.h>

/* sendmsg, sendmsg_afalg, and the sizes of control messages. */

/* One item of the ancillary data, while it is held. */
struct control_item {
    int level;
    int type;
    Py_buffer data;
};

static bool parse_item(PyObject *arg, struct control_item *ret_item)
{
    return PyArg_Parse(arg, "(iiy*):[sendmsg() ancillary data items]", &ret_item->level,
                       &ret_item->type, &ret_item->data) != 0;
}

static bool measure_items(PyObject *sequence, size_t *ret_cap)
{
    size_t cap = 0;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence); i++) {
        struct control_item item;
        if (!parse_item(PySequence_Fast_GET_ITEM(sequence, i), &item)) {
            return false;
        }
        ssize_t space = party_sock_cmsg_space((size_t)item.data.len);
        PyBuffer_Release(&item.data);
        if (space < 0) {
            PyErr_SetString(PyExc_OSError, "ancillary data item too large");
            return false;
        }
        cap += (size_t)space;
        if (cap > INT_MAX) {
            PyErr_SetString(PyExc_OSError, "too much ancillary data");
            return false;
        }
    }
    *ret_cap = cap;
    return true;
}

/* An item that has become longer since it was measured finds no room. */
static bool add_items(PyObject *sequence, size_t cap, struct party_sock_message *message)
{
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence); i++) {
        struct control_item item;
        if (!parse_item(PySequence_Fast_GET_ITEM(sequence, i), &item)) {
            return false;
        }
        const struct party_sock_cmsg cmsg = {.level = item.level,
                                             .type = item.type,
                                             .data = item.data.buf,
                                             .len = (size_t)item.data.len};
        int r = party_sock_cmsg_add(message, cap, &cmsg);
        PyBuffer_Release(&item.data);
        if (r < 0) {
            PyErr_SetString(PyExc_RuntimeError, "ancillary data does not fit in calculated space");
            return false;
        }
    }
    return true;
}

/* Gives the message a control buffer, which the caller frees. iterable NULL: none. */
static bool make_control(PyObject *iterable, struct party_sock_message *message)
{
    if (iterable == NULL) {
        return true;
    }
    /* Of our own, so that nothing the items' code does can change it while it is walked twice. */
    PyObject *sequence = PySequence_Tuple(iterable);
    if (sequence == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_SetString(PyExc_TypeError, "sendmsg() argument 2 must be an iterable");
        }
        return false;
    }
    size_t cap;
    bool ok = measure_items(sequence, &cap);
    if (ok && cap > 0) {
        message->control = PyMem_Calloc(1, cap);
        ok = message->control != NULL;
        if (!ok) {
            (void)PyErr_NoMemory();
        }
        ok = ok && add_items(sequence, cap, message);
    }
    Py_DECREF(sequence);
    return ok;
}

static PyObject *send_message(struct binding_socket *self, const struct party_sock_message *message,
                              int flags)
{
    struct binding_call call;
    if (!binding_call_begin(self, &call)) {
        return NULL;
    }
    ssize_t n = party_sock_sendmsg(call.sock, message, flags);
    return binding_call_end(&call, n) ? PyLong_FromSsize_t(n) : NULL;
}

PyObject *binding_sock_sendmsg(PyObject *object, PyObject *args)
{
    struct binding_socket *self = (struct binding_socket *)object;
    PyObject *data;
    PyObject *ancillary = NULL;
    PyObject *destination = Py_None;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "O|OiO:sendmsg", &data, &ancillary, &flags, &destination)) {
        return NULL;
    }
    struct party_sock_message message = {0};
    if (destination != Py_None &&
        !binding_address_in(self, destination, "sendmsg", &message.address)) {
        return NULL;
    }
    struct binding_buffers buffers;
    if (PySys_Audit("socket.sendmsg", "OO", object, destination) < 0 ||
        !binding_buffers_hold(data, "sendmsg", false, &buffers)) {
        return NULL;
    }
    message.iov = buffers.iov;
    message.iov_count = (size_t)buffers.count;
    PyObject *result =
        make_control(ancillary, &message) ? send_message(self, &message, flags) : NULL;
    PyMem_Free(message.control);
    binding_buffers_release(&buffers);
    return result;
}

/* A keyword argument that must be an int and not negative; left alone when not given. */
static bool read_operation(PyObject *arg, int *ret_op)
{
    int op = arg != NULL ? _PyLong_AsInt(arg) : -1;
    if (op < 0) {
        PyErr_SetString(PyExc_TypeError, "Invalid or missing argument 'op'");
        return false;
    }
    *ret_op = op;
    return true;
}

static bool read_assoclen(PyObject *arg, int64_t *ret_assoclen)
{
    if (arg == NULL) {
        return true;
    }
    int assoclen = _PyLong_AsInt(arg);
    if (assoclen < 0) {
        if (PyErr_Occurred() == NULL) {
            PyErr_SetString(PyExc_TypeError, "assoclen must be positive");
        }
        return false;
    }
    *ret_assoclen = assoclen;
    return true;
}

static PyObject *send_afalg(struct binding_socket *self, PyObject *data,
                            const struct party_sock_afalg *afalg, int flags)
{
    struct binding_buffers buffers = {NULL, NULL, 0};
    if (data != NULL && !binding_buffers_hold(data, "sendmsg", false, &buffers)) {
        return NULL;
    }
    PyObject *result = NULL;
    struct binding_call call;
    if (binding_call_begin(self, &call)) {
        ssize_t n =
            party_sock_sendmsg_afalg(call.sock, buffers.iov, (size_t)buffers.count, afalg, flags);
        result = binding_call_end(&call, n) ? PyLong_FromSsize_t(n) : NULL;
    }
    binding_buffers_release(&buffers);
    return result;
}

PyObject *binding_sock_sendmsg_afalg(PyObject *object, PyObject *args, PyObject *keywords)
{
    static const char *const names[] = {"msg", "op", "iv", "assoclen", "flags", NULL};
    struct binding_socket *self = (struct binding_socket *)object;
    PyObject *data = NULL;
    PyObject *op = NULL;
    PyObject *assoclen = NULL;
    Py_buffer iv = {.buf = NULL};
    int flags = 0;
    if (self->sock_family != AF_ALG) {
        PyErr_SetString(PyExc_OSError, "algset is only supported for AF_ALG");
        return NULL;
    }
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O$O!y*O!i:sendmsg_afalg", (char **)names,
                                     &data, &PyLong_Type, &op, &iv, &PyLong_Type, &assoclen,
                                     &flags)) {
        return NULL;
    }
    struct party_sock_afalg afalg = {.iv = iv.buf, .iv_len = (size_t)iv.len, .assoclen = -1};
    PyObject *result = NULL;
    if (read_operation(op, &afalg.op) && read_assoclen(assoclen, &afalg.assoclen)) {
        result = send_afalg(self, data, &afalg, flags);
    }
    PyBuffer_Release(&iv); /* does nothing when none was given */
    return result;
}

static PyObject *control_size(PyObject *args, const char *format, ssize_t (*measure)(size_t len))
{
    Py_ssize_t len;
    if (!PyArg_ParseTuple(args, format, &len)) {
        return NULL;
    }
    ssize_t size = len < 0 ? -1 : measure((size_t)len);
    if (size < 0) {
        return PyErr_Format(PyExc_OverflowError, "%s() argument out of range",
                            strchr(format, ':') + 1);
    }
    return PyLong_FromSsize_t(size);
}

PyObject *binding_CMSG_LEN(PyObject *module, PyObject *args)
{
    (void)module;
    return control_size(args, "n:CMSG_LEN", party_sock_cmsg_len);
}

PyObject *binding_CMSG_SPACE(PyObject *module, PyObject *args)
{
    (void)module;
    return control_size(args, "n:CMSG_SPACE", party_sock_cmsg_space);
}
