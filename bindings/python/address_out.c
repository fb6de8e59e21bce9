/* SPDX-License-Identifier: MIT */
#include "binding.h"

#include <linux/can.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <linux/if_alg.h>
#include <linux/tipc.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include <partyline/address_family.h>

/* The library's addresses as Python's. */

/* Without the scope, which Python tells beside the host. */
static PyObject *write_host(const struct party_address *address)
{
    char host[INET6_ADDRSTRLEN];
    int family = address->u.sa.sa_family;
    int r = family == AF_INET
                ? party_address_inet_ntop(family, &address->u.in.sin_addr, sizeof(struct in_addr),
                                          host, sizeof(host))
                : party_address_inet_ntop(family, &address->u.in6.sin6_addr,
                                          sizeof(struct in6_addr), host, sizeof(host));
    return r < 0 ? binding_error(r) : PyUnicode_FromString(host);
}

static PyObject *write_inet(const struct party_address *address)
{
    PyObject *host = write_host(address);
    return host == NULL ? NULL : Py_BuildValue("Ni", host, (int)party_address_port(address));
}

static PyObject *write_inet6(const struct party_address *address)
{
    uint32_t flowinfo, scope_id;
    int r = party_address_get_inet6(address, &flowinfo, &scope_id);
    if (r < 0) {
        return binding_error(r);
    }
    PyObject *host = write_host(address);
    return host == NULL
               ? NULL
               : Py_BuildValue("NiII", host, (int)party_address_port(address), flowinfo, scope_id);
}

/* Abstract names are bytes, paths are strings; a socket without a name has "". */
static PyObject *write_unix(const struct party_address *address)
{
    const char *name;
    size_t len;
    int r = party_address_get_unix(address, &name, &len);
    if (r < 0) {
        return binding_error(r);
    }
    return len > 0 && name[0] == '\0' ? PyBytes_FromStringAndSize(name, (Py_ssize_t)len)
                                      : PyUnicode_DecodeFSDefaultAndSize(name, (Py_ssize_t)len);
}

/* The name of an interface, or "" where there is none or the socket is closed by now. */
static void find_interface(struct binding_socket *self, int index, char ret_name[IFNAMSIZ])
{
    ret_name[0] = '\0';
    struct binding_call call;
    if (index == 0 || self == NULL || self->handle == NULL || !binding_call_begin(self, &call)) {
        return;
    }
    struct ifreq request = {.ifr_ifindex = index};
    int r = party_sock_ioctl(call.sock, SIOCGIFNAME, &request);
    (void)binding_call_leave(&call); /* an ioctl does not wait: no handler has run */
    if (r >= 0) {
        memcpy(ret_name, request.ifr_name, IFNAMSIZ - 1);
        ret_name[IFNAMSIZ - 1] = '\0';
    }
}

static PyObject *write_packet(struct binding_socket *self, const struct party_address *address)
{
    struct party_address_packet packet;
    int r = party_address_get_packet(address, &packet);
    if (r < 0) {
        return binding_error(r);
    }
    char name[IFNAMSIZ];
    find_interface(self, packet.interface, name);
    return Py_BuildValue("siiiy#", name, (int)packet.protocol, (int)packet.type,
                         (int)packet.hardware, packet.addr, (Py_ssize_t)packet.addr_len);
}

/* The name of a bus. */
static PyObject *write_bus(struct binding_socket *self, int interface)
{
    char name[IFNAMSIZ];
    find_interface(self, interface, name);
    return PyUnicode_DecodeFSDefault(name);
}

static PyObject *write_can(struct binding_socket *self, int proto,
                           const struct party_address *address)
{
    int r;
    if (proto == CAN_ISOTP) {
        int interface;
        uint32_t rx_id, tx_id;
        r = party_address_get_can_isotp(address, &interface, &rx_id, &tx_id);
        return r < 0 ? binding_error(r)
                     : Py_BuildValue("NII", write_bus(self, interface), rx_id, tx_id);
    }
    if (proto == CAN_J1939) {
        struct party_address_j1939 j1939;
        r = party_address_get_can_j1939(address, &j1939);
        return r < 0 ? binding_error(r)
                     : Py_BuildValue("NKIB", write_bus(self, j1939.interface),
                                     (unsigned long long)j1939.name, j1939.pgn, j1939.addr);
    }
    int interface;
    r = party_address_get_can(address, &interface);
    return r < 0 ? binding_error(r) : Py_BuildValue("(N)", write_bus(self, interface));
}

