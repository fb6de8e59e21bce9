/* SPDX-License-Identifier: MIT */
#include "methods.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>

/* Names of this host, of services, protocols and interfaces. */

/* Room for what Linux allows (64) and more. */
#define NAME_MAX_BYTES 1024

PyObject *binding_gethostname(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    char name[NAME_MAX_BYTES];
    if (PySys_Audit("socket.gethostname", NULL) < 0) {
        return NULL;
    }
    int r = party_resolve_gethostname(name, sizeof(name));
    return r < 0 ? binding_error(r) : PyUnicode_DecodeFSDefault(name);
}

PyObject *binding_sethostname(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *name;
    if (!PyArg_ParseTuple(args, "O&:sethostname", PyUnicode_FSConverter, &name)) {
        return NULL;
    }
    PyObject *result = NULL;
    if (PySys_Audit("socket.sethostname", "(O)", name) == 0) {
        int r = party_resolve_sethostname(PyBytes_AS_STRING(name));
        result = r < 0 ? binding_error(r) : Py_NewRef(Py_None);
    }
    Py_DECREF(name);
    return result;
}

/* What is not in the tables is an OSError without a number. */
static PyObject *raise_unknown(int code, const char *text)
{
    if (code == -ENOENT) {
        PyErr_SetString(PyExc_OSError, text);
        return NULL;
    }
    return binding_error(code);
}

PyObject *binding_getservbyname(PyObject *module, PyObject *args)
{
    (void)module;
    const char *name;
    const char *proto = NULL;
    if (!PyArg_ParseTuple(args, "s|s:getservbyname", &name, &proto) ||
        PySys_Audit("socket.getservbyname", "ss", name, proto) < 0) {
        return NULL;
    }
    PyThreadState *state = PyEval_SaveThread();
    int r = party_resolve_getservbyname(name, proto);
    PyEval_RestoreThread(state);
    return r < 0 ? raise_unknown(r, "service/proto not found") : PyLong_FromLong(r);
}

PyObject *binding_getservbyport(PyObject *module, PyObject *args)
{
    (void)module;
    int port;
    const char *proto = NULL;
    char name[NAME_MAX_BYTES];
    if (!PyArg_ParseTuple(args, "i|s:getservbyport", &port, &proto)) {
        return NULL;
    }
    if (port < 0 || port > UINT16_MAX) {
        PyErr_SetString(PyExc_OverflowError, "getservbyport: port must be 0-65535.");
        return NULL;
    }
    if (PySys_Audit("socket.getservbyport", "is", port, proto) < 0) {
        return NULL;
    }
    PyThreadState *state = PyEval_SaveThread();
    int r = party_resolve_getservbyport(port, proto, name, sizeof(name));
    PyEval_RestoreThread(state);
    return r < 0 ? raise_unknown(r, "port/proto not found") : PyUnicode_FromString(name);
}

PyObject *binding_getprotobyname(PyObject *module, PyObject *args)
{
    (void)module;
    const char *name;
    if (!PyArg_ParseTuple(args, "s:getprotobyname", &name)) {
        return NULL;
    }
    PyThreadState *state = PyEval_SaveThread();
    int r = party_resolve_getprotobyname(name);
    PyEval_RestoreThread(state);
    return r < 0 ? raise_unknown(r, "protocol not found") : PyLong_FromLong(r);
}

static PyObject *interface_list(const struct party_resolve_interfaces *interfaces)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < interfaces->count; i++) {
        const struct party_resolve_interface *interface = &interfaces->entries[i];
        PyObject *item =
            Py_BuildValue("IN", interface->index, PyUnicode_DecodeFSDefault(interface->name));
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

PyObject *binding_if_nameindex(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    struct party_resolve_interfaces interfaces;
    int r = party_resolve_if_nameindex(&interfaces);
    if (r < 0) {
        return binding_error(r);
    }
    PyObject *list = interface_list(&interfaces);
    party_resolve_interfaces_finish(&interfaces);
    return list;
}

PyObject *binding_if_nametoindex(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *name;
    if (!PyArg_ParseTuple(args, "O&:if_nametoindex", PyUnicode_FSConverter, &name)) {
        return NULL;
    }
    unsigned index = 0;
    int r = party_resolve_if_nametoindex(PyBytes_AS_STRING(name), &index);
    Py_DECREF(name);
    if (r < 0) {
        PyErr_SetString(PyExc_OSError, "no interface with this name");
        return NULL;
    }
    return PyLong_FromUnsignedLong(index);
}

PyObject *binding_if_indextoname(PyObject *module, PyObject *arg)
{
    (void)module;
    unsigned long index = PyLong_AsUnsignedLong(arg);
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    char name[IF_NAMESIZE];
    /* No interface has a number beyond an unsigned, and the kernel would see its low bits only. */
    int r = index <= UINT_MAX ? party_resolve_if_indextoname((unsigned)index, name) : -ENXIO;
    return r < 0 ? binding_error(r) : PyUnicode_DecodeFSDefault(name);
}
