# SPDX-License-Identifier: Apache-2.0
# Random OpenFlow pipelines and random packets for the scripts of this folder. A packet is described once, and written as OpenFlow match text and as bytes.
import re
import struct

MACS = ["02:00:00:00:00:0%d" % i for i in range(1, 5)]
IPS = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.1.1"]
IP6S = ["fe80::1", "fe80::2", "2001:db8::1", "2001:db8:1::2"]
VLANS = [10, 20, 30]
PORTS = [80, 81, 443, 1000]
N_TABLES = 4


class Maker:
    def __init__(self, random, ports):
        self.r = random
        self.ports = ports
        self.priority = 0
        # NORMAL where sources change makes addresses move to and fro, and who sees which move when is chance.
        self.normal = bool(random.randrange(2))

    def one_in(self, n):
        return self.r.randrange(n) == 0

    # --- Matches. ---

    def l4_match(self, r):
        return r.choice([
            lambda: "tcp,tp_dst=%d" % r.choice(PORTS), lambda: "udp,tp_src=%d" % r.choice(PORTS),
            lambda: "tcp,tp_dst=0x%x/0x%x" % (80, r.choice([0xfff0, 0xfffe])),
            lambda: "tcp,tcp_flags=" + r.choice(["+syn-ack", "+ack", "-rst"]), lambda: "icmp,icmp_type=8",
            lambda: "icmp,icmp_type=0,icmp_code=0", lambda: "udp6,udp_dst=%d" % r.choice(PORTS), lambda: "tcp6",
            lambda: "icmp6,icmp_type=135", lambda: "icmp6,icmp_type=135,nd_target=" + r.choice(IP6S),
            lambda: "sctp,tp_dst=%d" % r.choice(PORTS), lambda: "ip,nw_proto=2", lambda: "icmp6",
        ])()

    def l3_match(self, r):
        return r.choice([
            lambda: "ip", lambda: "ipv6", lambda: "arp", lambda: "dl_type=0x88b5", lambda: "mpls",
            lambda: "ip,nw_dst=%s/%d" % (r.choice(IPS), r.choice([8, 16, 24, 31])), lambda: "ip,nw_src=" + r.choice(IPS),
            lambda: "ip,nw_src=%s/255.0.255.255" % r.choice(IPS), lambda: "ip,nw_ttl=%d" % r.choice([1, 2, 64]),
            lambda: "ip,nw_tos=%d" % r.choice([0, 32, 184]), lambda: "ip,nw_ecn=%d" % r.choice([0, 1]),
            lambda: "ip,ip_frag=" + r.choice(["no", "yes", "first", "later", "not_later"]),
            lambda: "ipv6,ipv6_dst=%s/%d" % (r.choice(IP6S), r.choice([16, 48, 64, 128])),
            lambda: "ipv6,ipv6_src=" + r.choice(IP6S), lambda: "ipv6,ipv6_label=%d" % r.choice([0, 5]),
            lambda: "arp,arp_op=%d" % r.choice([1, 2]), lambda: "arp,arp_tpa=" + r.choice(IPS),
            lambda: "arp,arp_spa=%s/16" % r.choice(IPS), lambda: "arp,arp_sha=" + r.choice(MACS),
            lambda: "rarp",
        ])()

    def match(self):
        r, m = self.r, []
        if self.one_in(3):
            m.append("in_port=%d" % r.choice(self.ports))
        if self.one_in(4):
            m.append("dl_dst=" + r.choice(MACS + ["01:00:00:00:00:00/01:00:00:00:00:00", "00:00:00:00:00:00/01:00:00:00:00:00"]))
        if self.one_in(6):
            m.append("dl_src=" + r.choice(MACS))
        if self.one_in(4):
            m.append(r.choice(["vlan_tci=0", "dl_vlan=%d" % r.choice(VLANS), "vlan_tci=0x1000/0x1000", "dl_vlan_pcp=3",
                               "dl_vlan=%d,dl_vlan_pcp=0" % r.choice(VLANS), "vlan_tci=0x000a/0x0fff", "dl_vlan=0xffff"]))
        if self.one_in(6):
            m.append(r.choice(["reg%d=%d" % (r.choice([0, 1, 9]), r.randrange(3)), "reg0=0x1/0x1", "metadata=%d" % r.randrange(3),
                               "metadata=0x1/0x3", "xreg1=%d" % r.randrange(2), "reg1=0x10000/0xffff0000"]))
        if self.one_in(2):
            m.append(self.l4_match(r) if self.one_in(2) else self.l3_match(r))
        return m

    # --- Actions. ---

    def prerequisite(self, kind):
        """Match words that the action needs."""
        return {"ip": "ip", "arp": "arp", "tcp": "tcp", "udp": "udp", "ipv6": "ipv6"}[kind]

    def output(self):
        r = self.r
        normal = ["NORMAL", "NORMAL"] if self.normal else []
        return r.choice(["output:%d" % r.choice(self.ports), "output:%d" % r.choice(self.ports), "output:%d" % r.choice(self.ports)] + normal + [ "FLOOD", "ALL", "IN_PORT", "LOCAL", "output:NXM_NX_REG0[0..15]", "output:99"])

    def rewrite(self, have):
        r = self.r
        mac, ip = r.choice(MACS), r.choice(IPS)
        c = ["mod_dl_dst:" + mac, "set_field:%s->eth_dst" % mac, "load:%d->NXM_NX_REG0[]" % r.randrange(3),
             "load:%d->NXM_NX_REG0[4..7]" % r.randrange(3), "set_field:%d->reg1" % r.randrange(3), "set_field:0x10000/0xffff0000->reg1",
             "move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]", "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]", "set_field:%d->metadata" % r.randrange(3),
             "move:NXM_OF_ETH_DST[0..15]->NXM_NX_REG9[16..31]", "push:NXM_NX_REG0[]", "pop:NXM_NX_REG1[]", "push:NXM_OF_ETH_DST[]",
             "set_field:0x7->pkt_mark", "push:NXM_OF_IN_PORT[]", "load:0->OXM_OF_METADATA[3..5]",
             "set_queue:%d" % r.randrange(3), "set_queue:70000", "pop_queue", "enqueue:%d:%d" % (r.choice(self.ports), r.randrange(3))]
        if not self.normal:
            c += ["mod_dl_src:" + mac, "pop:NXM_OF_ETH_SRC[]", "set_field:02:00:00:00:00:00/ff:ff:00:00:00:00->eth_src", "load:%d->NXM_OF_IN_PORT[]" % r.choice(self.ports)]
        if have == "ip" or have in ("tcp", "udp"):
            c += ["mod_nw_src:" + ip, "mod_nw_dst:" + ip, "dec_ttl", "mod_nw_tos:%d" % r.choice([0, 32, 184]), "mod_nw_ecn:1", "mod_nw_ttl:%d" % r.choice([1, 5]),
                  "move:NXM_OF_IP_DST[0..7]->NXM_NX_REG0[0..7]", "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]", "set_field:10.0.0.0/8->ip_src", "dec_ttl(1,2)",
                  "set_field:5->nw_ttl", "load:3->NXM_OF_IP_TOS[2..7]"] * 2
        if have in ("tcp", "udp"):
            c += ["mod_tp_dst:%d" % r.choice(PORTS), "mod_tp_src:%d" % r.choice(PORTS), "set_field:%d->%s_dst" % (r.choice(PORTS), have)] * 5
        if have == "arp":
            c += ["set_field:%d->arp_op" % r.choice([1, 2]), "set_field:%s->arp_tpa" % ip, "set_field:%s->arp_sha" % mac, "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]",
                  "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]"] * 4
        if have == "ipv6":
            c += ["set_field:%s->ipv6_dst" % r.choice(IP6S), "set_field:%s->ipv6_src" % r.choice(IP6S), "dec_ttl", "set_field:3->ipv6_label", "mod_nw_tos:32",
                  "mod_nw_ttl:9"] * 4
        return r.choice(c)

    def vlan(self):
        r = self.r
        return r.choice(["mod_vlan_vid:%d" % r.choice(VLANS), "mod_vlan_pcp:%d" % r.randrange(8), "strip_vlan", "pop_vlan",
                         "push_vlan:0x8100,set_field:%d->vlan_vid" % (0x1000 + r.choice(VLANS)), "push_vlan:0x8100", "push_vlan:0x88a8,set_field:%d->vlan_vid" % (0x1000 + r.choice(VLANS))])

    def jump(self, table):
        r = self.r
        later = table + 1 + r.randrange(N_TABLES - table) if table < N_TABLES - 1 else None
        c = ["resubmit(%d,%d)" % (r.choice(self.ports), table + 1)]
        if later is not None and later < N_TABLES:
            c += ["resubmit(,%d)" % later] * 3 + ["resubmit(%d,%d)" % (r.choice(self.ports), later), "clone(resubmit(,%d))" % later]
        return r.choice(c)

    def other(self):
        r = self.r
        return r.choice(["controller:%d" % r.choice([0, 64, 65535]), "CONTROLLER", "controller(id=%d,max_len=32)" % r.randrange(3), "exit", "note:01.02.03.00.00.00",
                         "controller(reason=no_match)"])

    def actions(self, table, have):
        """Apply-actions, then perhaps instructions, in the order that OpenFlow wants."""
        r, acts = self.r, []
        for _ in range(r.randrange(5)):
            k = r.randrange(20)
            if k < 6:
                acts.append(self.output())
            elif k < 11:
                acts.append(self.rewrite(have))
            elif k < 13:
                acts.append(self.vlan())
            elif k < 18 and table < N_TABLES - 1:
                acts.append(self.jump(table))
            elif k == 18:
                acts.append(self.other())
            elif self.one_in(2):
                acts.append("clone(%s,%s)" % (self.rewrite(have), self.output()))
            else:
                acts.append(self.output())
        if not self.one_in(3):
            acts.append(self.output())
        ins = []
        if self.one_in(12):
            ins.append("clear_actions")
        if self.one_in(6):
            ins.append("write_actions(%s)" % ",".join(r.sample(["output:%d" % r.choice(self.ports), "set_field:%s->eth_dst" % r.choice(MACS), "pop_vlan", "push_vlan:0x8100",
                                                             "set_field:2->reg1", "set_field:2->metadata" if self.normal else "set_field:%s->eth_src" % r.choice(MACS)], 1 + r.randrange(3))))
        if self.one_in(8):
            ins.append("write_metadata:0x%x/0x%x" % (r.randrange(4), r.choice([1, 3, 0xff])))
        if table < N_TABLES - 1 and self.one_in(3):
            ins.append("goto_table:%d" % (table + 1 + r.randrange(N_TABLES - 1 - table)))
        # mod_* of ports and addresses needs the protocol: of the packet, so they stand in rules that match it.
        return ",".join(acts + ins) or "drop"

    def rule(self):
        r = self.r
        table = r.randrange(N_TABLES)
        m = self.match()
        text = ",".join(m)
        have = ""
        for words, kind in ((",tcp,", "tcp"), (",udp,", "udp"), (",arp,", "arp"), (",ipv6,", "ipv6"), (",icmp6", "ipv6"), (",ip,", "ip"), (",icmp,", "ip")):
            if words in "," + text + ",":
                have = kind
                break
        # Which of two rules with the same priority takes a packet is undefined: every rule has its own.
        self.priority += 1
        m.insert(0, "priority=%d" % self.priority)
        return ",".join(["table=%d" % table] + (["cookie=0x%x" % r.randrange(1, 99)] if self.one_in(3) else []) + m + ["actions=" + self.consistent(self.actions(table, have))])

    def consistent(self, actions):
        """What OpenFlow 1.1 and later refuse is left out of rules that need it: tags are popped only where there are some."""
        if not modern(actions):
            return actions
        head, _, sets = actions.partition("write_actions(")
        head = head.replace("strip_vlan", "pop_vlan").replace("pop_vlan", "push_vlan:0x8100,pop_vlan")
        sets = sets.replace("pop_vlan", "set_field:1->reg1") if _ else ""
        return head + _ + sets

    def pipeline(self):
        rules = [self.rule() for _ in range(10 + self.r.randrange(50))]
        self.r.shuffle(rules)
        # Most packets should get somewhere.
        for t in range(N_TABLES):
            if not self.one_in(4):
                rules.append("table=%d,priority=0,actions=%s" % (t, self.consistent(self.actions(t, ""))))
        return rules

    # --- Packets. ---

    def packet(self):
        r = self.r
        p = {"in_port": r.choice(self.ports), "src": r.choice(MACS), "dst": r.choice(MACS + ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"]), "vlan": None}
        if self.one_in(3):
            p["vlan"] = (r.choice(VLANS + [0]), r.choice([0, 3]))
        p["l3"] = r.choice(["ip", "ip", "ip", "ip", "ip6", "ip6", "arp", "other"])
        if p["l3"] == "ip":
            p.update(a=r.choice(IPS), b=r.choice(IPS), tos=r.choice([0, 32, 184, 1]), ttl=r.choice([1, 2, 64, 64]), frag=r.choice(["no"] * 6 + ["first", "later"]))
        elif p["l3"] == "ip6":
            p.update(a=r.choice(IP6S), b=r.choice(IP6S), tos=r.choice([0, 32]), ttl=r.choice([1, 64]), label=r.choice([0, 5]), frag="no")
        elif p["l3"] == "arp":
            p.update(a=r.choice(IPS), b=r.choice(IPS), op=r.choice([1, 2]), sha=r.choice(MACS), tha=r.choice(MACS))
        if p["l3"] in ("ip", "ip6"):
            p["l4"] = r.choice(["tcp", "tcp", "udp", "udp", "icmp", "nd" if p["l3"] == "ip6" else "sctp", "47"])
            p.update(sport=r.choice(PORTS), dport=r.choice(PORTS), flags=r.choice([2, 0x10, 0x12, 4]), type=r.choice([8, 0]), target=r.choice(IP6S))
        return p


def modern(rule):
    """Does it need OpenFlow 1.1 or later?"""
    return re.search("push_vlan|write_actions|write_metadata|goto_table|clear_actions", rule) is not None


def flow_text(p):
    """The packet as a match of ovs-ofctl."""
    f = ["in_port=%d" % p["in_port"], "dl_src=" + p["src"], "dl_dst=" + p["dst"]]
    if p["vlan"]:
        f += ["dl_vlan=%d" % p["vlan"][0], "dl_vlan_pcp=%d" % p["vlan"][1]]
    six = p["l3"] == "ip6"
    if p["l3"] == "other":
        f.append("dl_type=0x88b5")
    elif p["l3"] == "arp":
        f += ["arp", "arp_op=%d" % p["op"], "arp_spa=" + p["a"], "arp_tpa=" + p["b"], "arp_sha=" + p["sha"], "arp_tha=" + p["tha"]]
    else:
        l4 = p["l4"]
        ports = [("%s_src=%d" % (l4, p["sport"])), "%s_dst=%d" % (l4, p["dport"])]
        if p["frag"] == "later":
            ports = []
        if l4 in ("tcp", "udp", "sctp"):
            f += [l4 + ("6" if six else "")] + ports
            if l4 == "tcp" and ports:
                f.append("tcp_flags=0x%x" % p["flags"])
        elif l4 == "icmp":
            f.append("icmp6" if six else "icmp")
            if ports:
                f += ["icmpv6_type=%d" % (128 + (p["type"] & 1)), "icmpv6_code=0"] if six else ["icmp_type=%d" % p["type"], "icmp_code=0"]
        elif l4 == "nd":
            f += ["icmp6", "icmpv6_type=135", "icmpv6_code=0", "nd_target=" + p["target"]]
        else:
            f.append("%s,nw_proto=%s" % ("ipv6" if six else "ip", l4))
        f += ["%s_src=%s" % ("ipv6" if six else "nw", p["a"]), "%s_dst=%s" % ("ipv6" if six else "nw", p["b"]), "nw_tos=%d" % (p["tos"] & 0xfc), "nw_ecn=%d" % (p["tos"] & 3),
              "nw_ttl=%d" % p["ttl"]]
        if six:
            f.append("ipv6_label=%d" % p["label"])
        elif p["frag"] != "no":
            f.append("ip_frag=" + p["frag"])
    return ",".join(f)


def odp_text(p, port):
    """The packet as a flow of ovs-dpctl."""
    head = "in_port(%s),eth(src=%s,dst=%s)," % (port, p["src"], p["dst"])
    l3 = {"ip": 0x0800, "ip6": 0x86dd, "arp": 0x0806, "other": 0x88b5}[p["l3"]]
    rest = "eth_type(0x%04x)" % l3
    if p["l3"] == "arp":
        rest += ",arp(sip=%s,tip=%s,op=%d,sha=%s,tha=%s)" % (p["a"], p["b"], p["op"], p["sha"], p["tha"])
    elif p["l3"] in ("ip", "ip6"):
        l4 = p["l4"]
        number = {"tcp": 6, "udp": 17, "icmp": 58 if p["l3"] == "ip6" else 1, "nd": 58, "sctp": 132}.get(l4) or int(l4)
        if p["l3"] == "ip":
            rest += ",ipv4(src=%s,dst=%s,proto=%d,tos=0x%x,ttl=%d,frag=%s)" % (p["a"], p["b"], number, p["tos"], p["ttl"], p["frag"])
        else:
            rest += ",ipv6(src=%s,dst=%s,label=0x%x,proto=%d,tclass=0x%x,hlimit=%d,frag=no)" % (p["a"], p["b"], p["label"], number, p["tos"], p["ttl"])
        if p["frag"] != "later":
            if l4 in ("tcp", "udp", "sctp"):
                rest += ",%s(src=%d,dst=%d)" % (l4, p["sport"], p["dport"])
            if l4 == "tcp":
                rest += ",tcp_flags(0x%x)" % p["flags"]
            elif l4 == "icmp":
                rest += ",icmpv6(type=%d,code=0)" % (128 + (p["type"] & 1)) if p["l3"] == "ip6" else ",icmp(type=%d,code=0)" % p["type"]
            elif l4 == "nd":
                rest += ",icmpv6(type=135,code=0),nd(target=%s,sll=00:00:00:00:00:00,tll=00:00:00:00:00:00)" % p["target"]
    if p["vlan"]:
        return head + "eth_type(0x8100),vlan(vid=%d,pcp=%d),encap(%s)" % (p["vlan"] + (rest,))
    return head + rest


def mac(text):
    return bytes(int(b, 16) for b in text.split(":"))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def packet_bytes(p):
    import socket
    eth = mac(p["dst"]) + mac(p["src"])
    if p["vlan"]:
        eth += struct.pack("!HH", 0x8100, p["vlan"][1] << 13 | p["vlan"][0])
    if p["l3"] == "other":
        return (eth + b"\x88\xb5").ljust(64, b"\x5a")
    if p["l3"] == "arp":
        return (eth + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, p["op"]) + mac(p["sha"]) + socket.inet_aton(p["a"]) + mac(p["tha"]) + socket.inet_aton(p["b"])).ljust(64, b"\0")
    six = p["l3"] == "ip6"
    family = socket.AF_INET6 if six else socket.AF_INET
    a, b = socket.inet_pton(family, p["a"]), socket.inet_pton(family, p["b"])
    l4, payload = p["l4"], bytes(range(24))
    number = {"tcp": 6, "udp": 17, "icmp": 58 if six else 1, "nd": 58, "sctp": 132}.get(l4) or int(l4)

    def summed(head, at, body, pseudo):
        n = len(head) + len(body)
        ph = (a + b + (struct.pack("!IHBB", n, 0, 0, number) if six else struct.pack("!BBH", 0, number, n))) if pseudo else b""
        c = checksum(ph + head + body)
        if l4 == "udp" and not c:
            c = 0xffff
        return head[:at] + struct.pack("!H", c) + head[at + 2:] + body

    if l4 == "tcp":
        data = summed(struct.pack("!HHIIBBHHH", p["sport"], p["dport"], 1, 2, 0x50, p["flags"], 1024, 0, 0), 16, payload, True)
    elif l4 == "udp":
        data = summed(struct.pack("!HHHH", p["sport"], p["dport"], 8 + len(payload), 0), 6, payload, True)
    elif l4 == "sctp":
        data = struct.pack("!HHII", p["sport"], p["dport"], 0, 0) + payload
    elif l4 == "icmp":
        data = summed(struct.pack("!BBHHH", 128 + (p["type"] & 1) if six else p["type"], 0, 0, 1, 1), 2, payload, six)
    elif l4 == "nd":
        data = summed(struct.pack("!BBHI", 135, 0, 0, 0) + socket.inet_pton(family, p["target"]), 2, b"", True)
    else:
        data = payload
    if six:
        return eth + struct.pack("!HIHBB", 0x86dd, 6 << 28 | p["tos"] << 20 | p["label"], len(data), number, p["ttl"]) + a + b + data
    if p["frag"] == "later":
        data = data[:4] # where there is room for one, the stock switch takes payload for a checksum, and mends it
    frag = {"no": 0, "first": 0x2000, "later": 0x00b9}[p["frag"]]
    head = struct.pack("!BBHHHBBH", 0x45, p["tos"], 20 + len(data), 1, frag, p["ttl"], number, 0) + a + b
    return eth + b"\x08\x00" + head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data
