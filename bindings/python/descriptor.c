/* SPDX-License-Identifier: MIT */
#include "methods.h"

#include <errno.h>

/*
 * Functions of the module that take or give bare descriptors. The library knows descriptors as
 * sockets, so each becomes one for a moment. Its family, type and protocol do not matter here and
 * are made up, so that the kernel need not be asked for them all.
 */

static int adopt(int fd, struct party_sock **ret_sock)
{
    return party_sock_adopt(fd, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ret_sock);
}

PyObject *binding_close(PyObject *module, PyObject *arg)
{
    (void)module;
    int fd = _PyLong_AsInt(arg);
    if (fd == -1 && PyErr_Occurred() != NULL) {
        return NULL;
    }
    struct party_sock *sock;
    PyThreadState *state = PyEval_SaveThread();
    int r = adopt(fd, &sock);
    r = r < 0 ? r : party_sock_close(sock);
    PyEval_RestoreThread(state);
    return r < 0 ? binding_error(r) : Py_NewRef(Py_None);
}

PyObject *binding_dup(PyObject *module, PyObject *arg)
{
    (void)module;
    int fd = _PyLong_AsInt(arg);
    if (fd == -1 && PyErr_Occurred() != NULL) {
        return NULL;
    }
    struct party_sock *sock;
    int r = party_sock_fromfd(fd, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, &sock);
    return r < 0 ? binding_error(r) : PyLong_FromLong(party_sock_detach(sock));
}

PyObject *binding_socketpair(PyObject *module, PyObject *args)
{
    (void)module;
    int family = AF_UNIX;
    int type = SOCK_STREAM;
    int proto = 0;
    if (!PyArg_ParseTuple(args, "|iii:socketpair", &family, &type, &proto)) {
        return NULL;
    }
    struct party_sock *a, *b;
    PyThreadState *state = PyEval_SaveThread();
    int r = party_sock_socketpair(family, type, proto, &a, &b);
    PyEval_RestoreThread(state);
    if (r < 0) {
        return binding_error(r);
    }
    bool is_nonblocking = (type & SOCK_NONBLOCK) != 0;
    PyObject *object_a = binding_socket_new(a, is_nonblocking);
    PyObject *object_b = object_a != NULL ? binding_socket_new(b, is_nonblocking) : NULL;
    if (object_b == NULL) {
        (void)party_sock_close(b);
        if (object_a == NULL) {
            (void)party_sock_close(a);
        } else {
            (void)binding_handle_close((struct binding_socket *)object_a);
            Py_DECREF(object_a);
        }
        return NULL;
    }
    return Py_BuildValue("NN", object_a, object_b);
}
