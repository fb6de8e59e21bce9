/* SPDX-License-Identifier: MIT */
#include "methods.h"

/*
 * Python counts timeouts in nanoseconds, the library in milliseconds. The object keeps what it was
 * given, so that gettimeout returns just that; the library gets it rounded up.
 */

#define NONE_NS INT64_C(-1000000000)

/* As the process-wide one of the library, but with Python's precision. */
static int64_t default_timeout_ns = NONE_NS;

bool binding_timeout_parse(PyObject *arg, int64_t *ret_timeout_ns)
{
    if (arg == Py_None) {
        *ret_timeout_ns = NONE_NS;
        return true;
    }
    _PyTime_t timeout_ns;
    if (_PyTime_FromSecondsObject(&timeout_ns, arg, _PyTime_ROUND_TIMEOUT) < 0) {
        return false;
    }
    if (timeout_ns < 0) {
        PyErr_SetString(PyExc_ValueError, "Timeout value out of range");
        return false;
    }
    *ret_timeout_ns = timeout_ns;
    return true;
}

PyObject *binding_timeout_object(int64_t timeout_ns)
{
    if (timeout_ns < 0) {
        Py_RETURN_NONE;
    }
    return PyFloat_FromDouble(_PyTime_AsSecondsDouble(timeout_ns));
}

int64_t binding_timeout_ms(int64_t timeout_ns)
{
    return timeout_ns < 0 ? -1 : _PyTime_AsMilliseconds(timeout_ns, _PyTime_ROUND_CEILING);
}

int64_t binding_default_timeout(void)
{
    return default_timeout_ns;
}

PyObject *binding_getdefaulttimeout(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return binding_timeout_object(default_timeout_ns);
}

PyObject *binding_setdefaulttimeout(PyObject *module, PyObject *arg)
{
    (void)module;
    int64_t timeout_ns;
    if (!binding_timeout_parse(arg, &timeout_ns)) {
        return NULL;
    }
    int r = party_sock_setdefaulttimeout(binding_timeout_ms(timeout_ns));
    if (r < 0) {
        return binding_error(r);
    }
    default_timeout_ns = timeout_ns;
    Py_RETURN_NONE;
}

/* Like CPython the object has its new timeout even when the descriptor could not be told. */
static PyObject *set_timeout(struct binding_socket *self, int64_t timeout_ns)
{
    self->sock_timeout = timeout_ns;
    struct binding_call call;
    if (!binding_call_begin(self, &call)) {
        return NULL;
    }
    int r = party_sock_settimeout(call.sock, binding_timeout_ms(timeout_ns));
    return binding_call_end(&call, r) ? Py_NewRef(Py_None) : NULL;
}

PyObject *binding_sock_settimeout(PyObject *self, PyObject *arg)
{
    int64_t timeout_ns;
    if (!binding_timeout_parse(arg, &timeout_ns)) {
        return NULL;
    }
    return set_timeout((struct binding_socket *)self, timeout_ns);
}

PyObject *binding_sock_gettimeout(PyObject *self, PyObject *unused)
{
    (void)unused;
    return binding_timeout_object(((struct binding_socket *)self)->sock_timeout);
}

PyObject *binding_sock_setblocking(PyObject *self, PyObject *arg)
{
    long blocking = PyLong_AsLong(arg);
    if (blocking == -1 && PyErr_Occurred() != NULL) {
        return NULL;
    }
    return set_timeout((struct binding_socket *)self, blocking != 0 ? NONE_NS : 0);
}

PyObject *binding_sock_getblocking(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct binding_socket *)self)->sock_timeout != 0);
}
