/* SPDX-License-Identifier: MIT */
#include "binding.h"

#include <errno.h>
#include <netdb.h>

#include <partyline/error.h>

/*
 * The library's codes as Python's exceptions: OSError with the kernel's errno, gaierror and herror
 * with the numbers of netdb.h, TimeoutError.
 */

static PyObject *gaierror_type;
static PyObject *herror_type;

PyObject *binding_error_from_errno(void)
{
    return PyErr_SetFromErrno(PyExc_OSError);
}

static PyObject *set_numbered(PyObject *type, int number, int64_t code)
{
    PyObject *args = Py_BuildValue("(is)", number, party_strerror((int)code));
    if (args != NULL) {
        PyErr_SetObject(type, args);
        Py_DECREF(args);
    }
    return NULL;
}

static PyObject *set_gaierror(int64_t code)
{
    static const int numbers[] = {EAI_BADFLAGS, EAI_NONAME,   EAI_AGAIN,     EAI_FAIL,
                                  EAI_FAMILY,   EAI_SOCKTYPE, EAI_SERVICE,   EAI_MEMORY,
                                  EAI_OVERFLOW, EAI_NODATA,   EAI_ADDRFAMILY};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (party_error_from_gai(numbers[i], 0) == code) {
            return set_numbered(gaierror_type, numbers[i], code);
        }
    }
    return set_numbered(gaierror_type, EAI_FAIL, code);
}

static PyObject *set_herror(int64_t code)
{
    static const struct {
        int number;
        int code;
    } table[] = {{HOST_NOT_FOUND, PARTY_EH_HOST_NOT_FOUND},
                 {TRY_AGAIN, PARTY_EH_TRY_AGAIN},
                 {NO_RECOVERY, PARTY_EH_NO_RECOVERY},
                 {NO_DATA, PARTY_EH_NO_DATA}};
    size_t i = 0;
    while (i < 3 && table[i].code != code) {
        i++;
    }
    return set_numbered(herror_type, table[i].number, code);
}

PyObject *binding_error(int64_t code)
{
    if (code == PARTY_ETIMEOUT) {
        PyErr_SetString(PyExc_TimeoutError, "timed out");
        return NULL;
    }
    switch (party_error_kind((int)code)) {
    case PARTY_KIND_GAI:
        return set_gaierror(code);
    case PARTY_KIND_HERROR:
        return set_herror(code);
    case PARTY_KIND_OS:
    case PARTY_KIND_TIMEOUT:
        if (code == -ENOMEM) {
            return PyErr_NoMemory();
        }
        errno = (int)-code;
        return binding_error_from_errno();
    case PARTY_KIND_NONE:
    case PARTY_KIND_LIBRARY:
        break;
    }
    PyErr_SetString(PyExc_OSError, party_strerror((int)code));
    return NULL;
}

static bool add_error(PyObject *module, PyObject **type, const char *name, const char *full_name)
{
    *type = PyErr_NewException(full_name, PyExc_OSError, NULL);
    return *type != NULL && PyModule_AddObjectRef(module, name, *type) == 0;
}

bool binding_add_errors(PyObject *module)
{
    return PyModule_AddObjectRef(module, "error", PyExc_OSError) == 0 &&
           add_error(module, &herror_type, "herror", "socket.herror") &&
           add_error(module, &gaierror_type, "gaierror", "socket.gaierror") &&
           PyModule_AddObjectRef(module, "timeout", PyExc_TimeoutError) == 0;
}
