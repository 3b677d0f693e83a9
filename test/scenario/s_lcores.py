# SPDX-License-Identifier: BSD-3-Clause
"""A plan of its own: two forwarding lcores, two control proxies, two workers, queues shared."""
from bhtest import verify
from bhtest.bed import Bed, base_config, flow, host4, host6, host_mac, port_mac

ROLES = ["main", "control-proxy", "control-proxy", "service-proxy", "infobase", "worker",
         "worker", "forwarding", "forwarding"]
PLAN = {
    "lcores": {"lcore": [{"id": n, "cpu": 1 if role == "forwarding" else 0, "role": role}
                         for n, role in enumerate(ROLES)]},
    "tables": {"group": [{"name": "link", "lcore": 5}, {"name": "misc", "lcore": 6},
                         {"name": "route4", "lcore": 6}, {"name": "route6", "lcore": 6}]},
}
COUNT = 500


def open_bed(t):
    """Four ports with one send queue each, so that lcores hand packets to each other."""
    config = base_config(t.workdir, 4, plan=PLAN, tx_queues=1, rx_queues=1)
    for port in range(4):
        config.route(f"20.{port}.0.0/16", host4(port))
        config.route(f"2001:db8:a{port}::/48", host6(port))
    return Bed(t, config)


def test_every_port_to_every_other(t, bed):
    """Each port sends to each: packets cross from either lcore to either, untouched."""
    for source in range(4):
        targets = [port for port in range(4) if port != source]
        frames = [flow(f"20.{targets[n % 3]}.0.{n // 3 % 250 + 1}" if n & 1 else
                       f"2001:db8:a{targets[n % 3]}::{n:x}", port=source, seq=n)
                  for n in range(COUNT)]
        got = bed.burst({source: frames}, COUNT)
        for target in targets:
            mine = [frame for n, frame in enumerate(frames) if targets[n % 3] == target]
            verify.check_all_forwarded(mine, got[target], port_mac(target), host_mac(target))


def test_both_lcores_forwarded(t, bed):
    """Ports are spread over the forwarding lcores; each handled packets."""
    rows = [row for row in bed.router.rows("lcores") if row["role"] == "forwarding"]
    handled = {row["lcore"]: row["handled"] for row in rows}
    t.say(f"packets by lcore: {handled}")
    assert len(handled) == 2 and all(handled.values()), handled


def test_both_proxies_take_contacts(t, bed):
    """First contacts come through either control proxy; tables have the workers of the plan."""
    proxies = {row["proxy-lcore"] for row in bed.router.rows("connections")}
    for _ in range(20):
        proxies |= {row["proxy-lcore"] for row in bed.router.rows("connections")}
    t.say(f"control proxies that took first contacts: {sorted(proxies)}")
    assert proxies == {1, 2}, proxies
    workers = {row["name"]: row["worker-lcore"] for row in bed.router.rows("tables")}
    assert workers["route4"] == workers["process"] == 6 and workers["nexthop"] == 5, workers
