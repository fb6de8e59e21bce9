/* SPDX-License-Identifier: MIT */
#include "methods.h"

#include <stddef.h>
#include <structmember.h>

/* The type `_socket.socket`: making, looking at and ending its objects. */

/* ResourceWarning for a socket that nobody closed; it is closed after that, so that who logs the
   warning can still ask it for its name. */
static void sock_finalize(PyObject *object)
{
    struct binding_socket *self = (struct binding_socket *)object;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (self->handle != NULL) {
        if (PyErr_ResourceWarning(object, 1, "unclosed %R", object) != 0 &&
            PyErr_ExceptionMatches(PyExc_Warning)) {
            /* The filters have made an error of it, which nobody is there to catch. */
            PyErr_WriteUnraisable(object);
        }
        (void)binding_handle_close(self); /* as a finalizer has nobody to tell */
    }
    PyErr_Restore(type, value, traceback);
}

static void sock_dealloc(PyObject *self)
{
    if (PyObject_CallFinalizerFromDealloc(self) == 0) {
        Py_TYPE(self)->tp_free(self);
    }
}

static PyObject *sock_repr(PyObject *object)
{
    const struct binding_socket *self = (const struct binding_socket *)object;
    return PyUnicode_FromFormat("<socket object, fd=%d, family=%d, type=%d, proto=%d>",
                                self->sock_fd, self->sock_family, self->sock_type,
                                self->sock_proto);
}

static PyObject *sock_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    (void)args;
    (void)keywords;
    struct binding_socket *self = (struct binding_socket *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->sock_fd = -1;
        (void)binding_timeout_parse(Py_None, &self->sock_timeout);
        self->errorhandler = binding_error_from_errno;
    }
    return (PyObject *)self;
}

/* Makes self the object of sock, which has the default timeout or, by its type's flag, none. */
static bool set_socket(struct binding_socket *self, struct party_sock *sock, bool is_nonblocking)
{
    if (self->handle != NULL) {
        /* __init__ was called again. CPython forgets the former descriptor and leaves it open. */
        (void)binding_handle_detach(self);
    }
    if (!binding_handle_set(self, sock)) {
        return false;
    }
    self->sock_family = party_sock_family(sock);
    self->sock_type = party_sock_type(sock);
    self->sock_proto = party_sock_proto(sock);
    self->sock_timeout = is_nonblocking ? 0 : binding_default_timeout();
    return true;
}

static int init_from_descriptor(struct binding_socket *self, PyObject *fileno, int family, int type,
                                int proto)
{
    int fd = _PyLong_AsInt(fileno);
    if (fd == -1 && PyErr_Occurred() != NULL) {
        return -1;
    }
    if (fd < 0) {
        PyErr_SetString(PyExc_ValueError, "negative file descriptor");
        return -1;
    }
    struct party_sock *sock;
    int r = party_sock_adopt(fd, family, type, proto, &sock);
    if (r < 0) {
        (void)binding_error(r);
        return -1;
    }
    if (!set_socket(self, sock, type != -1 && (type & SOCK_NONBLOCK) != 0)) {
        fd = party_sock_detach(sock); /* which stays the caller's */
        return -1;
    }
    return 0;
}

static int init_new(struct binding_socket *self, int family, int type, int proto)
{
    family = family == -1 ? AF_INET : family;
    type = type == -1 ? SOCK_STREAM : type;
    proto = proto == -1 ? 0 : proto;
    struct party_sock *sock;
    PyThreadState *state = PyEval_SaveThread();
    int r = party_sock_socket(family, type, proto, &sock);
    PyEval_RestoreThread(state);
    if (r < 0) {
        (void)binding_error(r);
        return -1;
    }
    if (!set_socket(self, sock, (type & SOCK_NONBLOCK) != 0)) {
        (void)party_sock_close(sock);
        return -1;
    }
    return 0;
}

