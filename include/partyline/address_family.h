/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_ADDRESS_FAMILY_H
#define PARTYLINE_ADDRESS_FAMILY_H

#include <stddef.h>
#include <stdint.h>

#include <partyline/address.h>

PARTY_BEGIN_DECLS

/*
 * Addresses of each family from their parts, and their parts from addresses, so that no program has
 * to fill a sockaddr. The parts are those of Python's address tuples. Numbers are in host order,
 * interfaces are numbers (party_resolve_if_nametoindex turns a name into one; 0 is any of them).
 *
 *     struct party_address address;
 *     party_address_vsock(VMADDR_CID_HOST, 1024, &address);
 *     int r = party_sock_connect(sock, &address);
 *
 *     uint32_t cid, port;
 *     r = party_address_get_vsock(&address, &cid, &port);
 *
 * Returns, of each party_address_get_: 0; -EAFNOSUPPORT when the address is of another family, or
 * too short for the parts asked for. INET and INET6 are also read by party_address_port and
 * address->u.
 *
 * Families that have several protocols (CAN, BLUETOOTH) have an address for each; which one it is
 * only the socket knows.
 */

/** AF_INET. addr is in network order, as inet_pton gives it. */
PARTY_API void party_address_inet(struct in_addr addr, uint16_t port,
                                  struct party_address *ret_address);

