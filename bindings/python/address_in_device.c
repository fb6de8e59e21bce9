/* SPDX-License-Identifier: MIT */
#include "binding.h"

#include <linux/can.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/ioctl.h>

#include <partyline/address_family.h>

/* Addresses that name a device, a bus or a radio: PACKET, CAN, BLUETOOTH. */

/* The number of an interface, asked for on the socket: it may live in another network namespace
   than the process. */
static bool find_interface(struct binding_socket *self, const char *name, int *ret_index)
{
    struct ifreq request = {0};
    size_t len = strnlen(name, sizeof(request.ifr_name) - 1);
    memcpy(request.ifr_name, name, len);
    struct binding_call call;
    if (!binding_call_begin(self, &call)) {
        return false;
    }
    int r = party_sock_ioctl(call.sock, SIOCGIFINDEX, &request);
    if (!binding_call_end(&call, r)) {
        return false;
    }
    *ret_index = request.ifr_ifindex;
    return true;
}

struct packet_args {
    const char *interface;
    int proto;
    int type;
    int hardware_type;
    Py_buffer hardware; /* buf NULL when not given */
};

static bool set_packet(struct binding_socket *self, const struct packet_args *args,
                       const char *caller, struct party_address *ret_address)
{
    struct party_address_packet packet = {.protocol = (uint16_t)args->proto,
                                          .type = (uint8_t)args->type,
                                          .hardware = (uint16_t)args->hardware_type};
    if (!find_interface(self, args->interface, &packet.interface)) {
        return false;
    }
    if (args->hardware.buf != NULL) {
        if (args->hardware.len > (Py_ssize_t)sizeof(packet.addr)) {
            PyErr_SetString(PyExc_ValueError, "Hardware address must be 8 bytes or less");
            return false;
        }
        memcpy(packet.addr, args->hardware.buf, (size_t)args->hardware.len);
        packet.addr_len = (uint8_t)args->hardware.len;
    }
    if (args->proto < 0 || args->proto > UINT16_MAX) {
        (void)PyErr_Format(PyExc_OverflowError, "%s(): proto must be 0-65535.", caller);
        return false;
    }
    int r = party_address_packet(&packet, ret_address);
    if (r < 0) {
        (void)binding_error(r);
    }
    return r == 0;
}

static bool read_packet(struct binding_socket *self, PyObject *arg, const char *caller,
                        struct party_address *ret_address)
{
    if (!PyTuple_Check(arg)) {
        (void)PyErr_Format(PyExc_TypeError, "%s(): AF_PACKET address must be tuple, not %.500s",
                           caller, Py_TYPE(arg)->tp_name);
        return false;
    }
    struct packet_args args = {.type = PACKET_HOST};
    if (!PyArg_ParseTuple(arg,
                          "si|iiy*;AF_PACKET address must be a tuple of "
                          "two to five elements",
                          &args.interface, &args.proto, &args.type, &args.hardware_type,
                          &args.hardware)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            (void)PyErr_Format(PyExc_OverflowError, "%s(): address argument out of range", caller);
        }
        return false;
    }
    bool ok = set_packet(self, &args, caller, ret_address);
    PyBuffer_Release(&args.hardware);
    return ok;
}

/* The number of a bus; "" is every bus. A reference to name is taken over. */
static bool find_bus(struct binding_socket *self, PyObject *name, int *ret_interface)
{
    Py_ssize_t len = PyBytes_GET_SIZE(name);
    bool ok = true;
    *ret_interface = 0;
    if (len >= IFNAMSIZ) {
        PyErr_SetString(PyExc_OSError, "AF_CAN interface name too long");
        ok = false;
    } else if (len > 0) {
        ok = find_interface(self, PyBytes_AS_STRING(name), ret_interface);
    }
    Py_DECREF(name);
    return ok;
}

static bool read_can_raw(struct binding_socket *self, PyObject *arg, const char *caller,
                         struct party_address *ret_address)
{
    if (!PyTuple_Check(arg)) {
        (void)PyErr_Format(PyExc_TypeError, "%s(): AF_CAN address must be tuple, not %.500s",
                           caller, Py_TYPE(arg)->tp_name);
        return false;
    }
    PyObject *name;
    int interface;
    if (!PyArg_ParseTuple(arg, "O&;AF_CAN address must be a tuple (interface, )",
                          PyUnicode_FSConverter, &name) ||
        !find_bus(self, name, &interface)) {
        return false;
    }
    party_address_can(interface, ret_address);
    return true;
}

