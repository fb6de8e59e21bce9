/* SPDX-License-Identifier: MIT */
#include <partyline/address_family.h>

#include <endian.h>
#include <errno.h>
#include <linux/can.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <string.h>

#include <partyline/error.h>

#include "base/require.h"
#include "sock/address_bluetooth.h"

#define ADDRESS_CAP_OF(type) _Static_assert(sizeof(type) <= sizeof(struct sockaddr_storage), #type)
ADDRESS_CAP_OF(struct sockaddr_alg);
ADDRESS_CAP_OF(struct sockaddr_can);

/* Makes address an empty one of the family. Returns: its bytes, for the family's own sockaddr. */
static void *begin(struct party_address *address, int family, size_t len)
{
    memset(address, 0, sizeof(*address));
    address->u.sa.sa_family = (sa_family_t)family;
    address->len = (socklen_t)len;
    return &address->u;
}

/* Returns: the bytes of address when it is of the family and has at least len of them; else NULL.
 */
static const void *look(const struct party_address *address, int family, size_t len)
{
    return party_address_family(address) == family && address->len >= len ? &address->u : NULL;
}

void party_address_inet(struct in_addr addr, uint16_t port, struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(ret_address);
    struct sockaddr_in *in = begin(ret_address, AF_INET, sizeof(*in));
    in->sin_addr = addr;
    in->sin_port = htons(port);
}

void party_address_inet6(const struct in6_addr *addr, uint16_t port, uint32_t flowinfo,
                         uint32_t scope_id, struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(addr, ret_address);
    struct in6_addr copy = *addr; /* it may lie in ret_address */
    struct sockaddr_in6 *in6 = begin(ret_address, AF_INET6, sizeof(*in6));
    in6->sin6_addr = copy;
    in6->sin6_port = htons(port);
    in6->sin6_flowinfo = htonl(flowinfo);
    in6->sin6_scope_id = scope_id;
}

int party_address_get_inet6(const struct party_address *address, uint32_t *ret_flowinfo,
                            uint32_t *ret_scope_id)
{
    PARTY__REQUIRE(-EINVAL, address, ret_flowinfo, ret_scope_id);
    const struct sockaddr_in6 *in6 = look(address, AF_INET6, sizeof(*in6));
    if (in6 == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_flowinfo = ntohl(in6->sin6_flowinfo);
    *ret_scope_id = in6->sin6_scope_id;
    return 0;
}

int party_address_unix(const void *name, size_t len, struct party_address *ret_address)
{
    PARTY__REQUIRE(-EINVAL, ret_address);
    PARTY__REQUIRE_BYTES(-EINVAL, name, len);
    struct party_address address;
    struct sockaddr_un *un = begin(&address, AF_UNIX, sizeof(sa_family_t));
    if (len > 0) {
        bool is_path = *(const char *)name != '\0';
        if (is_path && memchr(name, '\0', len) != NULL) {
            return PARTY_EADDRESS;
        }
        /* A path takes its NUL with it. */
        size_t taken = len + (is_path ? 1 : 0);
        if (len > sizeof(un->sun_path) || taken > sizeof(un->sun_path)) {
            return -ENAMETOOLONG;
        }
        memcpy(un->sun_path, name, len);
        address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + taken);
    }
    *ret_address = address;
    return 0;
}

int party_address_get_unix(const struct party_address *address, const char **ret_name,
                           size_t *ret_len)
{
    PARTY__REQUIRE(-EINVAL, address, ret_name, ret_len);
    const struct sockaddr_un *un = look(address, AF_UNIX, sizeof(sa_family_t));
    if (un == NULL) {
        return -EAFNOSUPPORT;
    }
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    size_t len = address->len > offset ? address->len - offset : 0;
    /* The kernel reports one byte more than sun_path has for a path that fills it. */
    len = len < sizeof(un->sun_path) ? len : sizeof(un->sun_path);
    *ret_name = un->sun_path;
    *ret_len = un->sun_path[0] == '\0' ? len : strnlen(un->sun_path, len);
    return 0;
}

void party_address_netlink(uint32_t port_id, uint32_t groups, struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(ret_address);
    struct sockaddr_nl *nl = begin(ret_address, AF_NETLINK, sizeof(*nl));
    nl->nl_pid = port_id;
    nl->nl_groups = groups;
}

