# SPDX-License-Identifier: Apache-2.0
# Database servers, stock and ours, each with a directory of its own, and clients that speak JSON-RPC: what scripts in this folder start and ask.
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

if "SANITIZER_REPORTS" not in os.environ:  # programs may be of a build with sanitizers
    wrapper = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sanitizers")
    os.execv(wrapper, [wrapper, os.path.abspath(sys.argv[0])] + sys.argv[1:])

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import jsonrpc_client

TOP = os.path.abspath(os.environ.get("top_builddir", os.path.join(os.path.dirname(__file__), "..", "..")))
OUR = {n: os.path.join(TOP, "tools", n) for n in ("ovsdb-server", "ovsdb-client", "ovsdb-tool", "ovs-vsctl")}
STOCK = {"ovsdb-server": "/usr/sbin/ovsdb-server", "ovsdb-client": "/usr/bin/ovsdb-client", "ovsdb-tool": "/usr/bin/ovsdb-tool",
         "ovs-vsctl": "/usr/bin/ovs-vsctl", "ovs-vswitchd": "/usr/sbin/ovs-vswitchd"}
SCHEMA = os.path.join(TOP, "ovsdb", "vswitch.ovsschema")
D = "Open_vSwitch"


class Server:
    """remotes: beside the socket in its directory. db: a file, made with the schema when it isn't there."""

    def __init__(self, programs, top, db=None, schema=SCHEMA, remotes=("db:%s,%s,manager_options" % (D, D),), args=()):
        self.programs, self.dir = programs, tempfile.mkdtemp(dir=top)
        self.args = ["--remote=" + r for r in remotes] + list(args)
        self.sock, self.db = self.dir + "/db.sock", db or self.dir + "/conf.db"
        self.env = dict(os.environ, OVS_RUNDIR=self.dir, OVS_LOGDIR=self.dir, OVS_DBDIR=self.dir, OVS_SYSLOG_METHOD="null")
        if not os.path.exists(self.db):
            subprocess.run([programs["ovsdb-tool"], "create", self.db, schema], check=True)
        self.start()

    def start(self):
        if os.path.exists(self.sock):
            os.unlink(self.sock)
        if not hasattr(self, "process"):
            atexit.register(lambda: self.process.kill())
        self.process = subprocess.Popen(
            [self.programs["ovsdb-server"], "-vconsole:off", "--remote=punix:" + self.sock,
             *self.args, "--unixctl=" + self.dir + "/ctl", self.db],
            env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.wait(self.sock)
        self.wait(self.dir + "/ctl")

    def wait(self, path):
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(path)
                    return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit("%s did not start" % self.programs["ovsdb-server"])
                os.sched_yield()

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        self.process.wait()

    def run(self, *args):
        p = subprocess.run(args, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        return p.returncode, p.stdout, p.stderr


class Client(jsonrpc_client.Client):
    def __init__(self, server):
        super().__init__(server.sock, 20)

    def transact(self, *ops, db=D):
        return self.call("transact", db, *ops)[0]["result"]
