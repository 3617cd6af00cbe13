/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: what the kernel itself needs for the bench's workloads: the cheapest message sequences known for the same
 * end state, sent by a program that checks, reads back and keeps nothing. bench.py says what is compared with what.
 *
 *   floor up N
 *       bond0 of d0 and d1 (which are there, and down), N VLANs on it, each the port of a bridge with an address
 *   floor down N
 *       deletes the VLANs and bridges, CHUNK links to a message, so that nobody waits long for the lock
 *   floor dump
 *       reads all links, bridge VLANs, addresses and routes, and throws them away
 *   floor stall
 *       asks for the rtnl lock again and again until SIGTERM; prints the longest wait in ms, and what 99 of 100 waits
 *       were shorter than
 *   floor taps S RATE
 *       makes RATE taps a second (or as many as the machine can), each gone at once; prints how many
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

/* ifindexes of our own choice: whole stacks can be sent without asking what anything became. */
#define BOND 100000u
#define BRIDGE(i) (200000u + (i))
#define VLAN(i) (300000u + (i))

/*
 * Links to a message, at most. Each costs an RCU grace period of about 20 ms with the lock held (net/bridge/br_vlan.c),
 * and the message another one without it (net/core/dev.c, netdev_run_todo), so two processes take turns. Nobody is to
 * wait for the lock for more than a quarter of a second, the rest of one message and the whole of another: a message
 * takes no more links than the one before it got through in LIMIT_NSEC.
 */
#define CHUNK 4
#define LIMIT_NSEC 75000000ull
#define REMOVERS 2
#define GROUP 0x666c6f6fu

/* linux/if_bonding.h does not go with net/if.h. */
#define ACTIVE_BACKUP 1

#define BATCH_BYTES 65536
#define MESSAGE_MAX 512

static struct mnl_socket *sock;
static uint32_t batch_buffer[BATCH_BYTES / 4];
static size_t batch_len;
static volatile sig_atomic_t stopped;

static void open_socket(void)
{
	sock = mnl_socket_open(NETLINK_ROUTE);
	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "rtnetlink");
}

/* Only errors are answered, but for the message that asks for an acknowledgement. */
static void take_answers(void)
{
	static uint32_t buffer[16384];
	ssize_t n;

	while ((n = recv(mnl_socket_get_fd(sock), buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)buffer;

		for (int left = (int)n; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);

			if (m->nlmsg_type == NLMSG_ERROR && e->error)
				errx(1, "message of type %u: %s", e->msg.nlmsg_type, strerror(-e->error));
		}
	}
}

static void flush(void)
{
	if (batch_len && mnl_socket_sendto(sock, batch_buffer, batch_len) < 0)
		err(1, "send");
	batch_len = 0;
	take_answers();
}

static void *begin(uint16_t type, uint16_t flags, size_t header, struct nlmsghdr **m)
{
	if (batch_len + MESSAGE_MAX > sizeof(batch_buffer))
		flush();
	*m = mnl_nlmsg_put_header((char *)batch_buffer + batch_len);
	(*m)->nlmsg_type = type;
	(*m)->nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(*m, header);
}

static void end(const struct nlmsghdr *m)
{
	batch_len += MNL_ALIGN(m->nlmsg_len);
}

static struct nlmsghdr *link_message(uint16_t type, uint16_t flags, uint32_t index, bool up)
{
	struct nlmsghdr *m;
	struct ifinfomsg *ifi = begin(type, flags, sizeof(*ifi), &m);

	ifi->ifi_index = (int)index;
	ifi->ifi_change = up ? IFF_UP : 0;
	ifi->ifi_flags = up ? IFF_UP : 0;
	return m;
}

static void set_up(uint32_t index)
{
	end(link_message(RTM_NEWLINK, 0, index, true));
}

static void set_u32(uint32_t index, uint16_t attribute, uint32_t value)
{
	struct nlmsghdr *m = link_message(RTM_NEWLINK, 0, index, false);

	mnl_attr_put_u32(m, attribute, value);
	end(m);
}

/* Before it goes up: what is made and taken away again costs most. */
static void no_link_local(uint32_t index)
{
	struct nlmsghdr *m = link_message(RTM_NEWLINK, 0, index, false);
	struct nlattr *spec = mnl_attr_nest_start(m, IFLA_AF_SPEC), *inet6 = mnl_attr_nest_start(m, AF_INET6);

	mnl_attr_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(m, inet6);
	mnl_attr_nest_end(m, spec);
	end(m);
}

static struct nlmsghdr *create(uint32_t index, const char *format, unsigned i)
{
	struct nlmsghdr *m = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, index, false);
	char name[IF_NAMESIZE];

	snprintf(name, sizeof(name), format, i & 0xfff); /* no VLAN id is longer */
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	return m;
}

