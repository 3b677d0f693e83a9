# SPDX-License-Identifier: BSD-3-Clause
"""A manager looks at the router through snmpd: what it sees is what bhctl says.

The router and snmpd run in one namespace, the box; port pn of the router, n 0 or 1, is behind a
veth into another. Objects are named by their numbers.
"""
import calendar
import os
import re
import signal
import socket
import struct
import time

from bhtest.process import Child, run, until
from bhtest.router import program
from bhtest.snmp import AGENT
from bhtest.traffic import Link, Traffic
from bhtest.watched import BULKHEAD, IFX_TABLE, Watched, at_rest

LIMITS = {"test_master_comes_and_goes": 300, "test_dead_modules": 300, "test_bad_input": 300}
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
IF_TABLE = "1.3.6.1.2.1.2.2"
TCP_CONNECTIONS, TCP_LISTENERS = "1.3.6.1.2.1.6.19", "1.3.6.1.2.1.6.20"
UDP_ENDPOINTS = "1.3.6.1.2.1.7.7"
MODULES, TABLES, LCORES, DROPS = (f"{BULKHEAD}.1.{n}" for n in (2, 3, 4, 5))
OPER = {"up": 1, "down": 2, "not-present": 6}
TCP_STATES = {"closed": 1, "listen": 2, "syn-sent": 3, "syn-received": 4, "established": 5,
              "fin-wait-1": 6, "fin-wait-2": 7, "close-wait": 8, "last-ack": 9, "closing": 10,
              "time-wait": 11}
STATES = {"starting": 1, "ready": 2, "exited": 3, "held": 4, "stopped": 5}
TRAPS = {"linkDown": ".1.3.6.1.6.3.1.1.5.3", "linkUp": ".1.3.6.1.6.3.1.1.5.4",
         "moduleDown": f".{BULKHEAD}.0.1", "moduleUp": f".{BULKHEAD}.0.2"}
OPEN, REGISTER, PING, RESPONSE, DUPLICATE = 1, 3, 13, 18, 263
SOCKETS = """
import socket, sys, time
held = []
for family, here in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    server = socket.socket(family, socket.SOCK_STREAM)
    server.bind((here, 7001)), server.listen()
    client = socket.create_connection((here, 7001))
    talker = socket.socket(family, socket.SOCK_DGRAM)
    talker.bind((here, 7002)), talker.connect((here, 7003))
    held += [server, client, server.accept(), talker]
print("held", flush=True)
sys.stdin.readline()
"""


def date(octets):
    """DateAndTime as bhctl's seconds since the epoch."""
    year = octets[0] * 256 + octets[1]
    if not year:
        return 0
    return calendar.timegm((year, *octets[2:7]))


def check_interfaces(w):
    """ifTable and ifXTable, all columns."""
    def said():
        return w.router.rows("interfaces"), w.router.ctl("show", "counters", "-j")["devices"]
    (rows, devices), (one, more) = at_rest(
        said, lambda: (w.master.table(IF_TABLE), w.master.table(IFX_TABLE)))
    assert len(rows) == len(one) == len(more) == w.master.get("1.3.6.1.2.1.2.1.0")
    up = w.master.get("1.3.6.1.2.1.1.3.0")
    for row in rows:
        dev, count = devices[row["name"]], row["statistics"]
        low = {key: value % 2**32 for key, value in count.items()}
        mac = bytes.fromhex(row["mac"].replace(":", ""))
        mine = one[(row["ifindex"],)]
        ticks = mine.pop(9)
        assert mine == {1: row["ifindex"], 2: row["device"].encode(), 3: 6, 4: row["mtu"],
                        5: min(row["speed"] * 10**6, 2**32 - 1), 6: mac,
                        7: 1 if row["enabled"] else 2, 8: OPER[row["oper-status"]],
                        10: low["rx-bytes"], 11: low["rx-packets"],
                        13: dev["imissed"] + dev["rx_nombuf"], 14: dev["ierrors"],
                        16: low["tx-bytes"], 17: low["tx-packets"], 19: low["tx-drops"],
                        20: dev["oerrors"]}, (mine, row, dev)
        began = time.time() - up / 100
        assert abs(began + ticks / 100 - row["last-change"]) < 5, (ticks, up, row)
        extra = more[(row["ifindex"],)]
        assert 0 <= extra.pop(19) <= up
        alias = w.config.interfaces[row["name"]].get("description", "")
        assert extra == {1: row["name"].encode(), 6: count["rx-bytes"], 7: count["rx-packets"],
                         10: count["tx-bytes"], 11: count["tx-packets"], 14: 1,
                         15: row["speed"], 17: 2, 18: alias.encode()}, (extra, row)