static int sock_init(PyObject *object, PyObject *args, PyObject *keywords)
{
    static const char *const names[] = {"family", "type", "proto", "fileno", NULL};
    struct binding_socket *self = (struct binding_socket *)object;
    int family = -1;
    int type = -1;
    int proto = -1;
    PyObject *fileno = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|iiiO:socket", (char **)names, &family, &type,
                                     &proto, &fileno)) {
        return -1;
    }
    if (PySys_Audit("socket.__new__", "Oiii", object, family, type, proto) < 0) {
        return -1;
    }
    return fileno != NULL && fileno != Py_None
               ? init_from_descriptor(self, fileno, family, type, proto)
               : init_new(self, family, type, proto);
}

PyObject *binding_sock_close(PyObject *self, PyObject *unused)
{
    (void)unused;
    int r = binding_handle_close((struct binding_socket *)self);
    return r < 0 ? binding_error(r) : Py_NewRef(Py_None);
}

PyObject *binding_sock_detach(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyLong_FromLong(binding_handle_detach((struct binding_socket *)self));
}

PyObject *binding_sock_fileno(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyLong_FromLong(((struct binding_socket *)self)->sock_fd);
}

static PyObject *get_timeout(PyObject *self, void *unused)
{
    (void)unused;
    return binding_timeout_object(((struct binding_socket *)self)->sock_timeout);
}

