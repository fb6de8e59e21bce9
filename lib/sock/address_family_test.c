/* SPDX-License-Identifier: MIT */
#include <partyline/address_family.h>

#include <errno.h>
#include <linux/can/j1939.h>
#include <linux/if_alg.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/error.h>
#include <partyline/sock.h>

static void assert_written(const struct party_address *address, const char *wanted)
{
    char text[PARTY_ADDRESS_TEXT_MAX];
    assert_string_equal(party_address_format(address, text, sizeof(text)), wanted);
}

/* What is written so is read back the same, and cut off at any length it is something else or
   refused, and nothing is read beyond its end. */
static void assert_read_back(const struct party_address *address)
{
    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_address again;
    party_address_format(address, text, sizeof(text));
    assert_int_equal(party_address_parse(text, &again), 0);
    assert_true(party_address_equal(address, &again));
    for (size_t len = strlen(text); len > 0; len--) {
        text[len - 1] = '\0';
        int r = party_address_parse(text, &again);
        assert_true(r == 0 || r == PARTY_EADDRESS || r == -ENODEV);
    }
}

static void test_inet_has_its_parts(void **state)
{
    (void)state;
    struct party_address address;
    struct in_addr addr = {.s_addr = htonl(INADDR_LOOPBACK)};
    party_address_inet(addr, 8080, &address);
    assert_written(&address, "127.0.0.1:8080");
}

static void test_inet6_has_its_scope_and_flow(void **state)
{
    (void)state;
    struct party_address address;
    uint32_t flowinfo = 0;
    uint32_t scope_id = 0;
    party_address_inet6(&in6addr_loopback, 80, 0xfffff, 999999, &address);
    assert_written(&address, "[::1%999999]:80");
    assert_int_equal(party_address_get_inet6(&address, &flowinfo, &scope_id), 0);
    assert_int_equal(flowinfo, 0xfffff);
    assert_int_equal(scope_id, 999999);
    assert_int_equal(address.u.in6.sin6_flowinfo, htonl(0xfffff));
    /* The address may be one's own. */
    party_address_inet6(&address.u.in6.sin6_addr, 81, 0, 0, &address);
    assert_written(&address, "[::1]:81");
}

static void test_unix_names_are_paths_abstract_or_left_to_the_kernel(void **state)
{
    (void)state;
    struct party_address address;
    const char *name = NULL;
    size_t len = 0;
    assert_int_equal(party_address_unix("/run/x", 6, &address), 0);
    assert_written(&address, "unix:/run/x");
    assert_int_equal(address.len, offsetof(struct sockaddr_un, sun_path) + 7);
    assert_int_equal(party_address_get_unix(&address, &name, &len), 0);
    assert_int_equal(len, 6);
    assert_memory_equal(name, "/run/x", 6);

    assert_int_equal(party_address_unix("\0a\0b", 4, &address), 0);
    assert_written(&address, "unix:@a\\x00b");
    assert_int_equal(party_address_get_unix(&address, &name, &len), 0);
    assert_int_equal(len, 4);
    assert_memory_equal(name, "\0a\0b", 4);

    assert_int_equal(party_address_unix(NULL, 0, &address), 0);
    assert_int_equal(address.len, sizeof(sa_family_t));
    assert_int_equal(party_address_get_unix(&address, &name, &len), 0);
    assert_int_equal(len, 0);
}

static void test_unix_names_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct party_address address = {.len = 1};
    char name[110];
    memset(name, 'x', sizeof(name));
    assert_int_equal(party_address_unix(name, 107, &address), 0);
    address.len = 1;
    assert_int_equal(party_address_unix(name, 108, &address), -ENAMETOOLONG);
    assert_int_equal(party_address_unix("a\0b", 3, &address), PARTY_EADDRESS);
    name[0] = '\0';
    assert_int_equal(party_address_unix(name, 109, &address), -ENAMETOOLONG);
    assert_int_equal(party_address_unix(name, SIZE_MAX, &address), -ENAMETOOLONG);
    assert_int_equal(address.len, 1);
    assert_int_equal(party_address_unix(name, 108, &address), 0);
}