def address_index(row, which):
    """InetAddressType and InetAddress of a socket as sub-identifiers."""
    text = row[f"{which}-address"]
    octets = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    if which == "remote" and not any(octets) and not row["remote-port"]:
        return (0, 0)
    return (2 if ":" in text else 1, len(octets), *octets)


def check_sockets(w):
    """tcpConnectionTable, tcpListenerTable, udpEndpointTable."""
    rows, (connections, listeners, endpoints) = at_rest(
        lambda: w.router.rows("sockets"),
        lambda: tuple(w.master.table(root)
                      for root in (TCP_CONNECTIONS, TCP_LISTENERS, UDP_ENDPOINTS)))
    wanted = {}, {}, {}
    for row in rows:
        local = (*address_index(row, "local"), row["local-port"] or 0)
        remote = (*address_index(row, "remote"), row["remote-port"] or 0)
        if row["protocol"] == "udp":
            wanted[2][(*local, *remote, row["kernel-ifindex"] + 1)] = {8: 0}
        elif row["state"] == "listen":
            wanted[1][local] = {4: 0}
        else:
            wanted[0][local + remote] = {7: TCP_STATES[row["state"]], 8: 0}
    for seen, said in zip((connections, listeners, endpoints), wanted):
        assert seen == said, [(index, seen.get(index), said.get(index))
                              for index in seen.keys() | said.keys()
                              if seen.get(index) != said.get(index)]
        assert said, "there is something in each of the three"


def check_modules(w):
    """bhModuleTable."""
    rows, table = at_rest(lambda: [{**row, "uptime-s": 0} for row in w.router.rows("processes")],
                          lambda: w.master.table(MODULES))
    assert len(rows) == len(table), (rows, table)
    for row in rows:
        mine = table[(len(row["name"]), *row["name"].encode())]
        status = re.match(r"exit status (\d+)", row["last-exit"])
        number = re.match(r"killed by signal (\d+)", row["last-exit"])
        by = ["-", "exit", "hang", "stop", "order"]
        assert date(mine.pop(10)) == row["started"], row
        ended = mine.pop(7)
        assert (ended == 1) == (row["last-exit"] == "none"), (ended, row)
        assert ended == 1 or by[ended - 1] in row["ended-by"], (ended, row)
        assert mine == {2: row["pid"], 3: STATES[row["state"]], 4: row["restarts"],
                        5: int(status.group(1)) if status else -1,
                        6: int(number.group(1)) if number else 0,
                        8: round((row["detection-ms"] or 0) * 1000),
                        9: round((row["recovery-ms"] or 0) * 1000),
                        11: 1 if row["adopted"] else 2}, (mine, row)


