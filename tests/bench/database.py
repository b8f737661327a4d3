# SPDX-License-Identifier: Apache-2.0
"""What measurements of the database servers share: both started on directories of their own, clients, runs by turns, medians."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import jsonrpc_client

TOP = os.path.abspath(os.environ.get("top_builddir", os.path.join(os.path.dirname(__file__), "..", "..")))
SIDES = {"peer": ("/usr/sbin/ovsdb-server", "/usr/bin/ovs-vsctl"), "ours": (TOP + "/tools/ovsdb-server", TOP + "/tools/ovs-vsctl")}
D = "Open_vSwitch"


class Client(jsonrpc_client.Client):
    def __init__(self, path):
        super().__init__(path, 120)

    def call(self, method, *params):
        return super().call(method, *params)[0]

    def pipeline(self, transactions):
        data = b"".join(json.dumps({"id": i, "method": "transact", "params": [D] + t}).encode() for i, t in enumerate(transactions))
        t = threading.Thread(target=self.s.sendall, args=(data,))
        t.start()
        for _ in transactions:
            while "method" in (m := self.receive()):
                pass
            for r in m["result"]:
                assert "error" not in r, r
        t.join()


def cpu_us(pid):
    with open("/proc/%d/schedstat" % pid) as f:
        return int(f.read().split()[0]) / 1000


def start(program, d):
    return connect([program, "-vconsole:off", "--remote=punix:" + d + "/s", "--unixctl=" + d + "/c", d + "/db"], d)


def connect(command, d):
    if os.path.exists(d + "/s"):
        os.unlink(d + "/s")
    p = subprocess.Popen(command, env=dict(os.environ, OVS_RUNDIR=d, OVS_SYSLOG_METHOD="null"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            return p, Client(d + "/s")
        except OSError:
            if p.poll() is not None:
                sys.exit("%s did not start" % command[0])
            os.sched_yield()


def op(name, table, **kw):
    return dict({k.replace("_", "-"): v for k, v in kw.items()}, op=name, table=table)


def port_ops(name, i=""):
    return [op("insert", "Interface", uuid_name="i%s" % i, row={"name": name}),
            op("insert", "Port", uuid_name="p%s" % i, row={"name": name, "interfaces": ["named-uuid", "i%s" % i]})]


def create(d):
    subprocess.run(["/usr/bin/ovsdb-tool", "create", d + "/db", TOP + "/ovsdb/vswitch.ovsschema"], check=True)


def stop(p):
    p.terminate()
    p.wait()


def ports_ops(n):
    """All operations of a transaction that makes bridge br0 with n ports."""
    ops = [o for i in range(n) for o in port_ops("p%d" % i, i)]
    return ops + [op("insert", "Bridge", uuid_name="b", row={"name": "br0", "ports": ["set", [["named-uuid", "p%d" % i] for i in range(n)]]}),
                  op("mutate", D, where=[], mutations=[["bridges", "insert", ["named-uuid", "b"]]])]


def compare(measure):
    """measure(side, directory) gives {name: (number, unit)}; both sides by turns, argv[1] times. Returns the exit status.

    What only our side measures, as a floor, gets no ratio."""
    if not os.access(SIDES["peer"][0], os.X_OK):
        print("SKIP: no stock ovsdb-server (package openvswitch-switch)")
        return 77
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    top, results = tempfile.mkdtemp(prefix="ovsdb-bench."), {"peer": [], "ours": []}
    try:
        for _ in range(runs):
            for side in SIDES:
                results[side].append(measure(side, tempfile.mkdtemp(dir=top)))
    finally:
        shutil.rmtree(top)
    for name, (_, unit) in results["ours"][0].items():
        values = {s: [r[name][0] for r in results[s] if name in r] for s in results}
        for s, v in values.items():
            if v:
                print("  %-45s %s median %.1f min %.1f max %.1f %s" % (name, s, statistics.median(v), min(v), max(v), unit))
        if not values["peer"]:
            continue
        ours, peer = statistics.median(values["ours"]), statistics.median(values["peer"])
        print("%s %.1f %.1f %.2f %s" % (name.replace(" ", "_").replace(",", ""), ours, peer, peer / ours if ours else 0, unit))
    return 0