static void test_autobind_gives_an_abstract_name(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *sock;
    const char *name = NULL;
    size_t len = 0;
    assert_int_equal(party_sock_socket(AF_UNIX, SOCK_DGRAM, 0, &sock), 0);
    assert_int_equal(party_address_unix(NULL, 0, &address), 0);
    assert_int_equal(party_sock_bind(sock, &address), 0);
    assert_int_equal(party_sock_getsockname(sock, &address), 0);
    assert_int_equal(party_address_get_unix(&address, &name, &len), 0);
    assert_int_equal(len, 6); /* a NUL and five hex digits */
    assert_int_equal(name[0], 0);
    party_sock_close(sock);
}

static void test_netlink_is_what_the_kernel_gives(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *sock;
    uint32_t port_id = 0;
    uint32_t groups = 0;
    assert_int_equal(party_sock_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &sock), 0);
    party_address_netlink(0, 1, &address);
    assert_written(&address, "netlink:0:0x1");
    assert_int_equal(party_sock_bind(sock, &address), 0);
    assert_int_equal(party_sock_getsockname(sock, &address), 0);
    assert_int_equal(party_address_get_netlink(&address, &port_id, &groups), 0);
    assert_int_not_equal(port_id, 0);
    assert_int_equal(groups, 1);
    assert_read_back(&address);
    party_sock_close(sock);
    party_address_netlink(UINT32_MAX, UINT32_MAX, &address);
    assert_written(&address, "netlink:4294967295:0xffffffff");
    assert_read_back(&address);
}

static void test_packet_has_its_parts(void **state)
{
    (void)state;
    struct party_address address;
    struct party_address_packet packet = {.protocol = ETH_P_IP};
    struct party_address_packet back;
    assert_int_equal(party_address_packet(&packet, &address), 0);
    assert_written(&address, "packet:*:0x0800");
    assert_read_back(&address);

    packet = (struct party_address_packet){.interface = 999999,
                                           .protocol = ETH_P_ARP,
                                           .type = PACKET_BROADCAST,
                                           .hardware = ARPHRD_ETHER,
                                           .addr = {0, 0x11, 0x22, 0x33, 0x44, 0xff},
                                           .addr_len = 6};
    assert_int_equal(party_address_packet(&packet, &address), 0);
    assert_written(&address, "packet:999999:0x0806:00:11:22:33:44:ff");
    memset(&back, 0, sizeof(back));
    assert_int_equal(party_address_get_packet(&address, &back), 0);
    assert_int_equal(back.interface, packet.interface);
    assert_int_equal(back.protocol, packet.protocol);
    assert_int_equal(back.type, packet.type);
    assert_int_equal(back.hardware, packet.hardware);
    assert_int_equal(back.addr_len, 6);
    assert_memory_equal(back.addr, packet.addr, 6);

    packet.addr_len = 9;
    assert_int_equal(party_address_packet(&packet, &address), -EINVAL);
}

static void test_packet_of_the_kernel_never_reads_beyond_its_length(void **state)
{
    (void)state;
    struct party_address address;
    struct party_address_packet packet = {.addr_len = 8};
    assert_int_equal(party_address_packet(&packet, &address), 0);
    address.len = offsetof(struct sockaddr_ll, sll_addr) + 3;
    assert_int_equal(party_address_get_packet(&address, &packet), 0);
    assert_int_equal(packet.addr_len, 3);
    /* Hardware addresses of 20 bytes (InfiniBand) are reported with that length. */
    address.len = sizeof(struct sockaddr_ll);
    ((struct sockaddr_ll *)&address.u)->sll_halen = 20;
    assert_int_equal(party_address_get_packet(&address, &packet), 0);
    assert_int_equal(packet.addr_len, 8);
}

