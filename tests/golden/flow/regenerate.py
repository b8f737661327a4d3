#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks the stock programs (openvswitch-switch 3.1) again for every answer in these golden files.

    tests/golden/flow/regenerate.py [FILE.txt ...]

Each file is a list of pairs, "> input" and "< what the stock program made of it". To add a case, add its "> " line and run
this. The stock switch runs with the dummy datapath, in a directory of its own.
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


class Stock:
    """A stock switch with ports p1 to p4 and "x y"."""

    def __init__(self):
        self.dir = tempfile.TemporaryDirectory()
        d = self.dir.name
        self.env = dict(os.environ, OVS_RUNDIR=d, OVS_LOGDIR=d, OVS_DBDIR=d, OVS_SYSCONFDIR=d)
        self.run("ovsdb-tool", "create", d + "/conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
        self.daemons = [
            subprocess.Popen(["ovsdb-server", d + "/conf.db", "-vconsole:off", "--remote=punix:" + d + "/db.sock"], env=self.env)
        ]
        while not os.path.exists(d + "/db.sock"):
            self.daemons[0].poll()
        self.run("ovs-vsctl", "--no-wait", "init", "--", "set", "open", ".", "other_config:vlan-limit=2")
        self.daemons.append(
            subprocess.Popen(
                ["ovs-vswitchd", "--enable-dummy=override", "--disable-system", "--disable-system-route", "-vconsole:off", "--pidfile",
                 "unix:" + d + "/db.sock"], env=self.env))
        self.run("ovs-vsctl", "add-br", "br0", "--", "set", "bridge", "br0", "datapath-type=dummy", "fail-mode=secure")
        for i, name in enumerate(["p1", "p2", "p3", "p4", "x y"]):  # one by one: datapath ports get the same numbers
            self.run("ovs-vsctl", "add-port", "br0", name, "--", "set", "interface", name, "type=dummy", f"ofport_request={i + 1}")

    def run(self, *args, stdin=None):
        p = subprocess.run(args, env=self.env, capture_output=True, text=True, input=stdin)
        return p.stdout + p.stderr

    def stop(self):
        for p in reversed(self.daemons):
            p.terminate()
            p.wait()
        self.dir.cleanup()


def sentence(text):
    """What a program complains about, without its own name and time stamps."""
    lines = [l for l in text.splitlines() if l and not re.match(r"\d{4}-\d\d-\d\dT", l)]
    return re.sub(r"^ovs-\w+: ", "", lines[0]) if lines else ""


def match(stock, text):
    """Through NXM, which carries everything."""
    out = stock.run("ovs-ofctl", "-F", "NXM+table_id", "parse-flow", text + ",actions=drop")
    m = re.search(r"FLOW_MOD \(xid=0x1\): ADD (?:table:255 )?(.*?) ?actions=drop", out)
    return m.group(1) if m else "error: " + sentence(out)


def key(stock, text):
    out = stock.run("ovs-appctl", "ofproto/trace", "br0", text)
    m = re.search(r"^Flow: (.*)$", out, re.M)
    return m.group(1) if m else "error: " + sentence(out).split(": ", 1)[1][len(text) + 2:]


RULES = """priority=9,tcp,tp_dst=80,vlan_tci=0x1000/0x1000 actions=2
priority=8,tcp,nw_dst=10.0.0.0/9,tp_dst=0x100/0xff00,tcp_flags=+syn-ack actions=2
priority=7,arp,arp_op=2,arp_spa=1.2.3.0/24 actions=2
priority=6,ip,nw_tos=4,nw_ecn=3,nw_ttl=5 actions=2
priority=5,ipv6,ipv6_dst=fe80::/10 actions=2
priority=5,icmp6,icmpv6_type=135,icmpv6_code=0,nd_target=fe80::1 actions=2
priority=5,mpls,mpls_label=16 actions=2
priority=4,in_port=2,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=3
priority=3,in_port=3,reg0=0,metadata=0,ct_state=-trk,pkt_mark=0/0xff actions=ct_clear,4
priority=2,tun_id=5/0xff,tun_src=1.0.0.0/8 actions=2
priority=0 actions=normal
"""


def megaflow(stock, text):
    """What a trace through some rules gives: masks that nobody would write."""
    stock.run("ovs-ofctl", "add-flows", "br0", "-", stdin=RULES)
    out = stock.run("ovs-appctl", "ofproto/trace", "br0", text)
    stock.run("ovs-ofctl", "del-flows", "br0")
    m = re.search(r"^Megaflow: (.*)$", out, re.M)
    return m.group(1) if m else sys.exit(f"{text}: {out}")


def value(stock, text):
    """"FIELD=VALUE" as the argument of set_field, which prints a value by itself. OpenFlow 1.5 has masks."""
    prereqs, field, val = re.match(r"(?:\{(.*)\})?(\w+)=(.*)", text).groups()
    action = f"set_field:{val}->{field}"
    out = stock.run("ovs-ofctl", "-O", "OpenFlow15", "parse-flow", f"{prereqs or 'ip'},actions={action}")
    m = re.search(r"actions=set_field:(.*)->\w+$", out, re.M)
    return m.group(1) if m else "error: " + sentence(out)


def subfield(stock, text):
    out = stock.run("ovs-ofctl", "-F", "NXM+table_id", "parse-flow", f"tcp,actions=push:{text}")
    m = re.search(r"actions=push:(.*)$", out, re.M)
    return m.group(1) if m else "error: " + sentence(out)


def dp_flow(stock, text):
    """The dummy datapath takes fewer flows than it can read: those don't belong here."""
    both = []
    for more in ([], ["-m"]):
        dump = []
        while not dump:  # the switch's own threads delete flows that they didn't make
            stock.run("ovs-appctl", "dpctl/del-flows")
            out = stock.run("ovs-appctl", "dpctl/add-flow", text, "2")
            m = re.search(r"parsing flow key \((.*)\) \(Invalid argument\)", out)
            if m:
                return "error: " + m.group(1)
            if out:
                sys.exit(f"{text}: {out}")
            dump = stock.run("ovs-appctl", "dpctl/dump-flows", *more).splitlines()
        both.append(re.sub(r"^ufid:\S+ ", "", dump[-1]).split(", packets:")[0])
    return " | ".join(both)


def dp_actions(stock, text):
    """Refusals have no sentence that is worth comparing."""
    out = stock.run("ovs-dpctl", "parse-actions", text)
    return "error" if "odp_actions_from_string" in out else out.strip()


MAKERS = {"dp_actions.txt": dp_actions, "dp_flow.txt": dp_flow, "match.txt": match, "key.txt": key, "megaflow.txt": megaflow, "value.txt": value, "subfield.txt": subfield}


def main():
    stock = Stock()
    try:
        for name in sys.argv[1:] or sorted(MAKERS):
            path = os.path.join(HERE, name)
            out, make = [], MAKERS[name]
            for line in open(path):
                if line.startswith("> "):
                    out += [line, "< " + make(stock, line[2:].rstrip("\n")) + "\n"]
                elif not line.startswith("< "):
                    out.append(line)
            with open(path, "w") as f:
                f.writelines(out)
    finally:
        stock.stop()


main()