def check_tables(w):
    """bhTableTable, bhLcoreTable, bhDropTable."""
    names = {row["name"]: row for row in w.router.rows("tables")}
    kinds = {"config": 1, "state": 2, "interface": 3}
    before = {row["name"]: row for row in w.router.rows("tables")}
    seen = {row[2].decode(): row for row in w.master.table(TABLES).values()}
    after = {row["name"]: row for row in w.router.rows("tables")}
    assert seen.keys() == names.keys()
    for name, row in seen.items():
        said = before[name]
        assert (row[3], row[4], row[5], row[6], row[9]) == (
            said["owner"].encode(), kinds[said["kind"]], said["group"].encode(),
            said["worker-lcore"], 1 if said["complete"] else 2), (row, said)
        for column, field in {7: "records", 8: "stale", 10: "requests", 11: "refused",
                              12: "generation", 13: "swept", 14: "watchers"}.items():
            low, high = sorted((said[field], after[name][field]))
            assert low <= row[column] <= high, (name, field, row, said, after[name])
    before = {row["lcore"]: row for row in w.router.rows("lcores")}
    seen = w.master.table(LCORES)
    after = {row["lcore"]: row for row in w.router.rows("lcores")}
    assert {index[0] for index in seen} == before.keys()
    for (lcore,), row in seen.items():
        assert (row[2].decode(), row[3]) == (before[lcore]["role"], before[lcore]["cpu"])
        for column, field in enumerate(("turns", "busy", "handled", "sleeps", "wakes"), 4):
            assert before[lcore][field] <= row[column] <= after[lcore][field], (lcore, field)
    drops, seen = at_rest(w.router.drops, lambda: w.master.table(DROPS))
    assert {bytes(index[1:]).decode(): row[2] for index, row in seen.items()} == drops


def check_all(w):
    """Every MIB agrees with bhctl."""
    check_interfaces(w)
    check_sockets(w)
    check_modules(w)
    check_tables(w)


def test_values_agree(t):
    """All values of all MIBs, by snmpbulkwalk and, in the same order, by snmpwalk."""
    with Watched(t) as w:
        w.start()
        child = Child(["ip", "netns", "exec", w.box.name, "python3", "-c", SOCKETS])
        child.expect("held", 30)
        until(lambda: sum(row["local-port"] == 7001 for row in w.router.rows("sockets")) >= 4, 30,
              "the sockets of the test in the table", 0.2)
        check_all(w)
        for root in (IF_TABLE, IFX_TABLE, TCP_CONNECTIONS, UDP_ENDPOINTS, MODULES, TABLES, DROPS):
            names = list(w.master.walk(root))
            assert names == sorted(names) == list(w.master.walk(root, "snmpwalk")), root
        child.kill()
        w.healthy()


def test_names(t):
    """With BULKHEAD-MIB at hand a manager reads names: snmptable, snmptranslate."""
    folders = (os.path.join(ROOT, "test", "data", "smi"),
               os.path.join(ROOT, "modules", "snmp", "mibs"))
    with Watched(t) as w:
        w.start()
        w.master.env.update({"MIBDIRS": ":".join(folders), "MIBS": "BULKHEAD-MIB"})
        text = w.master.run("snmptable", "-Ci", "-CB", "-Cf", ";", AGENT,
                            "BULKHEAD-MIB::bhModuleTable").stdout
        lines = [line.split(";") for line in text.splitlines() if ";" in line]
        rows = [dict(zip(lines[0], line)) for line in lines[1:]]
        assert {(row["bhModulePid"], row["bhModuleState"]) for row in rows} == {
            (str(row["pid"]), row["state"]) for row in w.router.rows("processes")}, text


def test_upgrade(t):
    """A successor takes over what a predecessor has registered that lives until then."""
    with Watched(t) as w:
        w.start(traps=True)
        pid = w.router.module_pid("snmp")
        w.router.ctl("module", "upgrade", "snmp")
        until(lambda: w.router.process("snmp")["pid"] not in (0, pid) and
              w.router.process("snmp")["state"] == "ready", 60, "the successor", 0.1)
        w.registered()
        check_interfaces(w)
        assert not any(TRAPS[name] in w.master.trapd.text for name in TRAPS if "link" in name)
        w.router.ctl("module", "stop", "snmp")
        until(lambda: w.router.process("snmp")["state"] == "stopped", 30, "the module's end", 0.1)
        assert w.router.process("snmp")["last-exit"] == "exit status 0", w.router.process("snmp")
        until(lambda: not w.shown(), 10, "nothing of ours any more", 0.2)
        w.router.ctl("module", "start", "snmp")
        w.registered()


def index_of(module):
    """The index of a module in bhModuleTable, as text."""
    return ".".join(str(part) for part in (len(module), *module.encode()))


