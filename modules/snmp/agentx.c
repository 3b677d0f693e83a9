/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/snmp/agentx.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/ds_agent.h>
#include <net-snmp/library/snmp_transport.h>

#include "lib/log/log.h"
#include "lib/net/sockaddr.h"

#define AREA "agentx"
#define CONNECT_MS 50	    /* a master on this machine takes the connection at once */
#define CONNECT_MAX_MS 10000 /* another one may take so long */
#define ROOM_MS 1000	    /* a master that reads nothing for so long is given up */

static struct {
	char address[112];
	int fd;	     /* connected, and the library's; -1 */
	int pending; /* being connected; -1 */
	uint64_t pending_since, turn_since; /* ms */
	struct bh_agentx_counts counts;
} ax = {.fd = -1, .pending = -1};

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the stream ---- */

/* How often the library tries to connect, or else pings. */
static void
set_interval(int s)
{
	netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, s);
}

static int
ax_recv(netsnmp_transport *t, void *buf, int size, void **opaque, int *olength)
{
	ssize_t n;

	do
		n = recv(t->sock, buf, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	*opaque = NULL;
	*olength = 0;
	if (n > 0)
		ax.counts.duplicates += bh_agentx_duplicates(buf, n);
	else
		set_interval(BH_AGENTX_AGAIN_S); /* the library takes this for the end */
	return (int)n;
}

/* All of it, or the connection is of no more use. */
static bool
send_all(int fd, const uint8_t *p, size_t left)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};

	while (left > 0) {
		ssize_t n = send(fd, p, left, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			p += n;
			left -= n;
		} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
			return false;
		} else if (poll(&room, 1, ROOM_MS) == 0) {
			return false;
		}
	}
	return true;
}

static int
ax_send(netsnmp_transport *t, const void *buf, int size, void **opaque, int *olength)
{
	(void)opaque;
	(void)olength;
	if (now_ms() - ax.turn_since <= BH_AGENTX_PATIENCE_MS && send_all(t->sock, buf, size))
		return size;
	/* What was given up, a registration perhaps, nobody makes good: a new connection does. */
	shutdown(t->sock, SHUT_RDWR);
	errno = ETIMEDOUT;
	return -1;
}

static int
ax_close(netsnmp_transport *t)
{
	if (t->sock < 0)
		return -1;
	close(t->sock);
	t->sock = ax.fd = -1;
	ax.counts.ended++;
	set_interval(BH_AGENTX_AGAIN_S);
	return 0;
}

static char *
ax_format(netsnmp_transport *t, const void *data, int len)
{
	(void)t;
	(void)data;
	(void)len;
	return strdup(ax.address);
}

/* ---- connections ---- */

static void
forget_pending(void)
{
	if (ax.pending >= 0)
		close(ax.pending);
	ax.pending = -1;
}

static void
begin_connect(void)
{
	struct sockaddr_storage to;
	socklen_t len;

	if (bh_sockaddr_parse(ax.address, &to, &len) < 0)
		return;
	ax.pending = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ax.pending_since = now_ms();
	if (ax.pending >= 0 && connect(ax.pending, (struct sockaddr *)&to, len) < 0 &&
		errno != EINPROGRESS) {
		bh_debug(AREA, "%s: %s", ax.address, strerror(errno));
		forget_pending();
	}
}

/* Whether the pending connection has come about. */
static bool
is_connected(void)
{
	struct pollfd p = {.fd = ax.pending, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);

	if (poll(&p, 1, CONNECT_MS) <= 0) {
		if (now_ms() - ax.pending_since > CONNECT_MAX_MS)
			forget_pending();
		return false;
	}
	if (getsockopt(ax.pending, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0)
		return true;
	bh_debug(AREA, "%s: %s", ax.address, strerror(error));
	forget_pending();
	return false;
}

static const oid ax_domain[] = {1, 3, 6, 1, 4, 1, 8072, 3, 3, 1}; /* as its own local one */

static netsnmp_transport *
make_transport(void)
{
	netsnmp_transport *t = SNMP_MALLOC_TYPEDEF(netsnmp_transport);

	if (t == NULL)
		return NULL;
	t->domain = ax_domain;
	t->domain_length = OID_LENGTH(ax_domain);
	t->sock = ax.fd = ax.pending;
	ax.pending = -1;
	t->flags = NETSNMP_TRANSPORT_FLAG_STREAM;
	t->msgMaxSize = SNMP_MAX_PACKET_LEN;
	t->f_recv = ax_recv;
	t->f_send = ax_send;
	t->f_close = ax_close;
	t->f_fmtaddr = ax_format;
	return t;
}

/* What the library calls to connect: never waits; NULL means another try in a second. */
static netsnmp_transport *
ax_create(const char *target, int local, const char *default_target)
{
	(void)target;
	(void)local;
	(void)default_target;
	if (ax.address[0] == '\0' || ax.fd >= 0)
		return NULL;
	if (ax.pending < 0)
		begin_connect();
	if (ax.pending < 0 || !is_connected())
		return NULL;
	ax.counts.connected++;
	set_interval(BH_AGENTX_PING_S);
	return make_transport();
}

int
bh_agentx_init(void)
{
	static netsnmp_tdomain domain = {
		.name = ax_domain,
		.name_length = OID_LENGTH(ax_domain),
		.f_create_from_tstring_new = ax_create,
	};

	domain.prefix = calloc(2, sizeof(*domain.prefix)); /* the library frees it in the end */
	if (domain.prefix == NULL)
		return -ENOMEM;
	domain.prefix[0] = "bulkhead";
	netsnmp_tdomain_register(&domain);
	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, BH_AGENTX_SPEC);
	set_interval(BH_AGENTX_AGAIN_S);
	return 0;
}

void
bh_agentx_address(const char *address)
{
	struct sockaddr_storage to;
	socklen_t len;

	if (strcmp(address, ax.address) == 0)
		return;
	if (address[0] != '\0' && bh_sockaddr_parse(address, &to, &len) < 0) {
		bh_err(AREA, "%s is no address of a master agent", address);
		address = "";
	}
	snprintf(ax.address, sizeof(ax.address), "%s", address);
	forget_pending();
	bh_agentx_reset();
}

void
bh_agentx_reset(void)
{
	if (ax.fd >= 0)
		shutdown(ax.fd, SHUT_RDWR);
}

void
bh_agentx_turn(void)
{
	ax.turn_since = now_ms();
}

int
bh_agentx_fd(void)
{
	return ax.fd;
}

const struct bh_agentx_counts *
bh_agentx_counts(void)
{
	return &ax.counts;
}
