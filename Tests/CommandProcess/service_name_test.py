#!/usr/bin/env python3
"""Connection strings that leave it to DNS where the servers are (`mongodb+srv`), with a DNS server
and resolvers of the test's own: python3 Tests/CommandProcess/service_name_test.py

Needs the debug build and a C compiler ("make test" sees to both).
"""

import contextlib
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "Scripts"))
from running_service import built, private_mongod

PROGRAMS = built()
# Less than the two minutes for which a server that was reached once is waited for.
SECONDS_MAX = 90
DOMAIN = "cairn.test"

# Sends what the C library asks of DNS to the test's server, and has names of its domain lead here.
RESOLVER = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

int __res_ninit(res_state state) {
    int (*next)(res_state) = dlsym(RTLD_NEXT, "__res_ninit");
    int status = next(state);
    state->nscount = 1;
    state->nsaddr_list[0].sin_family = AF_INET;
    state->nsaddr_list[0].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    state->nsaddr_list[0].sin_port = htons(atoi(getenv("CAIRN_TEST_DNS")));
    state->retrans = 1;
    state->retry = 2;
    return status;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    if (name && strstr(name, ".cairn.test")) name = "127.0.0.1";
    return next(name, service, hints, found);
}
"""


class NameServer:
    """Answers for services with a place each; whatever it is not told of does not exist."""

    SERVICE, UNKNOWN_NAME = 33, 3

    def __init__(self):
        self.ports = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                query, place = self.socket.recvfrom(4096)
                self.socket.sendto(self._answer(query), place)

    def _answer(self, query):
        labels, offset = [], 12
        while length := query[offset]:
            labels.append(query[offset + 1 : offset + 1 + length].decode())
            offset += 1 + length
        question = query[12 : offset + 5]
        port = self.ports.get(".".join(labels[2:]))
        kind = struct.unpack("!H", query[offset + 1 : offset + 3])[0]
        records = b""
        if port is not None and kind == self.SERVICE:
            parts = f"node.{DOMAIN}".split(".")
            target = b"".join(bytes([len(part)]) + part.encode() for part in parts) + b"\0"
            data = struct.pack("!HHH", 0, 0, port) + target
            records = struct.pack("!HHHIH", 0xC00C, self.SERVICE, 1, 60, len(data)) + data
        flags = 0x8180 | (self.UNKNOWN_NAME if port is None else 0)
        counts = struct.pack("!HHHHH", flags, 1, 1 if records else 0, 0, 0)
        return query[:2] + counts + question + records

    def close(self):
        self.socket.close()


class ServiceNames(unittest.TestCase):
    """With a name server for each."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="cairn-names-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "resolver.c").write_text(RESOLVER)
        compiler = shutil.which("cc") or shutil.which("clang")
        subprocess.run(
            [
                compiler, "-shared", "-fPIC", "-o", cls.folder / "resolver.so",
                cls.folder / "resolver.c", "-ldl",
            ],
            check=True,
        )  # fmt: skip

    def setUp(self):
        self.names = NameServer()
        self.addCleanup(self.names.close)

    def cairn(self, command, service, query="", *options):
        """What a command does with a server that DNS names."""
        uri = f"mongodb+srv://{service}.{DOMAIN}/?tls=false{query}"
        return subprocess.run(
            [PROGRAMS / "cairn", command, "--uri", uri, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_MAX,
            env=os.environ
            | {
                "LD_PRELOAD": str(self.folder / "resolver.so"),
                "CAIRN_TEST_DNS": str(self.names.port),
            },
        )

    def test_a_name_that_is_not_known_is_an_error_at_once(self):
        found = self.cairn("kept", "nowhere")
        self.assertEqual(found.returncode, 1, found.stderr)
        self.assertIn(f"the servers of nowhere.{DOMAIN} can't be looked up", found.stderr)

    def test_what_was_never_reached_is_not_waited_for(self):
        self.names.ports[f"db.{DOMAIN}"] = 1
        repository = self.folder / "repository"
        found = self.cairn("backup", "db", "", "--repository", repository)
        self.assertEqual(found.returncode, 1, found.stderr)
        self.assertIn(f"the server node.{DOMAIN}:1 can't be reached", found.stderr)
        self.assertIn("the connection was refused", found.stderr)

    def test_a_server_that_dns_names_is_used(self):
        with private_mongod(PROGRAMS, "tiny:50") as uri:
            self.names.ports[f"db.{DOMAIN}"] = urllib.parse.urlsplit(uri).port
            repository = self.folder / "used"
            found = self.cairn("backup", "db", "", "--repository", repository)
            self.assertEqual(found.returncode, 0, found.stderr)
            found = self.cairn("kept", "db", "&replicaSet=other")
            self.assertEqual(found.returncode, 1, found.stderr)
            self.assertIn('belongs to the replica set "rs0", not "other"', found.stderr)

    def test_a_name_that_is_known_only_later_is_waited_for_when_asked(self):
        with private_mongod(PROGRAMS, "tiny:50") as uri:
            port = urllib.parse.urlsplit(uri).port

            def name_it():
                time.sleep(3)
                self.names.ports[f"db.{DOMAIN}"] = port

            threading.Thread(target=name_it, daemon=True).start()
            options = ("--repository", self.folder / "later", "--retry-for", "60s")
            found = self.cairn("backup", "db", "", *options)
            self.assertEqual(found.returncode, 0, found.stderr)


if __name__ == "__main__":
    unittest.main()
