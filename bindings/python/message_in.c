/* SPDX-License-Identifier: MIT */
#include "methods.h"

#include <limits.h>
#include <string.h>
#include <sys/socket.h>

/* recvmsg and recvmsg_into. */

static bool append_control(PyObject *list, const struct party_sock_cmsg *cmsg)
{
    PyObject *item = Py_BuildValue("iiy#", cmsg->level, cmsg->type, (const char *)cmsg->data,
                                   (Py_ssize_t)cmsg->len);
    int r = item != NULL ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return r == 0;
}

/* What is no control message, or was cut off amid its data, gets a warning, as in Python. */
static bool warn_malformed(void)
{
    return PyErr_WarnEx(PyExc_RuntimeWarning,
                        "received malformed or improperly-truncated ancillary data", 1) == 0;
}

static PyObject *control_list(const struct party_sock_message *message)
{
    PyObject *list = PyList_New(0);
    size_t cursor = 0;
    struct party_sock_cmsg cmsg;
    int r = 1;
    while (list != NULL && (r = party_sock_cmsg_next(message, &cursor, &cmsg)) > 0) {
        /* What was cut off amid its data is given as far as it goes; its header has the whole
         * length. */
        size_t before = (size_t)((const char *)cmsg.data - (const char *)message->control);
        struct cmsghdr header;
        memcpy(&header, (const char *)message->control + before - CMSG_LEN(0), sizeof(header));
        bool is_whole = header.cmsg_len == CMSG_LEN(cmsg.len);
        if ((!is_whole && !warn_malformed()) || !append_control(list, &cmsg)) {
            Py_CLEAR(list);
        }
    }
    if (list != NULL && r < 0 && !warn_malformed()) {
        Py_CLEAR(list);
    }
    return list;
}

/* The result's first item: bytes of which n were filled, or how many they are. */
typedef PyObject *(*make_fn)(ssize_t n, void *data);

static PyObject *make_result(struct binding_socket *self, const struct party_sock_message *message,
                             ssize_t n, make_fn make, void *data)
{
    PyObject *control = control_list(message);
    PyObject *first = control != NULL ? make(n, data) : NULL;
    PyObject *address =
        first != NULL ? binding_address_out(self, self->sock_proto, &message->address) : NULL;
    if (address == NULL) {
        Py_XDECREF(control);
        Py_XDECREF(first);
        return NULL;
    }
    return Py_BuildValue("NNiN", first, control, message->flags, address);
}

struct receive_args {
    struct iovec *iov;
    size_t iov_count;
    Py_ssize_t control_len;
    int flags;
};

static PyObject *receive(struct binding_socket *self, const struct receive_args *args, make_fn make,
                         void *data)
{
    if (!binding_address_known(self)) {
        return NULL;
    }
    if (args->control_len < 0 || args->control_len > INT_MAX) {
        PyErr_SetString(PyExc_ValueError, "invalid ancillary data buffer length");
        return NULL;
    }
    struct party_sock_message message = {
        .iov = args->iov, .iov_count = args->iov_count, .control_len = (size_t)args->control_len};
    if (message.control_len > 0) {
        message.control = PyMem_Malloc(message.control_len);
        if (message.control == NULL) {
            return PyErr_NoMemory();
        }
    }
    PyObject *result = NULL;
    struct binding_call call;
    if (binding_call_begin(self, &call)) {
        ssize_t n = party_sock_recvmsg(call.sock, &message, args->flags);
        if (binding_call_end(&call, n)) {
            result = make_result(self, &message, n, make, data);
            if (result == NULL) {
                party_sock_cmsg_close_fds(&message); /* nobody will hear of them */
            }
        }
    }
    PyMem_Free(message.control);
    return result;
}

static PyObject *make_bytes(ssize_t n, void *data)
{
    PyObject **bytes = data;
    if (n < PyBytes_GET_SIZE(*bytes)) {
        (void)_PyBytes_Resize(bytes, n); /* on failure *bytes is NULL and MemoryError set */
    }
    return Py_XNewRef(*bytes);
}

static PyObject *make_count(ssize_t n, void *data)
{
    (void)data;
    return PyLong_FromSsize_t(n);
}

PyObject *binding_sock_recvmsg(PyObject *self, PyObject *args)
{
    Py_ssize_t len;
    struct receive_args receive_args = {.iov_count = 1};
    if (!PyArg_ParseTuple(args, "n|ni:recvmsg", &len, &receive_args.control_len,
                          &receive_args.flags)) {
        return NULL;
    }
    if (len < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffer size in recvmsg()");
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, len);
    if (bytes == NULL) {
        return NULL;
    }
    struct iovec iov = {.iov_base = PyBytes_AS_STRING(bytes), .iov_len = (size_t)len};
    receive_args.iov = &iov;
    PyObject *result = receive((struct binding_socket *)self, &receive_args, make_bytes, &bytes);
    Py_XDECREF(bytes);
    return result;
}

PyObject *binding_sock_recvmsg_into(PyObject *self, PyObject *args)
{
    PyObject *iterable;
    struct receive_args receive_args = {.iov = NULL};
    if (!PyArg_ParseTuple(args, "O|ni:recvmsg_into", &iterable, &receive_args.control_len,
                          &receive_args.flags)) {
        return NULL;
    }
    struct binding_buffers buffers;
    if (!binding_buffers_hold(iterable, "recvmsg_into", true, &buffers)) {
        return NULL;
    }
    receive_args.iov = buffers.iov;
    receive_args.iov_count = (size_t)buffers.count;
    PyObject *result = receive((struct binding_socket *)self, &receive_args, make_count, NULL);
    binding_buffers_release(&buffers);
    return result;
}
