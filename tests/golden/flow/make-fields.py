#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes fields.txt: what the manual page ovs-fields(7) says of every field, one line each. The page describes only the first
of a series (reg0 … reg15): the others follow from it, and "ovs-ofctl parse-actions" is asked whether each code point means that.

    tests/golden/flow/make-fields.py
"""
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
SERIES = {"reg0": 16, "xreg0": 8, "xxreg0": 4, "tun_metadata0": 64}
CLASSES = [("NXM_OF_", 0x0000), ("NXM_NX_", 0x0001), ("OXM_OF_PKT_REG", 0x8001), ("OXM_OF_", 0x8000), ("ERICOXM_OF_", 0x1000)]


def page():
    text = subprocess.run("man ovs-fields | col -b", shell=True, capture_output=True, text=True, env=dict(os.environ, MANWIDTH="200")).stdout
    return [line for line in text.splitlines() if line.strip()]


def records(lines):
    """Each description as {"Name": …, "Width": …, …}."""
    record, key = None, None
    for line in lines:
        m = re.match(r"\s+([A-Z][\w. ]*):\t+(.*)", line)
        if m and m.group(1) == "Name":
            record = {}
        if record is None:
            continue
        if m:
            key = m.group(1)
            record[key] = m.group(2).strip()
        if "NXM" in record and not (m or "since" in line):
            yield record
            record = None


def code_points(record):
    for name, number in re.findall(r"(\w+) \((\d+)\)", record["OXM"] + "; " + record["NXM"]):
        yield name, int(number)


def check(name, number, n_bytes, full):
    """Asks the stock program what the code point is: a stack push has its header."""
    for prefix, oxm_class in CLASSES:
        if name.startswith(prefix):
            header = f"{oxm_class:04x}{number << 1:02x}{n_bytes:02x}"
            action = f"ffff001800002320001b0000{header}{full:04x}000000000000"
            out = subprocess.run(["ovs-ofctl", "parse-actions", "OpenFlow13"], input=action + "\n", capture_output=True, text=True).stdout
            m = re.search(r"actions=push:(\w+)\[\]", out)
            assert m, f"{name}: {out}"
            return m.group(1)
    return None  # experimenters' headers don't fit


def main():
    lines = []
    for r in records(page()):
        name, alias = re.match(r"(\w+)(?: \(aka (\w+)\))?", r["Name"]).groups()
        bits = int(re.match(r"(\d+) bits?", r["Width"]).group(1))
        low = re.search(r"least-significant (\d+) bit", r["Width"])
        points = list(code_points(r))
        for i in range(SERIES.get(name, 1)):
            def nth(text):
                return re.sub(r"0$", str(i), text) if name in SERIES else text
            these = [(nth(p), number + i) for p, number in points]
            full = int(low.group(1)) if low else bits
            for p, number in these:
                check(p, number, bits // 8, full)
            lines.append("; ".join([nth(name), alias or "-", str(bits // 8), str(full), r["Format"], r["Masking"], r["Prerequisites"], r["Access"],
                                    ", ".join(f"{p} {number}" for p, number in these) or "none"]))
    with open(os.path.join(HERE, "fields.txt"), "w") as f:
        f.write("# ovs-fields(7): name; alias; bytes; significant bits; format; masking; prerequisites; access; code points. See make-fields.py.\n")
        f.write("\n".join(lines) + "\n")


main()