int party_address_get_netlink(const struct party_address *address, uint32_t *ret_port_id,
                              uint32_t *ret_groups)
{
    PARTY__REQUIRE(-EINVAL, address, ret_port_id, ret_groups);
    const struct sockaddr_nl *nl = look(address, AF_NETLINK, sizeof(*nl));
    if (nl == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_port_id = nl->nl_pid;
    *ret_groups = nl->nl_groups;
    return 0;
}

int party_address_packet(const struct party_address_packet *packet,
                         struct party_address *ret_address)
{
    PARTY__REQUIRE(-EINVAL, packet, ret_address);
    if (packet->addr_len > sizeof(packet->addr)) {
        return -EINVAL;
    }
    struct sockaddr_ll *ll = begin(ret_address, AF_PACKET, sizeof(*ll));
    ll->sll_ifindex = packet->interface;
    ll->sll_protocol = htons(packet->protocol);
    ll->sll_pkttype = packet->type;
    ll->sll_hatype = packet->hardware;
    ll->sll_halen = packet->addr_len;
    memcpy(ll->sll_addr, packet->addr, packet->addr_len);
    return 0;
}

int party_address_get_packet(const struct party_address *address,
                             struct party_address_packet *ret_packet)
{
    PARTY__REQUIRE(-EINVAL, address, ret_packet);
    /* The kernel leaves out the end of sll_addr where the hardware's addresses are shorter. */
    const struct sockaddr_ll *ll = look(address, AF_PACKET, offsetof(struct sockaddr_ll, sll_addr));
    if (ll == NULL) {
        return -EAFNOSUPPORT;
    }
    struct party_address_packet packet = {
        .interface = ll->sll_ifindex,
        .protocol = ntohs(ll->sll_protocol),
        .type = ll->sll_pkttype,
        .hardware = ll->sll_hatype,
    };
    size_t there = address->len - offsetof(struct sockaddr_ll, sll_addr);
    size_t len = ll->sll_halen < there ? ll->sll_halen : there;
    packet.addr_len = (uint8_t)(len < sizeof(packet.addr) ? len : sizeof(packet.addr));
    memcpy(packet.addr, ll->sll_addr, packet.addr_len);
    *ret_packet = packet;
    return 0;
}

void party_address_vsock(uint32_t cid, uint32_t port, struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(ret_address);
    struct sockaddr_vm *vm = begin(ret_address, AF_VSOCK, sizeof(*vm));
    vm->svm_cid = cid;
    vm->svm_port = port;
}

int party_address_get_vsock(const struct party_address *address, uint32_t *ret_cid,
                            uint32_t *ret_port)
{
    PARTY__REQUIRE(-EINVAL, address, ret_cid, ret_port);
    const struct sockaddr_vm *vm = look(address, AF_VSOCK, sizeof(*vm));
    if (vm == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_cid = vm->svm_cid;
    *ret_port = vm->svm_port;
    return 0;
}

static struct sockaddr_can *begin_can(struct party_address *address, int interface)
{
    struct sockaddr_can *can = begin(address, AF_CAN, sizeof(*can));
    can->can_ifindex = interface;
    return can;
}

void party_address_can(int interface, struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(ret_address);
    (void)begin_can(ret_address, interface);
}

int party_address_get_can(const struct party_address *address, int *ret_interface)
{
    PARTY__REQUIRE(-EINVAL, address, ret_interface);
    const struct sockaddr_can *can = look(address, AF_CAN, offsetof(struct sockaddr_can, can_addr));
    if (can == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_interface = can->can_ifindex;
    return 0;
}

void party_address_can_isotp(int interface, uint32_t rx_id, uint32_t tx_id,
                             struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(ret_address);
    struct sockaddr_can *can = begin_can(ret_address, interface);
    can->can_addr.tp.rx_id = rx_id;
    can->can_addr.tp.tx_id = tx_id;
}

int party_address_get_can_isotp(const struct party_address *address, int *ret_interface,
                                uint32_t *ret_rx_id, uint32_t *ret_tx_id)
{
    PARTY__REQUIRE(-EINVAL, address, ret_interface, ret_rx_id, ret_tx_id);
    const struct sockaddr_can *can =
        look(address, AF_CAN, offsetof(struct sockaddr_can, can_addr) + sizeof(can->can_addr.tp));
    if (can == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_interface = can->can_ifindex;
    *ret_rx_id = can->can_addr.tp.rx_id;
    *ret_tx_id = can->can_addr.tp.tx_id;
    return 0;
}

void party_address_can_j1939(const struct party_address_j1939 *j1939,
                             struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(j1939, ret_address);
    struct sockaddr_can *can = begin_can(ret_address, j1939->interface);
    can->can_addr.j1939.name = j1939->name;
    can->can_addr.j1939.pgn = j1939->pgn;
    can->can_addr.j1939.addr = j1939->addr;
}

int party_address_get_can_j1939(const struct party_address *address,
                                struct party_address_j1939 *ret_j1939)
{
    PARTY__REQUIRE(-EINVAL, address, ret_j1939);
    const struct sockaddr_can *can = look(address, AF_CAN, sizeof(*can));
    if (can == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_j1939 = (struct party_address_j1939){
        .interface = can->can_ifindex,
        .name = can->can_addr.j1939.name,
        .pgn = can->can_addr.j1939.pgn,
        .addr = can->can_addr.j1939.addr,
    };
    return 0;
}

int party_address_alg(const char *type, const char *name, uint32_t feat, uint32_t mask,
                      struct party_address *ret_address)
{
    PARTY__REQUIRE(-EINVAL, type, name, ret_address);
    size_t type_len = strlen(type);
    size_t name_len = strlen(name);
    struct party_address address;
    struct sockaddr_alg *alg = begin(&address, AF_ALG, sizeof(*alg));
    if (type_len >= sizeof(alg->salg_type) || name_len >= sizeof(alg->salg_name)) {
        return -ENAMETOOLONG;
    }
    memcpy(alg->salg_type, type, type_len);
    memcpy(alg->salg_name, name, name_len);
    alg->salg_feat = feat;
    alg->salg_mask = mask;
    *ret_address = address;
    return 0;
}

int party_address_get_alg(const struct party_address *address, const char **ret_type,
                          const char **ret_name)
{
    PARTY__REQUIRE(-EINVAL, address, ret_type, ret_name);
    const struct sockaddr_alg *alg = look(address, AF_ALG, sizeof(*alg));
    if (alg == NULL || memchr(alg->salg_type, '\0', sizeof(alg->salg_type)) == NULL ||
        memchr(alg->salg_name, '\0', sizeof(alg->salg_name)) == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_type = (const char *)alg->salg_type;
    *ret_name = (const char *)alg->salg_name;
    return 0;
}

void party_address_qipcrtr(uint32_t node, uint32_t port, struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(ret_address);
    struct sockaddr_qrtr *qrtr = begin(ret_address, AF_QIPCRTR, sizeof(*qrtr));
    qrtr->sq_node = node;
    qrtr->sq_port = port;
}

int party_address_get_qipcrtr(const struct party_address *address, uint32_t *ret_node,
                              uint32_t *ret_port)
{
    PARTY__REQUIRE(-EINVAL, address, ret_node, ret_port);
    const struct sockaddr_qrtr *qrtr = look(address, AF_QIPCRTR, sizeof(*qrtr));
    if (qrtr == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_node = qrtr->sq_node;
    *ret_port = qrtr->sq_port;
    return 0;
}

int party_address_tipc(const struct party_address_tipc *tipc, struct party_address *ret_address)
{
    PARTY__REQUIRE(-EINVAL, tipc, ret_address);
    struct party_address address;
    struct sockaddr_tipc *sa = begin(&address, AF_TIPC, sizeof(*sa));
    sa->addrtype = tipc->type;
    sa->scope = tipc->scope;
    switch (tipc->type) {
    case TIPC_SERVICE_RANGE:
        sa->addr.nameseq.type = tipc->v1;
        sa->addr.nameseq.lower = tipc->v2;
        sa->addr.nameseq.upper = tipc->v3;
        break;
    case TIPC_SERVICE_ADDR:
        sa->addr.name.name.type = tipc->v1;
        sa->addr.name.name.instance = tipc->v2;
        break;
    case TIPC_SOCKET_ADDR:
        sa->addr.id.node = tipc->v1;
        sa->addr.id.ref = tipc->v2;
        break;
    default:
        return -EINVAL;
    }
    *ret_address = address;
    return 0;
}

int party_address_get_tipc(const struct party_address *address, struct party_address_tipc *ret_tipc)
{
    PARTY__REQUIRE(-EINVAL, address, ret_tipc);
    const struct sockaddr_tipc *sa = look(address, AF_TIPC, sizeof(*sa));
    if (sa == NULL) {
        return -EAFNOSUPPORT;
    }
    struct party_address_tipc tipc = {.type = sa->addrtype, .scope = sa->scope};
    switch (sa->addrtype) {
    case TIPC_SERVICE_RANGE:
        tipc.v1 = sa->addr.nameseq.type;
        tipc.v2 = sa->addr.nameseq.lower;
        tipc.v3 = sa->addr.nameseq.upper;
        break;
    case TIPC_SERVICE_ADDR:
        tipc.v1 = sa->addr.name.name.type;
        tipc.v2 = sa->addr.name.name.instance;
        break;
    case TIPC_SOCKET_ADDR:
        tipc.v1 = sa->addr.id.node;
        tipc.v2 = sa->addr.id.ref;
        break;
    default:
        return -EAFNOSUPPORT;
    }
    *ret_tipc = tipc;
    return 0;
}

/* Bluetooth has a device's address with its last byte first, and its numbers in little endian. */
static struct party__bt_addr to_kernel(const struct party_bdaddr *addr)
{
    struct party__bt_addr reversed;
    for (size_t i = 0; i < sizeof(addr->bytes); i++) {
        reversed.bytes[i] = addr->bytes[sizeof(addr->bytes) - 1 - i];
    }
    return reversed;
}

static struct party_bdaddr from_kernel(const struct party__bt_addr *addr)
{
    struct party_bdaddr straight;
    for (size_t i = 0; i < sizeof(addr->bytes); i++) {
        straight.bytes[i] = addr->bytes[sizeof(addr->bytes) - 1 - i];
    }
    return straight;
}

void party_address_l2cap(const struct party_bdaddr *addr, uint16_t psm, uint16_t cid, uint8_t type,
                         struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(addr, ret_address);
    struct party__sockaddr_l2 *l2 = begin(ret_address, AF_BLUETOOTH, sizeof(*l2));
    l2->addr = to_kernel(addr);
    l2->psm = htole16(psm);
    l2->cid = htole16(cid);
    l2->type = type;
}

int party_address_get_l2cap(const struct party_address *address, struct party_bdaddr *ret_addr,
                            uint16_t *ret_psm, uint16_t *ret_cid, uint8_t *ret_type)
{
    PARTY__REQUIRE(-EINVAL, address, ret_addr, ret_psm, ret_cid, ret_type);
    const struct party__sockaddr_l2 *l2 = look(address, AF_BLUETOOTH, sizeof(*l2));
    if (l2 == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_addr = from_kernel(&l2->addr);
    *ret_psm = le16toh(l2->psm);
    *ret_cid = le16toh(l2->cid);
    *ret_type = l2->type;
    return 0;
}

void party_address_rfcomm(const struct party_bdaddr *addr, uint8_t channel,
                          struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(addr, ret_address);
    struct party__sockaddr_rc *rc = begin(ret_address, AF_BLUETOOTH, sizeof(*rc));
    rc->addr = to_kernel(addr);
    rc->channel = channel;
}

int party_address_get_rfcomm(const struct party_address *address, struct party_bdaddr *ret_addr,
                             uint8_t *ret_channel)
{
    PARTY__REQUIRE(-EINVAL, address, ret_addr, ret_channel);
    const struct party__sockaddr_rc *rc = look(address, AF_BLUETOOTH, sizeof(*rc));
    if (rc == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_addr = from_kernel(&rc->addr);
    *ret_channel = rc->channel;
    return 0;
}

void party_address_hci(uint16_t device, uint16_t channel, struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(ret_address);
    struct party__sockaddr_hci *hci = begin(ret_address, AF_BLUETOOTH, sizeof(*hci));
    hci->device = device;
    hci->channel = channel;
}

int party_address_get_hci(const struct party_address *address, uint16_t *ret_device,
                          uint16_t *ret_channel)
{
    PARTY__REQUIRE(-EINVAL, address, ret_device, ret_channel);
    const struct party__sockaddr_hci *hci = look(address, AF_BLUETOOTH, sizeof(*hci));
    if (hci == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_device = hci->device;
    *ret_channel = hci->channel;
    return 0;
}

void party_address_sco(const struct party_bdaddr *addr, struct party_address *ret_address)
{
    PARTY__REQUIRE_VOID(addr, ret_address);
    struct party__sockaddr_sco *sco = begin(ret_address, AF_BLUETOOTH, sizeof(*sco));
    sco->addr = to_kernel(addr);
}

int party_address_get_sco(const struct party_address *address, struct party_bdaddr *ret_addr)
{
    PARTY__REQUIRE(-EINVAL, address, ret_addr);
    const struct party__sockaddr_sco *sco = look(address, AF_BLUETOOTH, sizeof(*sco));
    if (sco == NULL) {
        return -EAFNOSUPPORT;
    }
    *ret_addr = from_kernel(&sco->addr);
    return 0;
}
