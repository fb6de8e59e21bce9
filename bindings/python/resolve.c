/* SPDX-License-Identifier: MIT */
#include "methods.h"

#include <endian.h>

/* Look-ups of hosts. They wait for name servers, so the interpreter's lock is released. */

/* host as bytes for the resolver; the reference that owns them, or NULL with an exception set.
   None has no text. */
static PyObject *encode_host(PyObject *arg, const char **ret_text)
{
    if (arg == Py_None) {
        *ret_text = NULL;
        return Py_NewRef(arg);
    }
    if (PyUnicode_Check(arg)) {
        PyObject *bytes = PyUnicode_AsEncodedString(arg, "idna", NULL);
        *ret_text = bytes != NULL ? PyBytes_AS_STRING(bytes) : NULL;
        return bytes;
    }
    if (PyBytes_Check(arg)) {
        *ret_text = PyBytes_AS_STRING(arg);
        return Py_NewRef(arg);
    }
    PyErr_SetString(PyExc_TypeError, "getaddrinfo() argument 1 must be string or None");
    return NULL;
}

/* The same for the service, which may be a number. */
static PyObject *encode_service(PyObject *arg, const char **ret_text)
{
    if (PyBytes_Check(arg)) {
        *ret_text = PyBytes_AS_STRING(arg);
        return Py_NewRef(arg);
    }
    if (arg == Py_None) {
        *ret_text = NULL;
        return Py_NewRef(arg);
    }
    PyObject *text = NULL;
    if (PyLong_CheckExact(arg)) {
        text = PyObject_Str(arg);
    } else if (PyUnicode_Check(arg)) {
        text = Py_NewRef(arg);
    } else {
        PyErr_SetString(PyExc_OSError, "Int or String expected");
    }
    *ret_text = text != NULL ? PyUnicode_AsUTF8(text) : NULL;
    if (*ret_text == NULL) {
        Py_CLEAR(text);
    }
    return text;
}

static PyObject *entry_object(const struct party_resolve_entry *entry, const char *canonname,
                              int proto)
{
    PyObject *address = binding_address_out(NULL, proto, &entry->address);
    return address == NULL ? NULL
                           : Py_BuildValue("iiisN", entry->family, entry->type, entry->proto,
                                           canonname, address);
}

static PyObject *list_object(const struct party_resolve_list *list, int proto)
{
    PyObject *result = PyList_New((Py_ssize_t)list->count);
    for (size_t i = 0; result != NULL && i < list->count; i++) {
        /* The resolver tells the name with the first address only. */
        const char *canonname = i == 0 && list->canonname != NULL ? list->canonname : "";
        PyObject *entry = entry_object(&list->entries[i], canonname, proto);
        if (entry == NULL) {
            Py_CLEAR(result);
        } else {
            PyList_SET_ITEM(result, (Py_ssize_t)i, entry);
        }
    }
    return result;
}

struct question {
    PyObject *host;
    PyObject *port;
    int family;
    int type;
    int proto;
    int flags;
};

static PyObject *ask(const struct question *question, const char *host, const char *service)
{
    struct party_resolve_list list;
    if (PySys_Audit("socket.getaddrinfo", "OOiii", question->host, question->port, question->family,
                    question->type, question->proto) < 0) {
        return NULL;
    }
    PyThreadState *state = PyEval_SaveThread();
    int r = party_resolve_getaddrinfo(host, service, question->family, question->type,
                                      question->proto, question->flags, &list);
    PyEval_RestoreThread(state);
    if (r < 0) {
        return binding_error(r);
    }
    PyObject *result = list_object(&list, question->proto);
    party_resolve_list_finish(&list);
    return result;
}

PyObject *binding_getaddrinfo(PyObject *module, PyObject *args, PyObject *keywords)
{
    (void)module;
    static const char *const names[] = {"host", "port", "family", "type", "proto", "flags", NULL};
    struct question question = {.family = AF_UNSPEC};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO|iiii:getaddrinfo", (char **)names,
                                     &question.host, &question.port, &question.family,
                                     &question.type, &question.proto, &question.flags)) {
        return NULL;
    }
    const char *host, *service;
    PyObject *host_owner = encode_host(question.host, &host);
    if (host_owner == NULL) {
        return NULL;
    }
    PyObject *service_owner = encode_service(question.port, &service);
    PyObject *result = service_owner != NULL ? ask(&question, host, service) : NULL;
    Py_XDECREF(service_owner);
    Py_DECREF(host_owner);
    return result;
}