static PyObject *write_tipc(const struct party_address *address)
{
    struct party_address_tipc tipc;
    if (party_address_get_tipc(address, &tipc) < 0) {
        PyErr_SetString(PyExc_ValueError, "Invalid address type");
        return NULL;
    }
    /* What has no third number has Python's: the second again, or 0. */
    unsigned v3 = tipc.type == TIPC_ADDR_NAME ? tipc.v2 : tipc.type == TIPC_ADDR_ID ? 0 : tipc.v3;
    return Py_BuildValue("IIIII", (unsigned)tipc.type, tipc.v1, tipc.v2, v3, (unsigned)tipc.scope);
}

static PyObject *write_alg(const struct party_address *address)
{
    const char *type, *name;
    int r = party_address_get_alg(address, &type, &name);
    if (r < 0) {
        return binding_error(r);
    }
    const struct sockaddr_alg *sa = (const struct sockaddr_alg *)&address->u;
    return Py_BuildValue("ssII", type, name, sa->salg_feat, sa->salg_mask);
}

static PyObject *write_bdaddr(const struct party_bdaddr *bdaddr)
{
    const uint8_t *byte = bdaddr->bytes;
    return PyUnicode_FromFormat("%02X:%02X:%02X:%02X:%02X:%02X", byte[0], byte[1], byte[2], byte[3],
                                byte[4], byte[5]);
}

static PyObject *write_bluetooth(int proto, const struct party_address *address)
{
    struct party_bdaddr bdaddr;
    uint16_t number, other;
    uint8_t small;
    int r;
    switch (proto) {
    case PARTY_BTPROTO_L2CAP:
        r = party_address_get_l2cap(address, &bdaddr, &number, &other, &small);
        return r < 0 ? binding_error(r) : Py_BuildValue("Ni", write_bdaddr(&bdaddr), (int)number);
    case PARTY_BTPROTO_RFCOMM:
        r = party_address_get_rfcomm(address, &bdaddr, &small);
        return r < 0 ? binding_error(r) : Py_BuildValue("Ni", write_bdaddr(&bdaddr), (int)small);
    case PARTY_BTPROTO_HCI:
        r = party_address_get_hci(address, &number, &other);
        return r < 0 ? binding_error(r) : Py_BuildValue("i", (int)number);
    case PARTY_BTPROTO_SCO:
        r = party_address_get_sco(address, &bdaddr);
        return r < 0 ? binding_error(r) : write_bdaddr(&bdaddr);
    default:
        PyErr_SetString(PyExc_ValueError, "Unknown Bluetooth protocol");
        return NULL;
    }
}

/* Families whose addresses are a pair of numbers. */
static PyObject *write_pair(const struct party_address *address)
{
    uint32_t a, b;
    int r;
    switch (address->u.sa.sa_family) {
    case AF_NETLINK:
        r = party_address_get_netlink(address, &a, &b);
        break;
    case AF_QIPCRTR:
        r = party_address_get_qipcrtr(address, &a, &b);
        break;
    default:
        r = party_address_get_vsock(address, &a, &b);
        break;
    }
    return r < 0 ? binding_error(r) : Py_BuildValue("II", a, b);
}

PyObject *binding_address_out(struct binding_socket *self, int proto,
                              const struct party_address *address)
{
    if (address->len == 0) {
        Py_RETURN_NONE; /* a connected stream does not tell who sent */
    }
    switch (address->u.sa.sa_family) {
    case AF_INET:
        return write_inet(address);
    case AF_INET6:
        return write_inet6(address);
    case AF_UNIX:
        return write_unix(address);
    case AF_NETLINK:
    case AF_QIPCRTR:
    case AF_VSOCK:
        return write_pair(address);
    case AF_PACKET:
        return write_packet(self, address);
    case AF_CAN:
        return write_can(self, proto, address);
    case AF_TIPC:
        return write_tipc(address);
    case AF_ALG:
        return write_alg(address);
    case AF_BLUETOOTH:
        return write_bluetooth(proto, address);
    default:
        /* No reason to fail: who knows the family can read the bytes. */
        return Py_BuildValue("iy#", (int)address->u.sa.sa_family, address->u.sa.sa_data,
                             (Py_ssize_t)sizeof(address->u.sa.sa_data));
    }
}
