# SPDX-License-Identifier: Apache-2.0
# A client of a database server, over a Unix socket: one JSON value after the other (RFC 7047 section 4).
import json
import socket


class Client:
    def __init__(self, path, timeout):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(path)
        self.s.settimeout(timeout)
        self.buf, self.n, self.decoder = "", 0, json.JSONDecoder()
        self.far = 0  # added to ids

    def receive(self):
        while True:
            text = self.buf.lstrip()
            if text:
                try:
                    value, end = self.decoder.raw_decode(text)
                    self.buf = text[end:]
                    return value
                except ValueError:
                    pass
            data = self.s.recv(1 << 20)
            if not data:
                raise EOFError
            self.buf += data.decode()

    def send(self, method, *params):
        self.n += 1
        n = self.n + self.far
        self.s.sendall(json.dumps({"id": n, "method": method, "params": list(params)}).encode())
        return n

    def call(self, method, *params):
        """(the reply, what came before it)"""
        n, notes = self.send(method, *params), []
        while True:
            m = self.receive()
            if m.get("id") == n and "method" not in m:
                m.pop("id")
                return m, notes
            notes.append(m)
