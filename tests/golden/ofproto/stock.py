#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A private stock switch with a dummy datapath: bridge br0, ports 1 and 2."""
import os
import re
import subprocess
import tempfile
import time


class Stock:
    def __enter__(self):
        self._tmp = tempfile.TemporaryDirectory()
        tmp = self.dir = self._tmp.name
        self.env = dict(os.environ, OVS_RUNDIR=tmp, OVS_LOGDIR=tmp, OVS_DBDIR=tmp, OVS_SYSCONFDIR=tmp)
        self.mgmt = tmp + "/br0.mgmt"
        self.procs = []
        db = tmp + "/conf.db"
        self.run(["ovsdb-tool", "create", db, "/usr/share/openvswitch/vswitch.ovsschema"])
        self.start(["ovsdb-server", db, "--remote=punix:" + tmp + "/db.sock"])
        while not os.path.exists(tmp + "/db.sock"):
            time.sleep(0.05)
        self.start(["ovs-vswitchd", "unix:" + tmp + "/db.sock", "--enable-dummy=override", "--disable-system",
                    "--disable-system-route"])
        self.run(["ovs-vsctl", "--db=unix:" + tmp + "/db.sock", "add-br", "br0", "--", "set", "bridge", "br0",
                  "datapath_type=dummy", "fail-mode=secure", "other-config:datapath-id=0000000000000123",
                  "other-config:hwaddr=02:00:00:00:00:fe",
                  "protocols=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15",
                  "--", "add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy", "ofport_request=1",
                  "--", "add-port", "br0", "p2", "--", "set", "interface", "p2", "type=dummy", "ofport_request=2"])
        return self

    def start(self, command):
        self.procs.append(subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def run(self, command):
        return subprocess.run(command, env=self.env, capture_output=True, check=False, timeout=20)

    def macs(self):
        """Pairs (what golden files say, what the switch has) of the addresses of ports 1 and 2, in bytes."""
        show = self.run(["ovs-ofctl", "--no-names", "show", "unix:" + self.mgmt]).stdout.decode()
        found = re.findall(r"^ [12]\(p.\): addr:([0-9a-f:]+)", show, re.M) or re.findall(r"^ [12]: addr:([0-9a-f:]+)", show, re.M)
        return [(bytes([2, 0, 0, 0, 0, i + 1]), bytes.fromhex(mac.replace(":", ""))) for i, mac in enumerate(found)]

    def __exit__(self, *_):
        for p in reversed(self.procs):
            p.terminate()
            p.wait()
        self._tmp.cleanup()
