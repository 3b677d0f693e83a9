/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "infobase/schema.h"
#include "lib/net/prefix.h"
#include "lib/net/zproto.h"
#include "lib/stats/stats.h"

#define NAME_OF(table, i) name_of(table, sizeof(table) / sizeof((table)[0]), i)

static const char *
name_of(const char *const *names, size_t n, unsigned int i)
{
	return i < n && names[i] != NULL ? names[i] : "unknown";
}

const char *
bh_ctl_oper_name(unsigned int oper)
{
	static const char *const names[] = {
		[BH_OPER_DOWN] = "down",
		[BH_OPER_UP] = "up",
		[BH_OPER_NOT_PRESENT] = "not-present",
	};

	return NAME_OF(names, oper);
}

const char *
bh_ctl_proto_name(unsigned int proto)
{
	static const char *const names[] = {
		[BH_RP_CONNECTED] = "connected",
		[BH_RP_LOCAL] = "local",
		[BH_RP_STATIC] = "static",
		[BH_RP_FPM] = "fpm",
	};

	return NAME_OF(names, proto);
}

const char *
bh_ctl_nh_type_name(unsigned int type)
{
	static const char *const names[] = {
		[BH_NH_GROUP] = "unicast",
		[BH_NH_ATTACHED] = "attached",
		[BH_NH_LOCAL] = "local",
		[BH_NH_BLACKHOLE] = "blackhole",
		[BH_NH_UNREACHABLE] = "unreachable",
		[BH_NH_PROHIBIT] = "prohibit",
	};

	return NAME_OF(names, type);
}

const char *
bh_ctl_proc_state_name(unsigned int state)
{
	static const char *const names[] = {
		[BH_PROC_STARTING] = "starting",
		[BH_PROC_READY] = "ready",
		[BH_PROC_EXITED] = "exited",
		[BH_PROC_HELD] = "held",
		[BH_PROC_STOPPED] = "stopped",
	};

	return NAME_OF(names, state);
}

const char *
bh_ctl_proc_how_name(unsigned int how)
{
	static const char *const names[] = {
		[BH_HOW_NONE] = "none",
		[BH_HOW_EXIT] = "exit",
		[BH_HOW_HANG] = "hang",
		[BH_HOW_STOP] = "stop",
		[BH_HOW_ORDER] = "order",
	};

	return NAME_OF(names, how);
}

const char *
bh_ctl_conn_state_name(unsigned int state)
{
	static const char *const names[] = {
		[BH_CONN_FREE] = "free",
		[BH_CONN_CONTACT] = "contact",
		[BH_CONN_DIRECT] = "direct",
		[BH_CONN_CLOSED] = "closed",
	};

	return NAME_OF(names, state);
}

const char *
bh_ctl_addr_state_name(unsigned int state)
{
	static const char *const names[] = {"tentative", "preferred", "duplicate"};

	return NAME_OF(names, state);
}

/* Numbers of Linux (include/net/tcp_states.h), names of RFC 4022. */
const char *
bh_ctl_tcp_state_name(unsigned int state)
{
	static const char *const names[] = {
		[1] = "established", [2] = "synSent", [3] = "synReceived", [4] = "finWait1",
		[5] = "finWait2", [6] = "timeWait", [7] = "closed", [8] = "closeWait",
		[9] = "lastAck", [10] = "listen", [11] = "closing", [12] = "synReceived",
	};

	return NAME_OF(names, state);
}

const char *
bh_ctl_udp_state_name(unsigned int state)
{
	return state == 1 ? "connected" : state == 7 ? "open" : "unknown";
}

const char *
bh_ctl_nud_state_name(unsigned int state)
{
	static const char *const names[] = {
		[BH_NUD_INCOMPLETE] = "incomplete",
		[BH_NUD_REACHABLE] = "reachable",
		[BH_NUD_STALE] = "stale",
		[BH_NUD_DELAY] = "delay",
		[BH_NUD_PROBE] = "probe",
	};

	return NAME_OF(names, state);
}

const char *
bh_ctl_fpm_state_name(unsigned int state)
{
	static const char *const names[] = {
		[BH_FPM_FAILED] = "failed",
		[BH_FPM_LISTENING] = "listening",
		[BH_FPM_REPLAYING] = "replaying",
		[BH_FPM_CONNECTED] = "connected",
	};

	return NAME_OF(names, state);
}

const char *
bh_ctl_route_proto_name(unsigned int proto, unsigned int sub)
{
	const char *daemon = proto == BH_RP_FPM ? bh_zproto_name((uint8_t)sub) : NULL;

	return daemon != NULL ? daemon : bh_ctl_proto_name(proto);
}

const char *
bh_ctl_service_name(unsigned int service)
{
	static const char *const names[] = {
		[BH_SERVICE_INFOBASE] = "infobase",
		[BH_SERVICE_ECHO] = "echo",
		[BH_SERVICE_PACKET] = "packet",
	};

	return NAME_OF(names, service);
}

const char *
bh_ctl_exit_text(int32_t status, char *buf, size_t len)
{
	if (status == BH_EXIT_NONE)
		snprintf(buf, len, "none");
	else if (status == BH_EXIT_UNTOLD)
		snprintf(buf, len, "not told");
	else if (WIFEXITED(status))
		snprintf(buf, len, "exit status %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		snprintf(buf, len, "killed by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(buf, len, "wait status 0x%x", (unsigned int)status);
	return buf;
}

const char *
bh_ctl_duration_text(uint64_t s, char *buf, size_t len)
{
	if (s < 60)
		snprintf(buf, len, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(buf, len, "%" PRIu64 "m %" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, len, "%" PRIu64 "h %" PRIu64 "m", s / 3600, s % 3600 / 60);
	else
		snprintf(buf, len, "%" PRIu64 "d %" PRIu64 "h", s / 86400, s % 86400 / 3600);
	return buf;
}

json_t *
bh_ctl_json_text(const char *text, size_t max)
{
	size_t n = strnlen(text, max);
	json_t *v = json_stringn(text, n);
	char plain[512];

	if (v != NULL)
		return v;
	if (n > sizeof(plain))
		n = sizeof(plain);
	for (size_t i = 0; i < n; i++)
		plain[i] = text[i] & 0x80 ? '?' : text[i];
	return json_stringn(plain, n);
}

json_t *
bh_ctl_json_mac(const uint8_t mac[6])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
}

json_t *
bh_ctl_json_addr(uint8_t family, const void *addr)
{
	char buf[BH_ADDR_STRLEN];

	return bh_addr_format(family, addr, buf, sizeof(buf)) == NULL ? json_null()
								       : json_string(buf);
}

json_t *
bh_ctl_json_prefix(uint8_t family, const void *addr, uint8_t plen)
{
	char buf[BH_PREFIX_STRLEN];
	struct bh_prefix p;

	if (bh_prefix_make(&p, family, addr, plen) < 0 ||
		bh_prefix_format(&p, buf, sizeof(buf)) == NULL)
		return json_null();
	return json_string(buf);
}
