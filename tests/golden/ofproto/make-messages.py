#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes messages.txt: what the stock ovs-ofctl and ovs-vswitchd say to each other, both directions, in every version.

Lines of hex, one message each, without repetitions of a form. Needs openvswitch-switch 3.1; runs private daemons."""
import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stock

PACKET = "50540000000550540000000a08060001080006040001"
COMMANDS = [
    ["show", "SW"],
    ["get-frags", "SW"],
    ["set-frags", "SW", "drop"],
    ["set-frags", "SW", "normal"],
    ["probe", "SW"],
    ["ping", "SW", "16"],
    ["add-flow", "SW", "cookie=0x5,priority=7,in_port=1,dl_vlan=5,actions=mod_vlan_vid:6,output:2"],
    ["add-flow", "SW", "idle_timeout=10,hard_timeout=20,send_flow_rem,check_overlap,tcp,nw_src=10.0.0.0/8,actions=normal"],
    ["add-flow", "SW", "table=3,priority=0,actions=controller:128"],
    ["add-flow", "SW", "table=1,reset_counts,no_packet_counts,udp,actions=drop"],
    ["mod-flows", "SW", "tcp,actions=flood"],
    ["--strict", "mod-flows", "SW", "priority=7,in_port=1,dl_vlan=5,actions=output:1"],
    ["mod-flows", "SW", "cookie=5/-1,actions=drop"],
    ["dump-flows", "SW"],
    ["dump-flows", "SW", "table=0,tcp,out_port=2"],
    ["dump-flows", "SW", "cookie=5/-1"],
    ["dump-aggregate", "SW"],
    ["dump-aggregate", "SW", "in_port=1"],
    ["dump-tables", "SW"],
    ["dump-table-features", "SW"],
    ["dump-table-desc", "SW"],
    ["dump-desc", "SW"],
    ["dump-ports", "SW"],
    ["dump-ports", "SW", "1"],
    ["dump-ports-desc", "SW"],
    ["dump-ports-desc", "SW", "1"],
    ["queue-stats", "SW"],
    ["queue-stats", "SW", "1"],
    ["queue-get-config", "SW", "1"],
    ["mod-port", "SW", "1", "no-flood"],
    ["mod-port", "SW", "1", "down"],
    ["mod-port", "SW", "1", "up"],
    ["mod-table", "SW", "0", "controller"],
    ["mod-table", "SW", "all", "evict"],
    ["packet-out", "SW", "in_port=1,packet=" + PACKET + ",actions=output:2"],
    ["packet-out", "SW", "in_port=controller,packet=" + PACKET + ",actions=resubmit(,3)"],
    ["dump-groups", "SW"],
    ["dump-group-stats", "SW"],
    ["dump-group-features", "SW"],
    ["dump-meters", "SW"],
    ["meter-stats", "SW"],
    ["meter-features", "SW"],
    ["del-flows", "SW", "tcp"],
    ["--strict", "del-flows", "SW", "priority=7,in_port=1,dl_vlan=5"],
    ["del-flows", "SW", "cookie=5/-1,out_port=1"],
]


def pump(src, dst, lines):
    buf = b""
    while True:
        try:
            data = src.recv(65536)
        except OSError:
            data = b""
        if not data:
            for s in (src, dst):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            return
        dst.sendall(data)
        buf += data
        while len(buf) >= 8:
            length = struct.unpack(">H", buf[2:4])[0]
            if len(buf) < length:
                break
            lines.append(buf[:length])
            buf = buf[length:]


def proxy(path, target, lines):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)

    def accept():
        while True:
            conn, _ = listener.accept()
            other = socket.socket(socket.AF_UNIX)
            other.connect(target)
            for pair in ((conn, other), (other, conn)):
                threading.Thread(target=pump, args=(*pair, lines), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def controller(sock, version, requests):
    """A raw connection that asks for asynchronous messages; returns the socket."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(sock)
    bitmap = struct.pack(">HHI", 1, 8, 1 << version) if version > 1 else b""
    s.sendall(struct.pack(">BBHI", version, 0, 8 + len(bitmap), 1) + bitmap)
    for kind, body in [(9, struct.pack(">HH", 0, 0xFFFF)), *requests]:
        s.sendall(struct.pack(">BBHI", version, kind, 8 + len(body), 2) + body)
    time.sleep(0.2)
    return s


def nicira(subtype, body):
    return 4, struct.pack(">II", 0x2320, subtype) + body


def asynchronous(run, switch, via, versions):
    """Packet-ins in each format, flow-removed, port-status, roles."""
    for version in versions:
        for form in (0, 1, 2):
            requests = [nicira(16, struct.pack(">I", form)), nicira(10, struct.pack(">I", 1))]
            if version == 1:
                requests.append(nicira(12, struct.pack(">I", 2 if form else 0)))
            if version >= 3:
                requests.append((24, struct.pack(">IIQ", 2, 0, 7)))
            if version >= 4:
                requests.append((26, b""))
            s = controller(via, version, requests)
            run(["ovs-ofctl", "add-flow", switch, "table=3,cookie=0x77,in_port=1,actions=controller(userdata=01.02.03)"])
            run(["ovs-ofctl", "packet-out", switch, "in_port=1,packet=" + PACKET + ",actions=load:5->NXM_NX_REG0[],resubmit(,3)"])
            run(["ovs-ofctl", "add-flow", switch, "ip,nw_tos=8,in_port=2,send_flow_rem,hard_timeout=9,actions=drop"])
            run(["ovs-ofctl", "del-flows", switch, "ip"])
            run(["ovs-ofctl", "mod-port", switch, "2", "no-flood" if form else "flood"])
            if version >= 5:
                other = controller(switch[5:], version, [(24, struct.pack(">IIQ", 2, 0, 8))])
                other.close()
            s.close()


def form_of(m):
    """Messages that look alike but for numbers count once."""
    if m[1] in (2, 3):
        return m[:2]
    return m[:4] if m[1] == 17 and m[0] > 1 else m[:4] + m[8:24]  # 17: all tables are modified one by one


def main():
    with stock.Stock() as switch:
        run, tmp = switch.run, switch.dir
        lines = []
        macs = switch.macs()
        via = tmp + "/via"
        proxy(via, tmp + "/br0.mgmt", lines)
        for version in range(1, 7):
            for command in COMMANDS:
                options = ["-O", "OpenFlow1%d" % (version - 1), "--no-names"]
                run(["ovs-ofctl", *options, *[a.replace("SW", "unix:" + via) for a in command]])
                if version == 1 and "flow" in " ".join(command):
                    for form in ("OpenFlow10-table_id", "NXM-table_id", "NXM+table_id"):
                        run(["ovs-ofctl", *options, "-F", form, *[a.replace("SW", "unix:" + via) for a in command]])
        asynchronous(run, "unix:" + tmp + "/br0.mgmt", via, range(1, 7))
    seen, bulky = set(), {}
    for m in lines:
        for golden, real in macs:
            m = m.replace(real, golden)
        key = form_of(m)
        if len(m) > 3000:  # tables, and of their features those of one version
            if m[9] == 3 or m[0] == 6 and len(m) < 40000:
                bulky.setdefault(m[:2] + m[8:10], m)
        elif key not in seen:
            seen.add(key)
            print(m.hex())
    for m in bulky.values():
        print(m.hex())


main()