def trap(w, name, within, start=0, timeout=60):
    """Wait for a notification that says all of `within`; the text of it."""
    def line():
        for text in w.master.trapd.text[start:].splitlines():
            if TRAPS[name] in text and all(word in text for word in within):
                return text
        return None
    return until(line, timeout, f"{name} with {within}", 0.1)


def test_traps(t):
    """Port down and up, module death and return, of the module itself too; none twice."""
    with Watched(t) as w:
        w.start(traps=True)
        index = {row["name"]: row["ifindex"] for row in w.router.rows("interfaces")}["p1"]
        for enabled, name, status in ((False, "linkDown", 2), (True, "linkUp", 1)):
            w.config.interfaces["p1"]["enabled"] = enabled
            w.router.reload()
            trap(w, name, (f".1.3.6.1.2.1.2.2.1.1.{index} = INTEGER: {index}",
                           f".1.3.6.1.2.1.2.2.1.8.{index} = INTEGER: {status}",
                           f".1.3.6.1.2.1.31.1.1.1.1.{index} = STRING: \"p1\""))
        for module in ("routing", "v6stack", "config", "snmp"):
            w.hit(module)
            row = index_of(module)
            trap(w, "moduleDown", (f".{MODULES}.1.7.{row} = INTEGER: 2",))
            trap(w, "moduleUp", (f".{MODULES}.1.3.{row} = INTEGER: 2",))
        w.registered()
        said = w.master.trapd.text
        for name, many in (("linkDown", 1), ("linkUp", 1), ("moduleDown", 4), ("moduleUp", 4)):
            found = re.findall(re.escape(f"= OID: {TRAPS[name]}") + r"\b(?!\.)", said)
            assert len(found) == many, (name, said)


def test_port_dies(t):
    """The peer of a port ends, and another comes: linkDown, linkUp."""
    path = os.path.join(t.workdir, "p2.sock")
    with Watched(t) as w:
        w.config.memif("p2", 9, path)
        w.start(traps=True, more=("p2",))
        index = {row["name"]: row["ifindex"] for row in w.router.rows("interfaces")}["p2"]
        for n, name in enumerate(("linkDown", "linkUp", "linkDown")):
            start = len(w.master.trapd.text)
            if name == "linkUp" or not n:
                peer = Traffic([Link(path)], os.path.join(t.workdir, f"testpmd{n}.log"))
                peer.connect()
                w.router.settled({"p2"}, ())
            if name == "linkDown":
                peer.kill()
            trap(w, name, (f".1.3.6.1.2.1.2.2.1.1.{index} = INTEGER: {index}",), start)
        check_interfaces(w)
        w.healthy()


def test_master_comes_and_goes(t):
    """snmpd is killed, hangs, returns; what happens meanwhile is told when it is back."""
    with Watched(t) as w:
        w.start(traps=True)
        w.master.kill()
        w.hit("routing")
        w.master.start()
        w.registered()
        trap(w, "moduleDown", (f".{MODULES}.1.6.{index_of('routing')} = INTEGER: 9",))
        w.healthy()
        os.kill(w.master.pid(), signal.SIGSTOP)
        hung = time.monotonic()
        while time.monotonic() < hung + 20: # pings and attempts to connect, none of them answered
            w.healthy()
            time.sleep(0.5)
        os.kill(w.master.pid(), signal.SIGCONT)
        w.registered()
        check_interfaces(w)
        w.healthy()