#define KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"_accept", binding_sock_accept, METH_NOARGS,
     "_accept() -> (descriptor, address)\n\nWait for a connection and take it."},
    {"bind", binding_sock_bind, METH_O, "bind(address)\n\nGive the socket its own address."},
    {"close", binding_sock_close, METH_NOARGS,
     "close()\n\nClose the socket. It cannot be used afterwards."},
    {"connect", binding_sock_connect, METH_O, "connect(address)\n\nConnect to a peer."},
    {"connect_ex", binding_sock_connect_ex, METH_O,
     "connect_ex(address) -> errno\n\nConnect to a peer; return 0 or the error's number."},
    {"detach", binding_sock_detach, METH_NOARGS,
     "detach() -> descriptor\n\nGive the descriptor away. The socket cannot be used afterwards."},
    {"fileno", binding_sock_fileno, METH_NOARGS,
     "fileno() -> descriptor\n\nThe descriptor, which stays the socket's; -1 when closed."},
    {"getpeername", binding_sock_getpeername, METH_NOARGS,
     "getpeername() -> address\n\nThe peer's address."},
    {"getsockname", binding_sock_getsockname, METH_NOARGS,
     "getsockname() -> address\n\nThe socket's own address."},
    {"getsockopt", binding_sock_getsockopt, METH_VARARGS,
     "getsockopt(level, option[, size]) -> value\n\nAn option as an int, or as bytes of up to "
     "size."},
    {"listen", binding_sock_listen, METH_VARARGS,
     "listen([backlog])\n\nLet peers connect; backlog is how many may wait to be accepted."},
    {"recv", binding_sock_recv, METH_VARARGS,
     "recv(size[, flags]) -> bytes\n\nRead up to size bytes; none at the end of the stream."},
    {"recv_into", KEYWORDS(binding_sock_recv_into), METH_VARARGS | METH_KEYWORDS,
     "recv_into(buffer[, nbytes[, flags]]) -> count\n\nRead into a buffer."},
    {"recvfrom", binding_sock_recvfrom, METH_VARARGS,
     "recvfrom(size[, flags]) -> (bytes, address)\n\nRead, and say who sent it."},
    {"recvfrom_into", KEYWORDS(binding_sock_recvfrom_into), METH_VARARGS | METH_KEYWORDS,
     "recvfrom_into(buffer[, nbytes[, flags]]) -> (count, address)\n\nRead into a buffer, and say "
     "who sent it."},
    {"send", binding_sock_send, METH_VARARGS,
     "send(data[, flags]) -> count\n\nSend what fits, perhaps less than all."},
    {"sendall", binding_sock_sendall, METH_VARARGS,
     "sendall(data[, flags])\n\nSend everything. After an error it is unknown how much went out."},
    {"sendto", binding_sock_sendto, METH_VARARGS,
     "sendto(data[, flags], address) -> count\n\nSend to an address."},
    {"setblocking", binding_sock_setblocking, METH_O,
     "setblocking(flag)\n\nThe same as settimeout(None) when true, as settimeout(0.0) when false."},
    {"getblocking", binding_sock_getblocking, METH_NOARGS,
     "getblocking() -> bool\n\nWhether calls wait."},
    {"settimeout", binding_sock_settimeout, METH_O,
     "settimeout(seconds)\n\nHow long a call may take; None is for ever, 0 does not wait at all."},
    {"gettimeout", binding_sock_gettimeout, METH_NOARGS,
     "gettimeout() -> seconds\n\nWhat settimeout has set."},
    {"setsockopt", binding_sock_setsockopt, METH_VARARGS,
     "setsockopt(level, option, value)\nsetsockopt(level, option, None, size)\n\nSet an option to "
     "an "
     "int, to bytes, or to nothing of a size."},
    {"shutdown", binding_sock_shutdown, METH_O,
     "shutdown(how)\n\nEnd reading (SHUT_RD), writing (SHUT_WR) or both (SHUT_RDWR)."},
    {"recvmsg", binding_sock_recvmsg, METH_VARARGS,
     "recvmsg(size[, ancillary_size[, flags]]) -> (bytes, ancillary, flags, address)\n\nRead a "
     "message with what came along with it: a list of (level, type, data)."},
    {"recvmsg_into", binding_sock_recvmsg_into, METH_VARARGS,
     "recvmsg_into(buffers[, ancillary_size[, flags]]) -> (count, ancillary, flags, "
     "address)\n\nRead "
     "a message into several buffers."},
    {"sendmsg", binding_sock_sendmsg, METH_VARARGS,
     "sendmsg(buffers[, ancillary[, flags[, address]]]) -> count\n\nSend several buffers as one "
     "message, with a list of (level, type, data)."},
    {"sendmsg_afalg", KEYWORDS(binding_sock_sendmsg_afalg), METH_VARARGS | METH_KEYWORDS,
     "sendmsg_afalg([buffers], *, op[, iv[, assoclen[, flags]]]) -> count\n\nSend the data of an "
     "operation to the kernel's cryptography."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"family", T_INT, offsetof(struct binding_socket, sock_family), READONLY, "the address family"},
    {"type", T_INT, offsetof(struct binding_socket, sock_type), READONLY, "the type"},
    {"proto", T_INT, offsetof(struct binding_socket, sock_proto), READONLY, "the protocol"},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"timeout", get_timeout, NULL, "the timeout in seconds", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Static like CPython 3.11's: what imports it must find an immutable type. */
static PyTypeObject type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_socket.socket",
    .tp_basicsize = sizeof(struct binding_socket),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket\n"
              "socket(family=-1, type=-1, proto=-1, fileno=None) -> socket\n\n"
              "A new socket, or one of a descriptor, which knows what is not said of it.",
    .tp_new = sock_new,
    .tp_init = sock_init,
    .tp_finalize = sock_finalize,
    .tp_dealloc = sock_dealloc,
    .tp_repr = sock_repr,
    .tp_methods = methods,
    .tp_members = members,
    .tp_getset = getset,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_alloc = PyType_GenericAlloc,
    .tp_free = PyObject_Del,
};

PyTypeObject *binding_socket_type(void)
{
    return PyType_Ready(&type) == 0 ? (PyTypeObject *)Py_NewRef(&type) : NULL;
}

PyObject *binding_socket_new(struct party_sock *sock, bool is_nonblocking)
{
    struct binding_socket *self = (struct binding_socket *)sock_new(&type, NULL, NULL);
    if (self != NULL && !set_socket(self, sock, is_nonblocking)) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}