/** AF_INET6. flowinfo has 20 bits, scope_id is the interface of a link-local address. */
PARTY_API void party_address_inet6(const struct in6_addr *addr, uint16_t port, uint32_t flowinfo,
                                   uint32_t scope_id, struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_inet6(const struct party_address *address,
                                                     uint32_t *ret_flowinfo,
                                                     uint32_t *ret_scope_id);

/**
 * AF_UNIX. A name that begins with a NUL is abstract, another is a path. With len 0 the kernel
 * picks an abstract name at bind (autobind).
 * Returns: 0; -ENAMETOOLONG when it does not fit; PARTY_EADDRESS for a path with a NUL in it.
 */
PARTY_API PARTY_MUST_USE int party_address_unix(const void *name, size_t len,
                                                struct party_address *ret_address);

/** The name in address, without the NUL at a path's end; *ret_len is 0 when there is none. */
PARTY_API PARTY_MUST_USE int party_address_get_unix(const struct party_address *address,
                                                    const char **ret_name, size_t *ret_len);

/** AF_NETLINK: the port (0: the kernel, or at bind: let it choose) and the multicast groups. */
PARTY_API void party_address_netlink(uint32_t port_id, uint32_t groups,
                                     struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_netlink(const struct party_address *address,
                                                       uint32_t *ret_port_id, uint32_t *ret_groups);

/* An address of AF_PACKET. To bind, interface and protocol are enough. */
struct party_address_packet {
    int interface;     /* 0: all */
    uint16_t protocol; /* ETH_P_ALL, ETH_P_IP ... in host order */
    uint8_t type;      /* received: PACKET_HOST, PACKET_BROADCAST ... */
    uint16_t hardware; /* received: ARPHRD_ETHER ... */
    uint8_t addr[8];   /* hardware address */
    uint8_t addr_len;  /* bytes of it, at most 8 */
};

/** AF_PACKET. Returns: 0; -EINVAL for an addr_len above 8. */
PARTY_API PARTY_MUST_USE int party_address_packet(const struct party_address_packet *packet,
                                                  struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_packet(const struct party_address *address,
                                                      struct party_address_packet *ret_packet);

/** AF_VSOCK: the virtual machine and the port; VMADDR_CID_ANY and VMADDR_PORT_ANY are UINT32_MAX.
 */
PARTY_API void party_address_vsock(uint32_t cid, uint32_t port, struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_vsock(const struct party_address *address,
                                                     uint32_t *ret_cid, uint32_t *ret_port);

/** AF_CAN with CAN_RAW or CAN_BCM. */
PARTY_API void party_address_can(int interface, struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_can(const struct party_address *address,
                                                   int *ret_interface);

/** AF_CAN with CAN_ISOTP: the identifiers of what is received and sent. */
PARTY_API void party_address_can_isotp(int interface, uint32_t rx_id, uint32_t tx_id,
                                       struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_can_isotp(const struct party_address *address,
                                                         int *ret_interface, uint32_t *ret_rx_id,
                                                         uint32_t *ret_tx_id);

/* An address of AF_CAN with CAN_J1939; the J1939_NO_ values of <linux/can/j1939.h> leave parts out.
 */
struct party_address_j1939 {
    int interface;
    uint64_t name; /* 0: J1939_NO_NAME */
    uint32_t pgn;
    uint8_t addr;
};

PARTY_API void party_address_can_j1939(const struct party_address_j1939 *j1939,
                                       struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_can_j1939(const struct party_address *address,
                                                         struct party_address_j1939 *ret_j1939);

/**
 * AF_ALG: type is "hash", "skcipher", "aead" or "rng", name the algorithm's.
 * Returns: 0; -ENAMETOOLONG when type has more than 13 bytes or name more than 63.
 */
PARTY_API PARTY_MUST_USE int party_address_alg(const char *type, const char *name, uint32_t feat,
                                               uint32_t mask, struct party_address *ret_address);

/** What ret_type and ret_name point to lies in address, and ends with a NUL. */
PARTY_API PARTY_MUST_USE int party_address_get_alg(const struct party_address *address,
                                                   const char **ret_type, const char **ret_name);

/** AF_QIPCRTR. */
PARTY_API void party_address_qipcrtr(uint32_t node, uint32_t port,
                                     struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_qipcrtr(const struct party_address *address,
                                                       uint32_t *ret_node, uint32_t *ret_port);

/* An address of AF_TIPC, with the values of <linux/tipc.h>. */
struct party_address_tipc {
    uint8_t type; /* TIPC_SERVICE_RANGE (1), TIPC_SERVICE_ADDR (2), TIPC_SOCKET_ADDR (3) */
    int8_t scope; /* TIPC_CLUSTER_SCOPE, TIPC_NODE_SCOPE */
    uint32_t v1;  /* service type; of a socket the node */
    uint32_t v2;  /* instance, or the first of the range; of a socket its reference */
    uint32_t v3;  /* the last of the range; else unused */
};

/** AF_TIPC. Returns: 0; -EINVAL for another type. */
PARTY_API PARTY_MUST_USE int party_address_tipc(const struct party_address_tipc *tipc,
                                                struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_tipc(const struct party_address *address,
                                                    struct party_address_tipc *ret_tipc);

/* The protocols of AF_BLUETOOTH, for which the system has no header. */
enum party_bluetooth_proto {
    PARTY_BTPROTO_L2CAP = 0,
    PARTY_BTPROTO_HCI = 1,
    PARTY_BTPROTO_SCO = 2,
    PARTY_BTPROTO_RFCOMM = 3,
};

/* A device's address, with the bytes in the order in which it is written: 00:11:22:33:44:55. */
struct party_bdaddr {
    uint8_t bytes[6];
};

/** Reads "00:11:22:33:44:55". Returns: 0; PARTY_EADDRESS. */
PARTY_API PARTY_MUST_USE int party_address_bdaddr(const char *text, struct party_bdaddr *ret_addr);

/** AF_BLUETOOTH, L2CAP. type is 0 (BR/EDR), 1 (LE public), 2 (LE random). */
PARTY_API void party_address_l2cap(const struct party_bdaddr *addr, uint16_t psm, uint16_t cid,
                                   uint8_t type, struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_l2cap(const struct party_address *address,
                                                     struct party_bdaddr *ret_addr,
                                                     uint16_t *ret_psm, uint16_t *ret_cid,
                                                     uint8_t *ret_type);

/** AF_BLUETOOTH, RFCOMM. */
PARTY_API void party_address_rfcomm(const struct party_bdaddr *addr, uint8_t channel,
                                    struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_rfcomm(const struct party_address *address,
                                                      struct party_bdaddr *ret_addr,
                                                      uint8_t *ret_channel);

/** AF_BLUETOOTH, HCI: the device (UINT16_MAX: none) and the channel. */
PARTY_API void party_address_hci(uint16_t device, uint16_t channel,
                                 struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_hci(const struct party_address *address,
                                                   uint16_t *ret_device, uint16_t *ret_channel);

/** AF_BLUETOOTH, SCO. */
PARTY_API void party_address_sco(const struct party_bdaddr *addr,
                                 struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_address_get_sco(const struct party_address *address,
                                                   struct party_bdaddr *ret_addr);

PARTY_END_DECLS
#endif
