/* SPDX-License-Identifier: MIT */
#include "methods.h"

/* The module `_socket`: its functions, and what it exports beside constants. */

#define KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef functions[] = {
    {"gethostbyname", binding_gethostbyname, METH_VARARGS,
     "gethostbyname(host) -> address\n\nAn IPv4 address of a host, as a string."},
    {"gethostbyname_ex", binding_gethostbyname_ex, METH_VARARGS,
     "gethostbyname_ex(host) -> (name, aliases, addresses)\n\nThe names and IPv4 addresses of a "
     "host."},
    {"gethostbyaddr", binding_gethostbyaddr, METH_VARARGS,
     "gethostbyaddr(host) -> (name, aliases, addresses)\n\nThe names of an address."},
    {"gethostname", binding_gethostname, METH_NOARGS,
     "gethostname() -> name\n\nThe name of this host."},
    {"sethostname", binding_sethostname, METH_VARARGS,
     "sethostname(name)\n\nGive this host a name."},
    {"getservbyname", binding_getservbyname, METH_VARARGS,
     "getservbyname(name[, protocol]) -> port\n\nThe port of a service."},
    {"getservbyport", binding_getservbyport, METH_VARARGS,
     "getservbyport(port[, protocol]) -> name\n\nThe service at a port."},
    {"getprotobyname", binding_getprotobyname, METH_VARARGS,
     "getprotobyname(name) -> number\n\nThe number of a protocol."},
    {"close", binding_close, METH_O, "close(descriptor)\n\nClose the descriptor of a socket."},
    {"dup", binding_dup, METH_O,
     "dup(descriptor) -> descriptor\n\nA second descriptor of the same socket."},
    {"socketpair", binding_socketpair, METH_VARARGS,
     "socketpair([family[, type[, proto]]]) -> (socket, socket)\n\nTwo connected sockets."},
    {"ntohs", binding_ntohs, METH_VARARGS,
     "ntohs(number) -> number\n\n16 bits from network to host order."},
    {"ntohl", binding_ntohl, METH_O,
     "ntohl(number) -> number\n\n32 bits from network to host order."},
    {"htons", binding_htons, METH_VARARGS,
     "htons(number) -> number\n\n16 bits from host to network order."},
    {"htonl", binding_htonl, METH_O,
     "htonl(number) -> number\n\n32 bits from host to network order."},
    {"inet_aton", binding_inet_aton, METH_VARARGS,
     "inet_aton(text) -> bytes\n\nAn IPv4 address as four bytes."},
    {"inet_ntoa", binding_inet_ntoa, METH_VARARGS,
     "inet_ntoa(bytes) -> text\n\nFour bytes as an IPv4 address."},
    {"inet_pton", binding_inet_pton, METH_VARARGS,
     "inet_pton(family, text) -> bytes\n\nAn address as bytes."},
    {"inet_ntop", binding_inet_ntop, METH_VARARGS,
     "inet_ntop(family, bytes) -> text\n\nBytes as an address."},
    {"getaddrinfo", KEYWORDS(binding_getaddrinfo), METH_VARARGS | METH_KEYWORDS,
     "getaddrinfo(host, port[, family[, type[, proto[, flags]]]]) -> list\n\nAll addresses of a "
     "host "
     "and service: (family, type, proto, canonname, address)."},
    {"getnameinfo", binding_getnameinfo, METH_VARARGS,
     "getnameinfo(address, flags) -> (host, service)\n\nThe names of an address."},
    {"getdefaulttimeout", binding_getdefaulttimeout, METH_NOARGS,
     "getdefaulttimeout() -> seconds\n\nThe timeout of new sockets."},
    {"setdefaulttimeout", binding_setdefaulttimeout, METH_O,
     "setdefaulttimeout(seconds)\n\nSet the timeout of new sockets."},
    {"if_nameindex", binding_if_nameindex, METH_NOARGS,
     "if_nameindex() -> [(number, name)]\n\nThe network interfaces."},
    {"if_nametoindex", binding_if_nametoindex, METH_VARARGS,
     "if_nametoindex(name) -> number\n\nThe number of an interface."},
    {"if_indextoname", binding_if_indextoname, METH_O,
     "if_indextoname(number) -> name\n\nThe name of an interface."},
    {"CMSG_LEN", binding_CMSG_LEN, METH_VARARGS,
     "CMSG_LEN(length) -> length\n\nRoom for one item of ancillary data."},
    {"CMSG_SPACE", binding_CMSG_SPACE, METH_VARARGS,
     "CMSG_SPACE(length) -> length\n\nThe same, with another item to follow."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_socket",
    .m_doc = "CPython's `_socket` on libpartyline. See the socket module for documentation.",
    .m_size =
        -1, /* one for the process, as in CPython 3.11: the default timeout is the process's */
    .m_methods = functions,
};

static bool add_type(PyObject *module, PyTypeObject *type)
{
    return PyModule_AddObjectRef(module, "SocketType", (PyObject *)type) == 0 &&
           PyModule_AddObjectRef(module, "socket", (PyObject *)type) == 0;
}

/* What `_ssl` asks for; it lives as long as the module, which is never unloaded. */
static bool add_capi(PyObject *module, PyTypeObject *type)
{
    static struct binding_capi capi;
    capi.socket_type = type;
    capi.error = PyExc_OSError;
    capi.timeout_error = PyExc_TimeoutError;
    PyObject *capsule = PyCapsule_New(&capi, "_socket.CAPI", NULL);
    int r = PyModule_AddObjectRef(module, "CAPI", capsule);
    Py_XDECREF(capsule);
    return r == 0;
}

PyMODINIT_FUNC PyInit__socket(void)
{
    PyTypeObject *type = binding_socket_type();
    PyObject *module = PyModule_Create(&definition);
    if (type == NULL || module == NULL || !binding_add_errors(module) || !add_type(module, type) ||
        !add_capi(module, type) || !binding_add_constants(module)) {
        Py_CLEAR(module);
    }
    Py_XDECREF(type); /* the type is static, and the capsule needs no reference of its own */
    return module;
}