/* With its ports' address from the start, as the other tools have it: udev gives one of its own to a link without. */
static void create_bond(const uint8_t address[6])
{
	struct nlmsghdr *m = create(BOND, "bond%u", 0);
	struct nlattr *info, *data;

	mnl_attr_put(m, IFLA_ADDRESS, 6, address);
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "bond");
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	mnl_attr_put_u8(m, IFLA_BOND_MODE, ACTIVE_BACKUP);
	mnl_attr_put_u32(m, IFLA_BOND_MIIMON, 100);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	end(m);
}

static void create_bridge(unsigned i, const uint8_t address[6])
{
	struct nlmsghdr *m = create(BRIDGE(i), "br%u", i);
	struct nlattr *info;

	mnl_attr_put(m, IFLA_ADDRESS, 6, address);
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(m, info);
	end(m);
}

/* Attached as it is made, and down: flags of the same message would be applied before the master. */
static void create_vlan(unsigned i)
{
	struct nlmsghdr *m = create(VLAN(i), "bond0.%u", i);
	struct nlattr *info, *data;

	mnl_attr_put_u32(m, IFLA_LINK, BOND);
	mnl_attr_put_u32(m, IFLA_MASTER, BRIDGE(i));
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	mnl_attr_put_u16(m, IFLA_VLAN_ID, (uint16_t)i);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	end(m);
}

/* 10.HIGH.LOW.1/24, as the bench's other files have it. */
static void add_address(unsigned i)
{
	uint32_t address = htonl(10u << 24 | i << 8 | 1);
	struct nlmsghdr *m;
	struct ifaddrmsg *ifa = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*ifa), &m);

	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 24;
	ifa->ifa_index = BRIDGE(i);
	mnl_attr_put_u32(m, IFA_LOCAL, address);
	mnl_attr_put_u32(m, IFA_ADDRESS, address);
	end(m);
}

static void bring_up(unsigned n)
{
	const uint32_t ports[] = {if_nametoindex("d0"), if_nametoindex("d1")};
	struct ifreq request = {.ifr_name = "d0"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!ports[0] || !ports[1])
		errx(1, "d0 and d1 are not there");
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		err(1, "the address of d0");
	close(fd);
	create_bond((const uint8_t *)request.ifr_hwaddr.sa_data);
	for (unsigned i = 1; i <= n; i++)
		create_bridge(i, (const uint8_t *)request.ifr_hwaddr.sa_data);
	for (unsigned i = 0; i < 2; i++) {
		no_link_local(ports[i]);
		set_u32(ports[i], IFLA_MASTER, BOND);
	}
	for (unsigned i = 1; i <= n; i++)
		create_vlan(i);
	for (unsigned i = 1; i <= n; i++)
		no_link_local(VLAN(i));
	set_up(BOND);
	/* Before the bridges go up, which look for an address to speak with at once, on every link if need be. */
	for (unsigned i = 1; i <= n; i++)
		add_address(i);
	for (unsigned i = 1; i <= n; i++)
		set_up(BRIDGE(i));
	for (unsigned i = 1; i <= n; i++)
		set_up(VLAN(i));
	flush();
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t index_of(const char *format, unsigned i)
{
	char name[IF_NAMESIZE];

	snprintf(name, sizeof(name), format, i & 0xfff); /* no VLAN id is longer */
	return if_nametoindex(name);
}

/* One message deletes a group; it leaves the lock only at its end. */
static void delete_group(uint32_t group)
{
	struct nlmsghdr *m = link_message(RTM_DELLINK, 0, 0, false);

	mnl_attr_put_u32(m, IFLA_GROUP, group);
	end(m);
	flush();
}

/* What the removers share. */
struct progress {
	_Atomic unsigned next;	    /* link to be removed: 0 the first VLAN, 1 the first bridge, 2 the next VLAN */
	_Atomic uint64_t last_gone; /* when the last message came back, ns */
};

static void remove_links(struct progress *p, unsigned links, uint32_t group)
{
	uint64_t begun, gone, took;
	unsigned size = CHUNK, first;

	open_socket();
	while ((first = atomic_fetch_add(&p->next, size)) < links) {
		unsigned end = first + size < links ? first + size : links;

		for (unsigned i = first; i < end; i++)
			set_u32(index_of(i % 2 ? "br%u" : "bond0.%u", i / 2 + 1), IFLA_GROUP, group);
		begun = now_ns();
		delete_group(group);
		gone = now_ns();
		/* Until the other one's came back it waited for that. */
		took = gone - (begun > p->last_gone ? begun : p->last_gone);
		p->last_gone = gone;
		for (size = CHUNK; size > 1 && took * size > LIMIT_NSEC * (end - first);)
			size--;
	}
}

static void take_down(unsigned n)
{
	struct progress *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	if (p == MAP_FAILED)
		err(1, "mmap");
	for (unsigned remover = 0; remover < REMOVERS; remover++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid == 0) {
			remove_links(p, 2 * n, GROUP + remover);
			exit(0);
		}
	}
	while (wait(&status) > 0)
		if (status)
			exit(1);
	end(link_message(RTM_DELLINK, 0, index_of("bond%u", 0), false));
	flush();
}

