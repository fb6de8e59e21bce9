/* SPDX-License-Identifier: MIT */
#include "methods.h"

#include <errno.h>

/* Methods that name a socket, connect it and end its connection. */

/* Python's default for listen(): enough for common loads. */
#define DEFAULT_BACKLOG 128

PyObject *binding_sock_accept(PyObject *object, PyObject *unused)
{
    (void)unused;
    struct binding_socket *self = (struct binding_socket *)object;
    struct binding_call call;
    if (!binding_address_known(self) || !binding_call_begin(self, &call)) {
        return NULL;
    }
    struct party_sock *conn = NULL;
    struct party_address peer;
    int r = party_sock_accept(call.sock, &conn, &peer);
    if (!binding_call_end(&call, r)) {
        return NULL;
    }
    PyObject *address = binding_address_out(self, self->sock_proto, &peer);
    if (address == NULL) {
        (void)party_sock_close(conn); /* nobody has heard of it */
        return NULL;
    }
    return Py_BuildValue("iN", party_sock_detach(conn), address);
}

PyObject *binding_sock_bind(PyObject *object, PyObject *arg)
{
    struct binding_socket *self = (struct binding_socket *)object;
    struct party_address address;
    struct binding_call call;
    if (!binding_address_in(self, arg, "bind", &address) ||
        PySys_Audit("socket.bind", "OO", object, arg) < 0 || !binding_call_begin(self, &call)) {
        return NULL;
    }
    int r = party_sock_bind(call.sock, &address);
    return binding_call_end(&call, r) ? Py_NewRef(Py_None) : NULL;
}

PyObject *binding_sock_connect(PyObject *object, PyObject *arg)
{
    struct binding_socket *self = (struct binding_socket *)object;
    struct party_address address;
    struct binding_call call;
    if (!binding_address_in(self, arg, "connect", &address) ||
        PySys_Audit("socket.connect", "OO", object, arg) < 0 || !binding_call_begin(self, &call)) {
        return NULL;
    }
    int r = party_sock_connect(call.sock, &address);
    return binding_call_end(&call, r) ? Py_NewRef(Py_None) : NULL;
}

PyObject *binding_sock_connect_ex(PyObject *object, PyObject *arg)
{
    struct binding_socket *self = (struct binding_socket *)object;
    struct party_address address;
    if (!binding_address_in(self, arg, "connect_ex", &address) ||
        PySys_Audit("socket.connect", "OO", object, arg) < 0) {
        return NULL;
    }
    if (self->handle == NULL) {
        return PyLong_FromLong(EBADF); /* a closed socket is an error like another here */
    }
    struct binding_call call;
    if (!binding_call_begin(self, &call)) {
        return NULL;
    }
    int r = party_sock_connect_ex(call.sock, &address);
    return binding_call_leave(&call) ? PyLong_FromLong(r) : NULL;
}

typedef int (*name_fn)(const struct party_sock *sock, struct party_address *ret_address);

static PyObject *get_name(struct binding_socket *self, name_fn get)
{
    struct binding_call call;
    if (!binding_address_known(self) || !binding_call_begin(self, &call)) {
        return NULL;
    }
    struct party_address address;
    int r = get(call.sock, &address);
    return binding_call_end(&call, r) ? binding_address_out(self, self->sock_proto, &address)
                                      : NULL;
}

PyObject *binding_sock_getsockname(PyObject *self, PyObject *unused)
{
    (void)unused;
    return get_name((struct binding_socket *)self, party_sock_getsockname);
}

PyObject *binding_sock_getpeername(PyObject *self, PyObject *unused)
{
    (void)unused;
    return get_name((struct binding_socket *)self, party_sock_getpeername);
}

PyObject *binding_sock_listen(PyObject *self, PyObject *args)
{
    int backlog = DEFAULT_BACKLOG;
    struct binding_call call;
    if (!PyArg_ParseTuple(args, "|i:listen", &backlog) ||
        !binding_call_begin((struct binding_socket *)self, &call)) {
        return NULL;
    }
    int r = party_sock_listen(call.sock, backlog);
    return binding_call_end(&call, r) ? Py_NewRef(Py_None) : NULL;
}

PyObject *binding_sock_shutdown(PyObject *self, PyObject *arg)
{
    int how = _PyLong_AsInt(arg);
    struct binding_call call;
    if ((how == -1 && PyErr_Occurred() != NULL) ||
        !binding_call_begin((struct binding_socket *)self, &call)) {
        return NULL;
    }
    int r = party_sock_shutdown(call.sock, how);
    return binding_call_end(&call, r) ? Py_NewRef(Py_None) : NULL;
}
