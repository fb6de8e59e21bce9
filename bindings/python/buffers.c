/* SPDX-License-Identifier: MIT */
#include "binding.h"

#include <limits.h>

static bool hold_one(PyObject *item, const char *method, bool is_writable, Py_buffer *ret_view)
{
    if (!is_writable) {
        return PyObject_GetBuffer(item, ret_view, PyBUF_SIMPLE) == 0;
    }
    if (PyArg_Parse(item, "w*", ret_view)) {
        return true;
    }
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        (void)PyErr_Format(PyExc_TypeError,
                           "%s() argument 1 must be an iterable of single-segment read-write "
                           "buffers",
                           method);
    }
    return false;
}

static bool hold_all(PyObject *sequence, const char *method, bool is_writable,
                     struct binding_buffers *buffers)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence);
    if (count > INT_MAX) {
        (void)PyErr_Format(PyExc_OSError, "%s() argument 1 is too long", method);
        return false;
    }
    buffers->views = PyMem_New(Py_buffer, (size_t)count);
    buffers->iov = PyMem_New(struct iovec, (size_t)count);
    if (buffers->views == NULL || buffers->iov == NULL) {
        (void)PyErr_NoMemory();
        return false;
    }
    for (; buffers->count < count; buffers->count++) {
        Py_buffer *view = &buffers->views[buffers->count];
        PyObject *item = PySequence_Fast_GET_ITEM(sequence, buffers->count);
        if (!hold_one(item, method, is_writable, view)) {
            return false;
        }
        buffers->iov[buffers->count] =
            (struct iovec){.iov_base = view->buf, .iov_len = (size_t)view->len};
    }
    return true;
}

bool binding_buffers_hold(PyObject *iterable, const char *method, bool is_writable,
                          struct binding_buffers *ret_buffers)
{
    /* A tuple of our own: exporting a buffer may run code that would change a list. */
    PyObject *sequence = PySequence_Tuple(iterable);
    if (sequence == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            (void)PyErr_Format(PyExc_TypeError, "%s() argument 1 must be an iterable", method);
        }
        return false;
    }
    struct binding_buffers buffers = {NULL, NULL, 0};
    bool ok = hold_all(sequence, method, is_writable, &buffers);
    Py_DECREF(sequence);
    if (!ok) {
        binding_buffers_release(&buffers);
        return false;
    }
    *ret_buffers = buffers;
    return true;
}

void binding_buffers_release(struct binding_buffers *buffers)
{
    for (Py_ssize_t i = 0; i < buffers->count; i++) {
        PyBuffer_Release(&buffers->views[i]);
    }
    PyMem_Free(buffers->views);
    PyMem_Free(buffers->iov);
}