static void test_vsock_has_its_parts(void **state)
{
    (void)state;
    struct party_address address;
    uint32_t cid = 0;
    uint32_t port = 0;
    party_address_vsock(VMADDR_CID_HOST, 1024, &address);
    assert_written(&address, "vsock:2:1024");
    assert_read_back(&address);
    assert_int_equal(party_address_get_vsock(&address, &cid, &port), 0);
    assert_int_equal(cid, VMADDR_CID_HOST);
    assert_int_equal(port, 1024);
    party_address_vsock(VMADDR_CID_ANY, VMADDR_PORT_ANY, &address);
    assert_written(&address, "vsock:*:*");
    assert_read_back(&address);
}

static void test_can_has_an_address_for_each_protocol(void **state)
{
    (void)state;
    struct party_address address;
    int interface = 0;
    uint32_t rx_id = 0;
    uint32_t tx_id = 0;
    party_address_can(0, &address);
    assert_written(&address, "can:*");
    party_address_can_isotp(999999, 0x123, 0x456, &address);
    assert_written(&address, "can:999999");
    assert_int_equal(party_address_get_can(&address, &interface), 0);
    assert_int_equal(interface, 999999);
    assert_int_equal(party_address_get_can_isotp(&address, &interface, &rx_id, &tx_id), 0);
    assert_int_equal(rx_id, 0x123);
    assert_int_equal(tx_id, 0x456);

    struct party_address_j1939 j1939 = {
        .interface = 3, .name = UINT64_C(0x8877665544332211), .pgn = J1939_NO_PGN, .addr = 0x20};
    struct party_address_j1939 back = {0};
    party_address_can_j1939(&j1939, &address);
    assert_int_equal(party_address_get_can_j1939(&address, &back), 0);
    assert_int_equal(back.interface, 3);
    assert_true(back.name == j1939.name);
    assert_int_equal(back.pgn, J1939_NO_PGN);
    assert_int_equal(back.addr, 0x20);
}

static void test_alg_has_its_names(void **state)
{
    (void)state;
    struct party_address address = {.len = 1};
    const char *type = NULL;
    const char *name = NULL;
    char long_name[65];
    memset(long_name, 'n', sizeof(long_name));
    long_name[64] = '\0';
    assert_int_equal(party_address_alg("hash", long_name, 0, 0, &address), -ENAMETOOLONG);
    assert_int_equal(party_address_alg("fourteen-bytes", "x", 0, 0, &address), -ENAMETOOLONG);
    assert_int_equal(address.len, 1);
    assert_int_equal(party_address_alg("hash", long_name + 1, 0, 0, &address), 0);
    assert_int_equal(party_address_alg("hash", "sha\n256", 1, 2, &address), 0);
    assert_written(&address, "alg:hash:sha\\x0a256");
    assert_int_equal(party_address_get_alg(&address, &type, &name), 0);
    assert_string_equal(type, "hash");
    assert_string_equal(name, "sha\n256");
    assert_int_equal(((struct sockaddr_alg *)&address.u)->salg_feat, 1);
    assert_int_equal(((struct sockaddr_alg *)&address.u)->salg_mask, 2);
    /* Without its NUL it is no name. */
    memset(((struct sockaddr_alg *)&address.u)->salg_type, 't', 14);
    assert_int_equal(party_address_get_alg(&address, &type, &name), -EAFNOSUPPORT);
    assert_written(&address, "family:38");
}

static void test_qipcrtr_has_its_parts(void **state)
{
    (void)state;
    struct party_address address;
    uint32_t node = 0;
    uint32_t port = 0;
    party_address_qipcrtr(1, UINT32_MAX, &address);
    assert_written(&address, "qipcrtr:1:4294967295");
    assert_int_equal(party_address_get_qipcrtr(&address, &node, &port), 0);
    assert_int_equal(node, 1);
    assert_int_equal(port, UINT32_MAX);
}

