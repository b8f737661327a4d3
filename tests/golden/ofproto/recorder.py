#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A listener that plays just enough of a switch to record what a stock OpenFlow client sends."""
import os
import socket
import struct
import subprocess
import tempfile
import threading


def serve(conn, version, got):
    buf = b""
    while True:
        try:
            data = conn.recv(65536)
        except OSError:
            return
        if not data:
            return
        buf += data
        while len(buf) >= 8:
            _, kind, length, xid = struct.unpack(">BBHI", buf[:8])
            if len(buf) < length:
                break
            message, buf = buf[:length], buf[length:]
            if kind:
                got.append(message)
            answer = reply(message, kind, version)
            if answer is not None:
                conn.sendall(struct.pack(">BBHI", version, answer[0], 8 + len(answer[1]), xid) + answer[1])


def reply(message, kind, version):
    multipart = 16 if version == 1 else 18
    if kind == 0:
        return 0, b""
    if kind == 2:
        return 3, message[8:]
    if kind == 5:
        return 6, struct.pack(">QIB3xII", 1, 0, 254, 0x7, 0xFFF)
    if kind == 7:
        return 8, struct.pack(">HH", 0, 0)
    if kind == (18 if version == 1 else 20):
        return kind + 1, b""
    if kind == multipart:
        stat = struct.unpack(">H", message[8:10])[0]
        head = message[8:10] + b"\0\0" + (b"" if version == 1 else b"\0" * 4)
        body = b""
        if stat == 0xFFFF:
            head += message[len(head) + 8:24]
        if stat == 2 or stat == 0xFFFF and message[16:20] == b"\0\0\0\1":
            body = struct.pack(">QQI4x", 1, 2, 3)
        if stat == 12:
            body = struct.pack(">HB5x32sQQII", 64, 0, b"classifier", 0, 0, 3, 1000)
        if stat == 0:
            body = b"\0" * 1056
        return kind + 1, head + body
    return None


def record(version, command):
    """Messages (but for hellos) that the command sends, and what it says; SOCK is replaced by the target."""
    got = []
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)

        def accept():
            while True:
                try:
                    conn, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(conn, version, got), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        done = subprocess.run([a.replace("SOCK", "unix:" + path) for a in command], capture_output=True, text=True,
                              timeout=20, check=False)
        listener.close()
    return got, done.stdout + done.stderr