def test_dead_modules(t):
    """With routing and v6stack held dead the walk still answers; the core may die, and snmp."""
    with Watched(t) as w:
        w.start(traps=True)
        for module in ("routing", "v6stack"):
            def held(name=module):
                row = w.router.process(name)
                if row["state"] == "ready":
                    os.kill(row["pid"], signal.SIGKILL)
                return row["state"] == "held"
            until(held, 120, f"{module} is held", 0.05)
        check_interfaces(w)
        check_modules(w)
        check_tables(w)
        w.healthy()
        core = w.router.module_pid("core")
        os.kill(core, signal.SIGKILL)
        until(lambda: (w.router.look("processes") or [{}])[0].get("pid", core) != core, 60,
              "another core", 0.1)
        w.router.settled({"p0", "p1"}, ())
        assert w.shown()
        trap(w, "moduleDown", (f".{MODULES}.1.7.{index_of('core')} = INTEGER: 2",))
        trap(w, "moduleUp", (f".{MODULES}.1.3.{index_of('core')} = INTEGER: 2",))
        check_interfaces(w)
        w.healthy()
        w.hit("snmp")
        w.registered()
        check_interfaces(w)
        check_modules(w)


def refused(w, *words):
    """What a SET is answered."""
    return w.master.tool("snmpset", AGENT, *words, community="private", check=False).stderr


def test_bad_input(t):
    """Absurd GETBULKs, hundreds of objects, SETs, and a master that speaks no AgentX."""
    with Watched(t) as w:
        w.start()
        for repeat in (0, 1, 1000, 2147483647):
            w.master.tool("snmpbulkget", f"-Cr{repeat}", AGENT, IF_TABLE, BULKHEAD, MODULES,
                          check=False)
        names = [f"{IFX_TABLE}.1.{column}.{index}" for column in range(1, 20)
                 for index in range(6)]
        said = w.master.tool("snmpget", AGENT, *names, check=False)
        assert said.stdout or "tooBig" in said.stderr, said
        assert "notWritable" in refused(w, f"{IF_TABLE}.1.7.1", "i", "2")
        assert "notWritable" in refused(w, f"{IFX_TABLE}.1.18.1", "s", "no")
        assert w.master.get(f"{IF_TABLE}.1.7.1") == 1
        for odd in (f"{IF_TABLE}.1.99.1", f"{IF_TABLE}.1.1.0", f"{IF_TABLE}.1.1",
                    f"{TCP_LISTENERS}.1.4." + ".".join("4294967295" for _ in range(100))):
            assert w.master.get(odd) is None, odd
            w.master.tool("snmpgetnext", AGENT, odd, check=False)
        check_interfaces(w)
        w.healthy()
        strangers(w)


def say(listener, words):
    """Take a connection and its request, answer with these words, end it. None: until it is given
    up. False: who connected has given up before."""
    peer, _ = listener.accept()
    with peer:
        peer.settimeout(30)
        try:
            asked = peer.recv(4096)
            if asked and words is None:
                while peer.recv(4096):
                    pass
            elif asked:
                peer.sendall(words)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return bool(asked)


def pdus(peer):
    """AgentX PDUs (RFC 2741) that come: (type, head of the answer to it). Ends with the peer."""
    stream = b""
    while True:
        order = "<" if len(stream) > 2 and not stream[2] & 0x10 else ">"
        size = 20 + struct.unpack(order + "I", stream[16:20])[0] if len(stream) >= 20 else 20
        if len(stream) >= size:
            answer = stream[:1] + bytes([RESPONSE, stream[2] & 0x10, 0]) + stream[4:16]
            yield stream[1], answer + struct.pack(order + "I", 8), order
            stream = stream[size:]
            continue
        more = peer.recv(4096)
        if not more:
            return
        stream += more


def serve(listener, errors=None, silent=None, until_seen=None):
    """A master for one connection, which answers with these errors, or is silent from a kind of PDU
    on: the kinds that it was asked, until the peer ends or one was seen."""
    asked = []
    while not asked: # who connected may have given up before
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(30)
            try:
                for kind, head, order in pdus(peer):
                    asked.append(kind)
                    if silent in asked:
                        continue
                    error = (errors or {}).get(kind, 0)
                    peer.sendall(head + struct.pack(order + "IHH", 1, error, 0))
                    if kind == until_seen:
                        break
            except (BrokenPipeError, ConnectionResetError):
                continue
    return asked