static void test_tipc_has_its_kinds(void **state)
{
    (void)state;
    static const struct {
        struct party_address_tipc tipc;
        const char *text;
    } cases[] = {
        {{TIPC_SERVICE_RANGE, TIPC_CLUSTER_SCOPE, 18888, 17, 20}, "tipc:1:18888:17:20"},
        {{TIPC_SERVICE_ADDR, TIPC_NODE_SCOPE, 18888, 17, 0}, "tipc:2:18888:17:0"},
        {{TIPC_SOCKET_ADDR, 0, 5, 6, 0}, "tipc:3:5:6:0"},
    };
    struct party_address address;
    struct party_address_tipc back;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(party_address_tipc(&cases[i].tipc, &address), 0);
        assert_written(&address, cases[i].text);
        memset(&back, 0, sizeof(back));
        assert_int_equal(party_address_get_tipc(&address, &back), 0);
        assert_int_equal(back.type, cases[i].tipc.type);
        assert_int_equal(back.scope, cases[i].tipc.scope);
        assert_int_equal(back.v1, cases[i].tipc.v1);
        assert_int_equal(back.v2, cases[i].tipc.v2);
        assert_int_equal(back.v3, cases[i].tipc.v3);
    }
    struct party_address_tipc wrong = {.type = 4};
    assert_int_equal(party_address_tipc(&wrong, &address), -EINVAL);
    ((struct sockaddr_tipc *)&address.u)->addrtype = 77;
    assert_int_equal(party_address_get_tipc(&address, &back), -EAFNOSUPPORT);
}

static void test_bluetooth_has_an_address_for_each_protocol(void **state)
{
    (void)state;
    struct party_address address;
    struct party_bdaddr device;
    struct party_bdaddr back = {{0}};
    uint16_t a = 0;
    uint16_t b = 0;
    uint8_t c = 0;
    assert_int_equal(party_address_bdaddr("00:11:22:33:44:fF", &device), 0);

    party_address_l2cap(&device, 0x1001, 0x40, 1, &address);
    assert_written(&address, "l2cap:00:11:22:33:44:ff:4097");
    /* As the kernel has it: numbers in little endian, the address from its end. */
    assert_memory_equal((const char *)&address.u + 2,
                        "\x01\x10\xff\x44\x33\x22\x11\x00\x40\x00\x01", 11);
    assert_int_equal(party_address_get_l2cap(&address, &back, &a, &b, &c), 0);
    assert_memory_equal(&back, &device, sizeof(back));
    assert_int_equal(a, 0x1001);
    assert_int_equal(b, 0x40);
    assert_int_equal(c, 1);

    party_address_rfcomm(&device, 30, &address);
    assert_written(&address, "rfcomm:00:11:22:33:44:ff:30");
    assert_int_equal(party_address_get_rfcomm(&address, &back, &c), 0);
    assert_int_equal(c, 30);

    party_address_sco(&device, &address);
    assert_written(&address, "sco:00:11:22:33:44:ff");
    memset(&back, 0, sizeof(back));
    assert_int_equal(party_address_get_sco(&address, &back), 0);
    assert_memory_equal(&back, &device, sizeof(back));

    party_address_hci(UINT16_MAX, 2, &address);
    assert_written(&address, "hci:*");
    assert_int_equal(party_address_get_hci(&address, &a, &b), 0);
    assert_int_equal(a, UINT16_MAX);
    assert_int_equal(b, 2);
}

static void test_bdaddr_refuses_what_is_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "00:11:22:33:44",
                                        "00:11:22:33:44:55:66",
                                        "00:11:22:33:44:5g",
                                        "00-11-22-33-44-55",
                                        "000:11:22:33:44:55",
                                        ":11:22:33:44:55"};
    struct party_bdaddr addr = {{9}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(party_address_bdaddr(wrong[i], &addr), PARTY_EADDRESS);
    }
    assert_int_equal(addr.bytes[0], 9);
}

