/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Well-formedness of keys and values that came from outside: what the rows of the schema
 * point to. Pure functions of bytes of the row's length, at any alignment.
 */
#ifndef BH_INFOBASE_SCHEMA_CHECK_H
#define BH_INFOBASE_SCHEMA_CHECK_H

#include <stdbool.h>
#include <stdint.h>

bool bh_key_ifname(const void *key);
bool bh_key_name_addr(const void *key); /* cfg_address, cfg_neighbor */
bool bh_key_prefix4(const void *key);	/* route4, cfg_route4 */
bool bh_key_prefix6(const void *key);
bool bh_key_ifindex(const void *key);
bool bh_key_if_addr(const void *key);
bool bh_key_nexthop(const void *key);
bool bh_key_cfg_ra_prefix(const void *key);
bool bh_key_sock(const void *key);
bool bh_key_name32(const void *key);

bool bh_val_cfg_interface(const void *val, uint16_t len);
bool bh_val_cfg_address(const void *val, uint16_t len);
bool bh_val_cfg_route(const void *val, uint16_t len);
bool bh_val_cfg_ra(const void *val, uint16_t len);
bool bh_val_cfg_ra_prefix(const void *val, uint16_t len);
bool bh_val_cfg_snmp(const void *val, uint16_t len);
bool bh_val_cfg_fpm(const void *val, uint16_t len);
bool bh_val_fpm_status(const void *val, uint16_t len);
bool bh_val_fpm_route(const void *val, uint16_t len);
bool bh_val_address(const void *val, uint16_t len);
bool bh_val_route(const void *val, uint16_t len);
bool bh_val_process(const void *val, uint16_t len);

#endif