static bool read_can_isotp(struct binding_socket *self, PyObject *arg,
                           struct party_address *ret_address)
{
    PyObject *name;
    int interface;
    unsigned long rx_id, tx_id;
    if (!PyArg_ParseTuple(arg, "O&kk", PyUnicode_FSConverter, &name, &rx_id, &tx_id) ||
        !find_bus(self, name, &interface)) {
        return false;
    }
    party_address_can_isotp(interface, (uint32_t)rx_id, (uint32_t)tx_id, ret_address);
    return true;
}

static bool read_can_j1939(struct binding_socket *self, PyObject *arg,
                           struct party_address *ret_address)
{
    PyObject *name;
    unsigned long long j1939_name;
    struct party_address_j1939 j1939;
    if (!PyArg_ParseTuple(arg, "O&KIB", PyUnicode_FSConverter, &name, &j1939_name, &j1939.pgn,
                          &j1939.addr) ||
        !find_bus(self, name, &j1939.interface)) {
        return false;
    }
    j1939.name = j1939_name;
    party_address_can_j1939(&j1939, ret_address);
    return true;
}

static bool read_can(struct binding_socket *self, PyObject *arg, const char *caller,
                     struct party_address *ret_address)
{
    switch (self->sock_proto) {
    case CAN_RAW:
    case CAN_BCM:
        return read_can_raw(self, arg, caller, ret_address);
    case CAN_ISOTP:
        return read_can_isotp(self, arg, ret_address);
    case CAN_J1939:
        return read_can_j1939(self, arg, ret_address);
    default:
        (void)PyErr_Format(PyExc_OSError, "%s(): unsupported CAN protocol", caller);
        return false;
    }
}

static bool read_bdaddr(const char *text, struct party_bdaddr *ret_bdaddr)
{
    if (party_address_bdaddr(text, ret_bdaddr) < 0) {
        PyErr_SetString(PyExc_OSError, "bad bluetooth address");
        return false;
    }
    return true;
}

static bool raise_format(const char *caller)
{
    (void)PyErr_Format(PyExc_OSError, "%s(): wrong format", caller);
    return false;
}

/* What L2CAP and RFCOMM have: a device, and a number in it. */
static bool read_device_number(PyObject *arg, const char *caller, struct party_bdaddr *ret_bdaddr,
                               int *ret_number)
{
    const char *text;
    return PyArg_ParseTuple(arg, "si", &text, ret_number) ? read_bdaddr(text, ret_bdaddr)
                                                          : raise_format(caller);
}

static bool read_bluetooth(const struct binding_socket *self, PyObject *arg, const char *caller,
                           struct party_address *ret_address)
{
    struct party_bdaddr bdaddr;
    int number;
    switch (self->sock_proto) {
    case PARTY_BTPROTO_L2CAP:
        if (!read_device_number(arg, caller, &bdaddr, &number)) {
            return false;
        }
        party_address_l2cap(&bdaddr, (uint16_t)number, 0, 0, ret_address);
        return true;
    case PARTY_BTPROTO_RFCOMM:
        if (!read_device_number(arg, caller, &bdaddr, &number)) {
            return false;
        }
        party_address_rfcomm(&bdaddr, (uint8_t)number, ret_address);
        return true;
    case PARTY_BTPROTO_HCI:
        if (!PyArg_ParseTuple(arg, "i", &number)) {
            return raise_format(caller);
        }
        party_address_hci((uint16_t)number, 0, ret_address);
        return true;
    case PARTY_BTPROTO_SCO:
        if (!PyBytes_Check(arg)) {
            return raise_format(caller);
        }
        if (!read_bdaddr(PyBytes_AS_STRING(arg), &bdaddr)) {
            return false;
        }
        party_address_sco(&bdaddr, ret_address);
        return true;
    default:
        (void)PyErr_Format(PyExc_OSError, "%s(): unknown Bluetooth protocol", caller);
        return false;
    }
}

bool binding_address_in_device(struct binding_socket *self, PyObject *arg, const char *caller,
                               struct party_address *ret_address)
{
    switch (self->sock_family) {
    case AF_PACKET:
        return read_packet(self, arg, caller, ret_address);
    case AF_CAN:
        return read_can(self, arg, caller, ret_address);
    case AF_BLUETOOTH:
        return read_bluetooth(self, arg, caller, ret_address);
    default:
        (void)PyErr_Format(PyExc_OSError, "%s(): bad family", caller);
        return false;
    }
}