/* A family that is right and a length that is not must not be read. */
static void test_parts_of_another_or_a_short_address_are_refused(void **state)
{
    (void)state;
    struct party_bdaddr addr;
    struct party_address_packet packet;
    struct party_address_j1939 j1939;
    struct party_address_tipc tipc;
    const char *text;
    size_t size;
    int number;
    uint32_t n;
    uint16_t h;
    uint8_t c;
    static const int families[] = {AF_UNSPEC, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK,
                                   AF_CAN,    AF_ALG,   AF_QIPCRTR, AF_TIPC,   AF_BLUETOOTH};
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        struct party_address address = {.len = sizeof(sa_family_t)};
        address.u.sa.sa_family = (sa_family_t)families[i];
        assert_int_equal(party_address_get_inet6(&address, &n, &n), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_unix(&address, &text, &size), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_netlink(&address, &n, &n), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_packet(&address, &packet), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_vsock(&address, &n, &n), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_can(&address, &number), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_can_isotp(&address, &number, &n, &n), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_can_j1939(&address, &j1939), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_alg(&address, &text, &text), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_qipcrtr(&address, &n, &n), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_tipc(&address, &tipc), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_l2cap(&address, &addr, &h, &h, &c), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_rfcomm(&address, &addr, &c), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_hci(&address, &h, &h), -EAFNOSUPPORT);
        assert_int_equal(party_address_get_sco(&address, &addr), -EAFNOSUPPORT);
        char wanted[32];
        (void)snprintf(wanted, sizeof(wanted), "family:%d", families[i]);
        if (families[i] != AF_INET6) {
            assert_written(&address, wanted);
        }
    }
}

static void test_written_forms_that_are_wrong_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int wanted;
    } cases[] = {
        {"netlink:", PARTY_EADDRESS},
        {"netlink:1", PARTY_EADDRESS},
        {"netlink:1:", PARTY_EADDRESS},
        {"netlink:1:2:3", PARTY_EADDRESS},
        {"netlink:4294967296:0", PARTY_EADDRESS},
        {"netlink:-1:0", PARTY_EADDRESS},
        {"netlink:0x:0", PARTY_EADDRESS},
        {"netlink:0:0x100000000", PARTY_EADDRESS},
        {"vsock:", PARTY_EADDRESS},
        {"vsock:**:1", PARTY_EADDRESS},
        {"vsock:2:1024x", PARTY_EADDRESS},
        {"vsock::1", PARTY_EADDRESS},
        {"packet::0x800", PARTY_EADDRESS},
        {"packet:*", PARTY_EADDRESS},
        {"packet:*:", PARTY_EADDRESS},
        {"packet:*:0x10000", PARTY_EADDRESS},
        {"packet:*:0x800:", PARTY_EADDRESS},
        {"packet:*:0x800:1", PARTY_EADDRESS},
        {"packet:*:0x800:001", PARTY_EADDRESS},
        {"packet:*:0x800:00:11:22:33:44:55:66:77:88", PARTY_EADDRESS},
        {"packet:no-such-if:0x800", -ENODEV},
        {"packet:2147483648:0x800", -ENODEV},
        {"packet:4294967295:0x800", -ENODEV},
        {"packet:a-name-that-is-too-long:0x800", -ENODEV},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct party_address address = {.len = 1};
        int r = party_address_parse(cases[i].text, &address);
        if (r != cases[i].wanted) {
            print_error("%s: %d\n", cases[i].text, r);
        }
        assert_int_equal(r, cases[i].wanted);
        assert_int_equal(address.len, 1);
    }
}

