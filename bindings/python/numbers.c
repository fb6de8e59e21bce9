/* SPDX-License-Identifier: MIT */
#include "methods.h"

#include <errno.h>

/* Byte order, and addresses between text and bytes. */

/* Messages name the function, so each has its format. */
static PyObject *convert_short(PyObject *args, const char *name, const char *format,
                               uint16_t (*convert)(uint16_t number))
{
    int number;
    if (!PyArg_ParseTuple(args, format, &number)) {
        return NULL;
    }
    if (number < 0) {
        return PyErr_Format(PyExc_OverflowError,
                            "%s: can't convert negative Python int to C 16-bit unsigned integer",
                            name);
    }
    if (number > UINT16_MAX) {
        return PyErr_Format(PyExc_OverflowError,
                            "%s: Python int too large to convert to C 16-bit unsigned integer",
                            name);
    }
    return PyLong_FromLong(convert((uint16_t)number));
}

static PyObject *convert_long(PyObject *arg, uint32_t (*convert)(uint32_t number))
{
    if (!PyLong_Check(arg)) {
        return PyErr_Format(PyExc_TypeError, "expected int, %s found", Py_TYPE(arg)->tp_name);
    }
    unsigned long number = PyLong_AsUnsignedLong(arg);
    if (number == (unsigned long)-1 && PyErr_Occurred() != NULL) {
        return NULL;
    }
    if (number > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "int larger than 32 bits");
        return NULL;
    }
    return PyLong_FromUnsignedLong(convert((uint32_t)number));
}

PyObject *binding_ntohs(PyObject *module, PyObject *args)
{
    (void)module;
    return convert_short(args, "ntohs", "i:ntohs", party_address_ntohs);
}

PyObject *binding_htons(PyObject *module, PyObject *args)
{
    (void)module;
    return convert_short(args, "htons", "i:htons", party_address_htons);
}

PyObject *binding_ntohl(PyObject *module, PyObject *arg)
{
    (void)module;
    return convert_long(arg, party_address_ntohl);
}

PyObject *binding_htonl(PyObject *module, PyObject *arg)
{
    (void)module;
    return convert_long(arg, party_address_htonl);
}

PyObject *binding_inet_aton(PyObject *module, PyObject *args)
{
    (void)module;
    const char *text;
    struct in_addr addr;
    if (!PyArg_ParseTuple(args, "s:inet_aton", &text)) {
        return NULL;
    }
    if (party_address_inet_aton(text, &addr) < 0) {
        PyErr_SetString(PyExc_OSError, "illegal IP address string passed to inet_aton");
        return NULL;
    }
    return PyBytes_FromStringAndSize((const char *)&addr, sizeof(addr));
}

PyObject *binding_inet_ntoa(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer packed;
    if (!PyArg_ParseTuple(args, "y*:inet_ntoa", &packed)) {
        return NULL;
    }
    char text[INET_ADDRSTRLEN];
    int r = party_address_inet_ntop(AF_INET, packed.buf, (size_t)packed.len, text, sizeof(text));
    PyBuffer_Release(&packed);
    if (r < 0) {
        PyErr_SetString(PyExc_OSError, "packed IP wrong length for inet_ntoa");
        return NULL;
    }
    return PyUnicode_FromString(text);
}

PyObject *binding_inet_pton(PyObject *module, PyObject *args)
{
    (void)module;
    int family;
    const char *text;
    union {
        struct in_addr in;
        struct in6_addr in6;
        char bytes[sizeof(struct in6_addr)];
    } addr;
    if (!PyArg_ParseTuple(args, "is:inet_pton", &family, &text)) {
        return NULL;
    }
    int r = party_address_inet_pton(family, text, &addr);
    if (r == PARTY_EADDRESS) {
        PyErr_SetString(PyExc_OSError, "illegal IP address string passed to inet_pton");
        return NULL;
    }
    if (r < 0) {
        return binding_error(r);
    }
    return PyBytes_FromStringAndSize(addr.bytes,
                                     family == AF_INET ? sizeof(addr.in) : sizeof(addr.in6));
}

PyObject *binding_inet_ntop(PyObject *module, PyObject *args)
{
    (void)module;
    int family;
    Py_buffer packed;
    if (!PyArg_ParseTuple(args, "iy*:inet_ntop", &family, &packed)) {
        return NULL;
    }
    char text[INET6_ADDRSTRLEN];
    int r = party_address_inet_ntop(family, packed.buf, (size_t)packed.len, text, sizeof(text));
    PyBuffer_Release(&packed);
    if (r == -EAFNOSUPPORT) {
        return PyErr_Format(PyExc_ValueError, "unknown address family %d", family);
    }
    if (r == -EINVAL) {
        PyErr_SetString(PyExc_ValueError, "invalid length of packed IP address string");
        return NULL;
    }
    return r < 0 ? binding_error(r) : PyUnicode_FromString(text);
}