/* The address that getnameinfo got: numeric, and one. */
static bool read_numeric(PyObject *tuple, struct party_address *ret_address)
{
    const char *host;
    int port;
    unsigned flowinfo = 0;
    unsigned scope_id = 0;
    if (!PyArg_ParseTuple(tuple, "si|II;getnameinfo(): illegal sockaddr argument", &host, &port,
                          &flowinfo, &scope_id)) {
        return false;
    }
    if (flowinfo > 0xfffff) {
        PyErr_SetString(PyExc_OverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
        return false;
    }
    if (PySys_Audit("socket.getnameinfo", "(O)", tuple) < 0) {
        return false;
    }
    char service[sizeof("-2147483648")];
    (void)PyOS_snprintf(service, sizeof(service), "%d", port);
    struct party_resolve_list list;
    int r =
        party_resolve_getaddrinfo(host, service, AF_UNSPEC, SOCK_DGRAM, 0, AI_NUMERICHOST, &list);
    if (r < 0) {
        (void)binding_error(r);
        return false;
    }
    *ret_address = list.entries[0].address;
    bool is_one = list.count == 1;
    party_resolve_list_finish(&list);
    if (!is_one) {
        PyErr_SetString(PyExc_OSError, "sockaddr resolved to multiple addresses");
        return false;
    }
    if (ret_address->u.sa.sa_family == AF_INET && PyTuple_GET_SIZE(tuple) != 2) {
        PyErr_SetString(PyExc_OSError, "IPv4 sockaddr must be 2 tuple");
        return false;
    }
    if (ret_address->u.sa.sa_family == AF_INET6) {
        ret_address->u.in6.sin6_flowinfo = htobe32(flowinfo);
        ret_address->u.in6.sin6_scope_id = scope_id;
    }
    return true;
}

PyObject *binding_getnameinfo(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *tuple;
    int flags;
    if (!PyArg_ParseTuple(args, "Oi:getnameinfo", &tuple, &flags)) {
        return NULL;
    }
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "getnameinfo() argument 1 must be a tuple");
        return NULL;
    }
    struct party_address address;
    if (!read_numeric(tuple, &address)) {
        return NULL;
    }
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    PyThreadState *state = PyEval_SaveThread();
    int r =
        party_resolve_getnameinfo(&address, flags, host, sizeof(host), service, sizeof(service));
    PyEval_RestoreThread(state);
    return r < 0 ? binding_error(r) : Py_BuildValue("ss", host, service);
}

/* The argument of the gethostby functions: a name to be freed with PyMem_Free, or NULL with an
   exception set. */
static char *parse_name(PyObject *args, const char *format, const char *event)
{
    char *name = NULL;
    if (!PyArg_ParseTuple(args, format, "idna", &name)) {
        return NULL;
    }
    if (PySys_Audit(event, "O", args) < 0) {
        PyMem_Free(name);
        return NULL;
    }
    return name;
}

PyObject *binding_gethostbyname(PyObject *module, PyObject *args)
{
    (void)module;
    char *name = parse_name(args, "et:gethostbyname", "socket.gethostbyname");
    if (name == NULL) {
        return NULL;
    }
    char text[INET_ADDRSTRLEN];
    PyThreadState *state = PyEval_SaveThread();
    int r = party_resolve_gethostbyname(name, text);
    PyEval_RestoreThread(state);
    PyMem_Free(name);
    return r < 0 ? binding_error(r) : PyUnicode_FromString(text);
}

static PyObject *text_list(char *const *texts, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *text = PyUnicode_FromString(texts[i]);
        if (text == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, text);
        }
    }
    return list;
}

typedef int (*host_fn)(const char *name, struct party_resolve_host *ret_host);

/* Takes name over; NULL: an exception is set already. */
static PyObject *look_up_host(char *name, host_fn look_up)
{
    if (name == NULL) {
        return NULL;
    }
    struct party_resolve_host host;
    PyThreadState *state = PyEval_SaveThread();
    int r = look_up(name, &host);
    PyEval_RestoreThread(state);
    PyMem_Free(name);
    if (r < 0) {
        return binding_error(r);
    }
    PyObject *aliases = text_list(host.aliases, host.alias_count);
    PyObject *addresses = text_list(host.addresses, host.address_count);
    PyObject *result = NULL;
    if (aliases != NULL && addresses != NULL) {
        result = Py_BuildValue("sOO", host.name, aliases, addresses);
    }
    Py_XDECREF(aliases);
    Py_XDECREF(addresses);
    party_resolve_host_finish(&host);
    return result;
}

PyObject *binding_gethostbyname_ex(PyObject *module, PyObject *args)
{
    (void)module;
    return look_up_host(parse_name(args, "et:gethostbyname_ex", "socket.gethostbyname"),
                        party_resolve_gethostbyname_ex);
}

PyObject *binding_gethostbyaddr(PyObject *module, PyObject *args)
{
    (void)module;
    return look_up_host(parse_name(args, "et:gethostbyaddr", "socket.gethostbyaddr"),
                        party_resolve_gethostbyaddr);
}