static void test_loopback_is_written_by_its_name(void **state)
{
    (void)state;
    struct party_address address;
    struct party_address_packet packet = {0};
    assert_int_equal(party_address_parse("packet:lo:3", &address), 0);
    assert_int_equal(party_address_get_packet(&address, &packet), 0);
    assert_true(packet.interface > 0);
    assert_written(&address, "packet:lo:0x0003");
    assert_read_back(&address);
}

/* A socket of a family that may need rights, or be missing: NULL then, and the test says so. */
static struct party_sock *rare_sock(int family, int type, int proto)
{
    struct party_sock *sock = NULL;
    int r = party_sock_socket(family, type, proto, &sock);
    if (r < 0) {
        print_message("# family %d: %s: not looked at\n", family, party_strerror(r));
        return NULL;
    }
    return sock;
}

static void test_packets_of_the_loopback_have_an_address(void **state)
{
    (void)state;
    struct party_sock *sock = rare_sock(AF_PACKET, SOCK_DGRAM, 0);
    if (sock == NULL) {
        return;
    }
    struct party_address address;
    struct party_address_packet packet = {0};
    assert_int_equal(party_address_parse("packet:lo:0x0800", &address), 0);
    assert_int_equal(party_sock_bind(sock, &address), 0);
    assert_int_equal(party_sock_getsockname(sock, &address), 0);
    assert_int_equal(party_address_get_packet(&address, &packet), 0);
    assert_int_equal(packet.protocol, ETH_P_IP);
    assert_int_equal(packet.hardware, ARPHRD_LOOPBACK);
    assert_int_equal(packet.addr_len, 6);
    assert_written(&address, "packet:lo:0x0800:00:00:00:00:00:00");
    party_sock_close(sock);
}

static void test_vsock_is_bound_to_a_port_of_the_kernels(void **state)
{
    (void)state;
    struct party_sock *sock = rare_sock(AF_VSOCK, SOCK_STREAM, 0);
    if (sock == NULL) {
        return;
    }
    struct party_address address;
    uint32_t cid = 0;
    uint32_t port = 0;
    party_address_vsock(VMADDR_CID_ANY, VMADDR_PORT_ANY, &address);
    assert_int_equal(party_sock_bind(sock, &address), 0);
    assert_int_equal(party_sock_getsockname(sock, &address), 0);
    assert_int_equal(party_address_get_vsock(&address, &cid, &port), 0);
    assert_int_not_equal(port, VMADDR_PORT_ANY);
    assert_read_back(&address);
    party_sock_close(sock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inet_has_its_parts),
        cmocka_unit_test(test_inet6_has_its_scope_and_flow),
        cmocka_unit_test(test_unix_names_are_paths_abstract_or_left_to_the_kernel),
        cmocka_unit_test(test_unix_names_that_do_not_fit_are_refused),
        cmocka_unit_test(test_autobind_gives_an_abstract_name),
        cmocka_unit_test(test_netlink_is_what_the_kernel_gives),
        cmocka_unit_test(test_packet_has_its_parts),
        cmocka_unit_test(test_packet_of_the_kernel_never_reads_beyond_its_length),
        cmocka_unit_test(test_vsock_has_its_parts),
        cmocka_unit_test(test_can_has_an_address_for_each_protocol),
        cmocka_unit_test(test_alg_has_its_names),
        cmocka_unit_test(test_qipcrtr_has_its_parts),
        cmocka_unit_test(test_tipc_has_its_kinds),
        cmocka_unit_test(test_bluetooth_has_an_address_for_each_protocol),
        cmocka_unit_test(test_bdaddr_refuses_what_is_none),
        cmocka_unit_test(test_parts_of_another_or_a_short_address_are_refused),
        cmocka_unit_test(test_written_forms_that_are_wrong_are_refused),
        cmocka_unit_test(test_packets_of_the_loopback_have_an_address),
        cmocka_unit_test(test_vsock_is_bound_to_a_port_of_the_kernels),
        cmocka_unit_test(test_loopback_is_written_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
