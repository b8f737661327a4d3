# SPDX-License-Identifier: Apache-2.0
# What datapath actions, as text, do to a packet: the list of what leaves, where, and with which headers. Two texts that give the same list are the same translation.
import ipaddress
import re


def number(text):
    if re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", text):
        return int(text.replace(":", ""), 16)
    if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", text) or ":" in text:
        return int(ipaddress.ip_address(text))
    return int(text, 0)


def split(text):
    """At commas outside parentheses."""
    out, depth, start = [], 0, 0
    for i, ch in enumerate(text):
        depth += (ch == "(") - (ch == ")")
        if ch == "," and not depth:
            out.append(text[start:i])
            start = i + 1
    return [t for t in out + [text[start:]] if t]


class State:
    def __init__(self, vlans, fields):
        self.vlans, self.fields = vlans, fields

    def copy(self):
        return State(list(self.vlans), dict(self.fields))

    def frozen(self):
        return tuple(self.vlans), tuple(sorted(self.fields.items()))


def initial(p):
    """State of a packet of pipelines.py."""
    f = {"eth.src": number(p["src"]), "eth.dst": number(p["dst"]), "skb_mark": 0, "skb_priority": 0}
    if p["l3"] in ("ip", "ip6"):
        kind = "ipv4" if p["l3"] == "ip" else "ipv6"
        f.update({kind + ".src": number(p["a"]), kind + ".dst": number(p["b"])})
        f.update({"ipv4.tos": p["tos"], "ipv4.ttl": p["ttl"]} if kind == "ipv4" else {"ipv6.tclass": p["tos"], "ipv6.hlimit": p["ttl"], "ipv6.label": p["label"]})
        if p["l4"] in ("tcp", "udp", "sctp"):
            f.update({p["l4"] + ".src": p["sport"], p["l4"] + ".dst": p["dport"]})
        if p["l4"] == "nd":
            f["nd.target"] = number(p["target"])
    elif p["l3"] == "arp":
        f.update({"arp.sip": number(p["a"]), "arp.tip": number(p["b"]), "arp.op": p["op"], "arp.sha": number(p["sha"]), "arp.tha": number(p["tha"])})
    return State([(0x8100,) + p["vlan"]] if p["vlan"] else [], f)


def run(text, s, out):
    for a in split(text):
        name, _, args = a.partition("(")
        args = args[:-1]
        if name.isdigit():
            out.append((name, s.frozen()))
        elif name == "pop_vlan":
            s.vlans.pop(0)
        elif name == "push_vlan":
            v = dict(kv.split("=") for kv in split(args))
            s.vlans.insert(0, (int(v.get("tpid", "0x8100"), 0), int(v["vid"]), int(v["pcp"])))
        elif name == "set":
            kind, _, args = args.partition("(")
            for kv in split(args[:-1]):
                key, eq, value = kv.partition("=")
                key, value = (kind + "." + key, value) if eq else (kind, key)
                if eq and key.endswith(".proto") or key.endswith(".frag"):
                    continue
                value, _, mask = value.partition("/")
                m = number(mask) if mask else -1
                s.fields[key] = (s.fields.get(key, 0) & ~m) | (number(value) & m)
        elif name == "clone":
            run(args, s.copy(), out)
        elif name == "userspace":
            out.append((re.sub(r"recirc_id=\d+,?|pid=\d+,?", "", args), s.frozen()))
        elif name == "drop":
            pass
        else:
            raise ValueError(a)
    return out


def effects(text, packet):
    return run(text, initial(packet), [])


def mask_bits(mega):
    """How many bits a megaflow, as ofproto/trace prints it, matches."""
    exact = {"in_port": 0, "dl_src": 48, "dl_dst": 48, "dl_vlan": 13, "dl_vlan_pcp": 3, "nw_src": 32, "nw_dst": 32, "ipv6_src": 128, "ipv6_dst": 128, "arp_spa": 32, "arp_tpa": 32,
             "arp_sha": 48, "arp_tha": 48, "arp_op": 16, "nw_proto": 8, "nw_tos": 6, "nw_ecn": 2, "nw_ttl": 8, "tp_src": 16, "tp_dst": 16, "icmp_type": 8, "icmp_code": 8, "tcp_flags": 12,
             "ipv6_label": 20, "nd_target": 128, "vlan_tci": 16, "pkt_mark": 32, "skb_priority": 32, "recirc_id": 0, "nw_frag": 0, "dl_type": 0, "vlan_tci1": 0, "mpls_label": 20}
    n = 0
    for word in mega.split(","):
        key, eq, value = word.partition("=")
        if not eq:
            n += 8 if key in ("tcp", "udp", "icmp", "icmp6", "tcp6", "udp6", "sctp", "sctp6") else 0
            continue
        value, _, mask = value.partition("/")
        if key == "tcp_flags" and re.match(r"[-+]", value):
            n += len(re.findall(r"[-+]", value))
        elif not mask:
            n += exact[key]
        elif mask.isdigit() and key in ("nw_src", "nw_dst", "ipv6_src", "ipv6_dst", "arp_spa", "arp_tpa", "nd_target"):
            n += int(mask)
        else:
            n += bin(number(mask)).count("1")
    return n