def strangers(w):
    """Masters that are none: who takes the connection and is silent, ends it, talks rubbish."""
    path = os.path.join(w.master.folder, "stranger")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    os.chmod(path, 0o777)
    listener.listen()
    listener.settimeout(30)
    w.config.plan["snmp"]["agentx-address"] = f"unix:{path}"
    w.router.reload()
    header = bytes([1, 18, 0, 0]) + bytes(12)
    for words in (None, b"", b"\xff" * 4000, header + b"\xff\xff\xff\x7f",
                  header + bytes([8, 0, 0, 0]), header + bytes([4, 0, 0, 0]) + bytes(4), os.urandom(5000)):
        while not say(listener, words):
            pass
        w.healthy()
    asked = serve(listener, silent=REGISTER) # all of it is given up, in time
    assert asked[0] == OPEN and set(asked[1:]) == {REGISTER} and len(asked) < 5, asked
    for n in range(5): # objects that are another's: a few times anew, then it stays
        asked = serve(listener, {REGISTER: DUPLICATE}, until_seen=PING if n == 4 else None)
        assert REGISTER in asked and (PING in asked) == (n == 4), (n, asked)
    w.healthy()
    listener.close()
    w.config.plan["snmp"]["agentx-address"] = w.master.tcp_address
    w.router.reload()
    w.registered()
    w.healthy()


def test_configuration(t):
    """What to register, in which context, and whether notifications are sent, while it runs."""
    with Watched(t, register=["tcp-mib", "bulkhead-mib"], notifications=False) as w:
        w.master.start()
        w.master.start_traps()
        w.router.start()
        until(lambda: w.master.walk(DROPS), 60, "bhDropTable", 0.2)
        assert not w.shown()
        w.hit("routing")
        w.config.plan["snmp"].update({"register": ["if-mib"], "notifications": True})
        w.router.reload()
        until(w.shown, 60, "ifXTable", 0.2)
        until(lambda: not w.master.walk(DROPS), 60, "no bhDropTable any more", 0.2)
        w.hit("routing")
        text = trap(w, "moduleDown", (f".{MODULES}.1.7.{index_of('routing')} = INTEGER: 2",))
        assert w.master.trapd.text.count(TRAPS["moduleDown"]) == 1, text
        w.config.plan["snmp"]["context"] = "other"
        w.router.reload()
        until(lambda: not w.shown(), 60, "nothing of ours in the default context", 0.2)
        w.healthy()


def test_files(t):
    """The subagent reads and makes no file of net-snmp's, and BULKHEAD-MIB is clean."""
    leak, state = os.path.join(t.workdir, "leak"), os.path.join(t.workdir, "state")
    os.makedirs(os.path.join(t.workdir, ".snmp"))
    for name in ("snmp", "bulkhead-snmp"):
        with open(os.path.join(t.workdir, ".snmp", f"{name}.conf"), "w", encoding="ascii") as out:
            out.write(f"[snmp] logOption f {leak}\n")
    env = {**os.environ, "HOME": t.workdir, "SNMP_PERSISTENT_DIR": state, "BULKHEAD_RUNDIR": state,
           "SNMPCONFPATH": os.path.join(t.workdir, ".snmp")}
    done = run([program("modules", "snmp", "bulkhead-snmp")], env=env, check=False)
    assert done.returncode == 1 and "cannot watch" in done.stderr, done
    assert not os.path.exists(leak) and not os.path.exists(state)
    mib = os.path.join(ROOT, "modules", "snmp", "mibs", "BULKHEAD-MIB.txt")
    env = {**os.environ, "SMIPATH": os.path.join(ROOT, "test", "data", "smi")}
    said = run(["smilint", "-l", "9", mib], env=env)
    assert not said.stdout + said.stderr, said
    broken = os.path.join(t.workdir, "BULKHEAD-MIB")
    with open(mib, encoding="ascii") as text, open(broken, "w", encoding="ascii") as out:
        out.write(text.read().replace("bhDropPackets Counter64\n", "bhDropPackets Counter32\n"))
    said = run(["smilint", "-l", "9", broken], env=env)
    assert "bhDropPackets" in said.stdout + said.stderr, "smilint sees what is wrong"
