/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How users read enumerations, addresses, times and wait statuses. Names are static strings,
 * "unknown" for a value that has none; texts go to the caller's buffer and are cut to fit.
 * Pure; any thread.
 */
#ifndef BH_CTL_NAMES_H
#define BH_CTL_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

const char *bh_ctl_oper_name(unsigned int oper);	 /* enum bh_oper */
const char *bh_ctl_proto_name(unsigned int proto);	 /* enum bh_route_proto */
const char *bh_ctl_nh_type_name(unsigned int type);	 /* enum bh_nh_type; "unicast": a group */
const char *bh_ctl_proc_state_name(unsigned int state);
const char *bh_ctl_proc_how_name(unsigned int how);	 /* enum bh_proc_state */
const char *bh_ctl_conn_state_name(unsigned int state);	 /* enum bh_conn_state */
const char *bh_ctl_addr_state_name(unsigned int state);	 /* enum bh_addr_state */
const char *bh_ctl_nud_state_name(unsigned int state);	 /* enum bh_nud_state */
const char *bh_ctl_tcp_state_name(unsigned int state);	 /* struct bh_sock; as RFC 4022 */
const char *bh_ctl_udp_state_name(unsigned int state);
const char *bh_ctl_fpm_state_name(unsigned int state);	 /* enum bh_fpm_conn_state */
/* Of a route: the protocol, of zebra's the daemon. */
const char *bh_ctl_route_proto_name(unsigned int proto, unsigned int sub);
const char *bh_ctl_service_name(unsigned int service);	 /* enum bh_service_id */

/* "none" (-1), "exit status 1", "killed by signal 9 (Killed)". */
const char *bh_ctl_exit_text(int32_t status, char *buf, size_t len);

/* "45s", "3m 20s", "2h 5m", "4d 6h". */
const char *bh_ctl_duration_text(uint64_t seconds, char *buf, size_t len);

/* JSON strings: of at most `max` bytes of text (bytes that are not UTF-8 become '?'), of a
 * MAC address, of an address (JSON null: no such family), of an address with its length. */
json_t *bh_ctl_json_text(const char *text, size_t max);
json_t *bh_ctl_json_mac(const uint8_t mac[6]);
json_t *bh_ctl_json_addr(uint8_t family, const void *addr);
json_t *bh_ctl_json_prefix(uint8_t family, const void *addr, uint8_t plen);

#endif
