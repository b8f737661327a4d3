# SPDX-License-Identifier: Apache-2.0
# The stock switch and ours, each with its own database server and directory, on dummy ports: what scripts in this folder start, ask and end.
import atexit
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

if "SANITIZER_REPORTS" not in os.environ:  # programs may be of a build with sanitizers
    wrapper = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sanitizers")
    os.execv(wrapper, [wrapper, os.path.abspath(sys.argv[0])] + sys.argv[1:])

TOP = os.environ.get("top_builddir") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCHEMA = {"stock": "/usr/share/openvswitch/vswitch.ovsschema", "ours": TOP + "/ovsdb/vswitch.ovsschema"}
SBIN = {"stock": "/usr/sbin", "ours": TOP + "/tools"}


def skip_unless_present():
    for program in ["/usr/sbin/ovs-vswitchd", "/usr/bin/ovs-ofctl", TOP + "/tools/ovs-vswitchd", TOP + "/tools/ovsdb-server"]:
        if not os.access(program, os.X_OK):
            print("SKIP: %s is missing" % program)
            sys.exit(77)


def is_running(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Switch:
    """One ovs-vswitchd with its ovsdb-server. Commands are those of the stock package: the switches are compared, not the programs."""

    def __init__(self, kind, args=("--enable-dummy=override", "--disable-system", "--disable-system-route")):
        self.kind = kind
        self.dir = tempfile.mkdtemp(prefix="fb-%s." % kind)
        self.env = dict(os.environ, OVS_RUNDIR=self.dir, OVS_LOGDIR=self.dir, OVS_DBDIR=self.dir, OVS_SYSCONFDIR=self.dir)
        self.pids = []
        self.sock = None
        atexit.register(self.end)
        self.run("ovsdb-tool", "create", self.dir + "/conf.db", SCHEMA[kind])
        self.daemon("ovsdb-server", "--remote=punix:%s/db.sock" % self.dir, self.dir + "/conf.db")
        self.run("ovs-vsctl", "--no-wait", "init")
        self.daemon("ovs-vswitchd", *args)
        self.ctl = "%s/ovs-vswitchd.%d.ctl" % (self.dir, self.pids[-1])

    def daemon(self, name, *args):
        subprocess.run([SBIN[self.kind] + "/" + name, "--detach", "--no-chdir", "--pidfile", "--log-file", *args],
                       env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30, check=True)
        self.pids.append(int(open("%s/%s.pid" % (self.dir, name)).read()))

    def run(self, *argv, stdin=None, check=True):
        """Standard output (and errors) of a stock program."""
        p = subprocess.run(argv, env=self.env, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        if check and p.returncode:
            raise RuntimeError("%s: %s: %s" % (self.kind, " ".join(argv), p.stdout))
        return p.stdout

    def appctl(self, method, *params):
        """(answer, error) of the daemon: what ovs-appctl would print."""
        for attempt in range(2):
            if not self.sock:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.settimeout(30)
                self.sock.connect(self.ctl)
            self.sock.sendall(json.dumps({"id": 0, "method": method, "params": list(params)}).encode())
            text, decoder = "", json.JSONDecoder()
            while True:
                chunk = self.sock.recv(1 << 16)
                if not chunk:
                    break
                text += chunk.decode()
                try:
                    reply = decoder.decode(text.strip())
                    return reply.get("result") or "", reply.get("error")
                except ValueError:
                    pass
            self.sock.close()
            self.sock = None
            if text:
                break
        raise RuntimeError("%s: no answer to %s %s" % (self.kind, method, params))

    def appctl_at(self, path, method, *params):
        """The answer of another program's control socket."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(path)
            s.sendall(json.dumps({"id": 0, "method": method, "params": list(params)}).encode())
            return s.recv(1 << 16).decode()

    def alive(self):
        try:
            os.kill(self.pids[-1], 0)
            return True
        except OSError:
            return False

    def end(self):
        for pid in reversed(self.pids):
            try:
                os.kill(pid, signal.SIGTERM)
            except OSError:
                pass
        for pid in self.pids:  # the last word of each may be a sanitizer's
            while is_running(pid):
                time.sleep(0.02)
        self.pids = []
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)


def pair():
    skip_unless_present()
    return Switch("stock"), Switch("ours")


def frames(path, offset):
    """Frames that a pcap file gained since `offset`, and the new offset."""
    out = []
    try:
        with open(path, "rb") as f:
            data = f.read()
    except FileNotFoundError:
        return out, offset
    at = max(offset, 24)
    while at + 16 <= len(data):
        n = int.from_bytes(data[at + 8:at + 12], sys.byteorder)
        if at + 16 + n > len(data):
            break
        out.append(data[at + 16:at + 16 + n])
        at += 16 + n
    return out, at
