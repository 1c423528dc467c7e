#!/usr/bin/env python3
"""The most memory that the command line takes with documents of almost 16 MiB, all of which differ
between snapshot and server: python3 Tests/ServiceProcess/memory_test.py

Needs the debug build and a mongod ("make test" sees to both). What counts is the kernel's figure
for each process: ru_maxrss of wait4.
"""

import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Scripts"))
from running_service import built

PROGRAMS = built()
# What the README promises.
BOUND_MIB = 256
DOCUMENT_COUNT = 10
FILL_BYTES = int(15.9 * 1024 * 1024) - 100


def document(*fields):
    body = b"".join(fields)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def number(name, value):
    return b"\x10" + name.encode() + b"\0" + struct.pack("<i", value)


def string(name, value):
    text = value.encode() + b"\0"
    return b"\x02" + name.encode() + b"\0" + struct.pack("<i", len(text)) + text


def binary(name, value):
    return b"\x05" + name.encode() + b"\0" + struct.pack("<iB", len(value), 0) + value


class Connection:
    """As much of the wire protocol as it takes to insert documents and to drop a collection."""

    def __init__(self, uri):
        address = urllib.parse.urlsplit(uri)
        self.socket = socket.create_connection((address.hostname, address.port))

    def run(self, command, documents=()):
        body = b"\0" + command
        if documents:
            sequence = b"documents\0" + b"".join(documents)
            body += b"\x01" + struct.pack("<i", len(sequence) + 4) + sequence
        head = struct.pack("<iiiii", len(body) + 20, 1, 0, 2013, 0)
        self.socket.sendall(head + body)
        length = struct.unpack("<i", self.read(4))[0]
        reply = self.read(length - 4)
        if b"ok\0" + struct.pack("<d", 1) not in reply or b"writeErrors" in reply:
            raise AssertionError(f"the server answers {reply[:500]}")

    def read(self, count):
        data = b""
        while len(data) < count:
            some = self.socket.recv(min(65536, count - len(data)))
            if not some:
                raise AssertionError("the server closed the connection")
            data += some
        return data

    def fill(self, salt):
        """Makes the collection of documents that differ for each salt, under the same _ids."""
        for identifier in range(DOCUMENT_COUNT):
            # Random, so that what is stored is as large as what is not compressed.
            fill = os.urandom(1 << 20) * 15
            fill += bytes(FILL_BYTES - len(fill))
            made = document(number("_id", identifier), number("salt", salt), binary("fill", fill))
            self.run(document(string("insert", "large"), string("$db", "m")), [made])

    def drop(self):
        self.run(document(string("drop", "large"), string("$db", "m")))


class LargeDocuments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="cairn-memory-")
        command = [PROGRAMS / "cairn-demo", "serve", "--data-set", "small:0:nothing"]
        cls.server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        cls.uri = cls.server.stdout.readline().strip()
        cls.connection = Connection(cls.uri)

    @classmethod
    def tearDownClass(cls):
        cls.connection.socket.close()
        cls.server.stdin.close()
        cls.server.wait()
        cls.server.stdout.close()
        cls.folder.cleanup()

    def cairn(self, *arguments, code=0):
        """Runs a command, which must end like that and stay within the bound."""
        environment = {
            **os.environ,
            "MONGODB_URI": self.uri,
            "CAIRN_REPOSITORY": self.folder.name + "/repository",
        }
        with self.subTest(" ".join(arguments)), tempfile.TemporaryFile() as output:
            streams = [(os.POSIX_SPAWN_DUP2, output.fileno(), stream) for stream in (1, 2)]
            command = [str(PROGRAMS / "cairn"), *arguments]
            pid = os.posix_spawn(command[0], command, environment, file_actions=streams)
            _, status, usage = os.wait4(pid, 0)
            output.seek(0)
            said = output.read().decode(errors="replace")[-2000:]
            self.assertEqual(os.waitstatus_to_exitcode(status), code, said)
            self.assertLessEqual(usage.ru_maxrss / 1024, BOUND_MIB, " ".join(arguments))

    def test_no_command_takes_more_than_the_bound(self):
        self.connection.fill(1)
        for codec in ("gzip", "lz4"):
            self.cairn("backup", "--db", "m", "--codec", codec)
        self.cairn("verify", "latest")
        export = self.folder.name + "/export"
        self.cairn("export", "latest", "m.large", "--format", "bson", "--to", export)
        self.connection.drop()
        self.connection.fill(2)
        restore = ("restore", "latest", "--mode")
        self.cairn(*restore, "preview", "--samples", "1000")
        self.cairn("diff", "latest", "--live", code=4)
        self.cairn(*restore, "merge", "--on-conflict", "keep")
        self.cairn(*restore, "merge")
        self.connection.drop()
        self.connection.fill(3)
        self.cairn(*restore, "replace", "--in-place")
        self.cairn(*restore, "replace")


if __name__ == "__main__":
    unittest.main()