static void dump(uint16_t type, uint8_t family, size_t header, uint32_t mask)
{
	static uint32_t buffer[16384];
	struct nlmsghdr *m;
	struct rtgenmsg *g = begin(type, NLM_F_DUMP, header, &m);
	ssize_t n;

	g->rtgen_family = family;
	if (mask)
		mnl_attr_put_u32(m, IFLA_EXT_MASK, mask);
	if (mnl_socket_sendto(sock, m, m->nlmsg_len) < 0)
		err(1, "send");
	while ((n = mnl_socket_recvfrom(sock, buffer, sizeof(buffer))) > 0) {
		m = (struct nlmsghdr *)buffer;
		for (int left = (int)n; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			if (m->nlmsg_type == NLMSG_DONE)
				return;
	}
	err(1, "dump of type %u", type);
}

static void dump_all(void)
{
	dump(RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), RTEXT_FILTER_SKIP_STATS);
	dump(RTM_GETLINK, AF_BRIDGE, sizeof(struct ifinfomsg), RTEXT_FILTER_BRVLAN_COMPRESSED);
	dump(RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg), 0);
	dump(RTM_GETROUTE, AF_INET, sizeof(struct rtmsg), 0);
	dump(RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg), 0);
}

static double now_ms(void)
{
	return (double)now_ns() / 1e6;
}

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* A change of lo that says nothing: it takes the lock and lets go of it. */
static void measure_stall(void)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	static unsigned waits[10000]; /* by their whole ms */
	unsigned n = 0, below = 0, ms = 0;
	double longest = 0;

	signal(SIGTERM, stop);
	while (!stopped) {
		double from = now_ms(), took;

		end(link_message(RTM_NEWLINK, 0, 1, false));
		flush();
		took = now_ms() - from;
		longest = took > longest ? took : longest;
		waits[took < 9999 ? (unsigned)took : 9999]++;
		n++;
		nanosleep(&pause, NULL);
	}
	while (ms < 9999 && (below += waits[ms]) * 100ull < n * 99ull)
		ms++;
	printf("%.1f %u\n", longest, ms + 1);
}

/* A tap as QEMU has it: there while the descriptor is open. */
static void come_and_go(unsigned i)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "vnet%u", i % 100000);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		err(1, "a tap");
	close(fd);
}

/* One process would do nothing but wait for the end of RCU grace periods. */
#define TAP_MAKERS 16

static void make_taps(unsigned seconds, unsigned rate)
{
	double begin = now_ms();
	unsigned *made =
		mmap(NULL, TAP_MAKERS * sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned maker = 0, total = 0;

	if (made == MAP_FAILED)
		err(1, "memory");
	while (maker < TAP_MAKERS && fork() != 0)
		maker++;
	while (maker < TAP_MAKERS && now_ms() < begin + seconds * 1e3) {
		double early = begin + made[maker] * TAP_MAKERS * 1e3 / rate - now_ms();
		struct timespec pause = {.tv_nsec = early > 900 ? 900000000 : (long)(early * 1e6)};

		if (early > 0)
			nanosleep(&pause, NULL);
		else
			come_and_go(made[maker]++ * TAP_MAKERS + maker);
	}
	if (maker < TAP_MAKERS)
		exit(0);
	while (wait(NULL) > 0)
		;
	for (unsigned i = 0; i < TAP_MAKERS; i++)
		total += made[i];
	printf("%u\n", total);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 0;

	open_socket();
	if (strcmp(what, "up") == 0 && n)
		bring_up(n);
	else if (strcmp(what, "down") == 0 && n)
		take_down(n);
	else if (strcmp(what, "dump") == 0)
		dump_all();
	else if (strcmp(what, "stall") == 0)
		measure_stall();
	else if (strcmp(what, "taps") == 0 && n && argc > 3 && atoi(argv[3]) > 0)
		make_taps(n, (unsigned)atoi(argv[3]));
	else
		errx(64, "usage: floor up N | down N | dump | stall | taps SECONDS RATE");
	return 0;
}
