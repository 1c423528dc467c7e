#!/usr/bin/env python3
"""Programs that are told to end, and a service whose disk is full:
python3 Tests/ServiceProcess/ending_test.py

Needs the debug build and a mongod ("make test" sees to both). The full disk is a small file system
in memory, which takes root; elsewhere that test is skipped and says so.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Scripts"))
from running_service import NO_LIMITS, Service, built, private_mongod, temporary_service

PROGRAMS = built()
# Nothing listens there, so that jobs fail and requests do not.
URI = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"
# What ends by itself does so long before; what hangs, never.
GENEROUS_SECONDS = 150
GAVE_UP = 13


@contextlib.contextmanager
def small_disk(size):
    """A file system of its own in memory; gives its folder."""
    with tempfile.TemporaryDirectory(prefix="cairn-disk-") as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
        found = subprocess.run(command, capture_output=True, text=True)
        if found.returncode != 0:
            raise unittest.SkipTest(f"no file system can be mounted here: {found.stderr.strip()}")
        try:
            yield pathlib.Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Takes all of the space that is left; gives the file that has it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return ballast


class FullDisk(unittest.TestCase):
    """The state's disk is full."""

    def test_nothing_is_removed_that_cannot_be_written_down(self):
        with small_disk("3m") as disk, tempfile.TemporaryDirectory() as folder:
            service = Service(PROGRAMS, folder, URI, NO_LIMITS)
            service.state.symlink_to(disk)
            service.start(is_ready=False)
            self.addCleanup(service.__exit__)
            # Damaged, but a backup all the same.
            backup = "20261123T084512Z-manual-3f9a1c"
            archive = service.repository / f"{backup}.archive.gz"
            archive.write_bytes(b"no archive")
            ballast = fill(disk)
            # What is left of the write-ahead log may be written still.
            for _ in range(1000):
                if service.post("/backup/create").status == 503:
                    break
            path = f"/backup/{backup}?force=true"
            refused = service.call("DELETE", path)
            self.assertEqual(refused.status, 503, refused.body)
            self.assertEqual(refused.json["code"], "no_space")
            self.assertTrue(archive.exists())
            time.sleep(1.1)  # for as long readiness is remembered
            ready = service.get("/readyz", base="")
            self.assertEqual(ready.status, 503)
            states = [check for check in ready.json["checks"] if check["name"] == "state"]
            self.assertEqual(states[0]["code"], "no_space")
            self.assertEqual(service.get("/backup/list").status, 200)
            self.assertEqual(service.get("/healthz", base="").status, 200)
            ballast.unlink()
            self.assertEqual(service.call("DELETE", path).status, 204)
            self.assertFalse(archive.exists())
            self.assertEqual(service.stop(), 0)
            log = json.loads(service.run("audit", "list", "--state", service.state, "--json"))
            outcomes = [e["outcome"] for e in log if e["action"] == "backup.delete"]
            self.assertEqual(outcomes, ["accepted", "allowed"])
            service.run("audit", "verify", "--state", service.state)


class Stopped(unittest.TestCase):
    """The database server is stopped (SIGSTOP) while a job waits for it."""

    def test_the_service_ends_in_its_time(self):
        options = (*NO_LIMITS, "--grace", "1s", "--cancel-timeout", "2s")
        with temporary_service(PROGRAMS, "orders:100000", options=options) as service:
            service.start()
            job = service.post("/backup/create", {"databases": ["orders"]}).json["job_id"]

            def begun():
                progress = service.job(job)["progress"]
                return progress and progress["documents"] > 0

            service.wait_for(begun, "the backup reads", interval=0.005)
            port = service.uri.split(":")[2].split("/")[0]
            server = mongod_at(port)
            os.kill(server, signal.SIGSTOP)
            try:
                service.process.send_signal(signal.SIGTERM)
                status = service.process.wait(GENEROUS_SECONDS)
            finally:
                os.kill(server, signal.SIGCONT)
            self.assertIn(status, (0, GAVE_UP), service.log_end())
            if status == GAVE_UP:
                lines = map(json.loads, service.log.read_text().splitlines())
                told = [line for line in lines if line.get("job_id") == job and "phase" in line]
                self.assertTrue(told, service.log_end())
            service.start(is_ready=False)
            self.assertIn(service.job(job)["status"], ("FAILED", "CANCELED", "SUCCEEDED"))


def mongod_at(port):
    """The process that listens on a port."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"mongod" in words[0] and port.encode() in words:
                return int(folder.name)
    raise AssertionError(f"no mongod listens on port {port}")


class CommandLine(unittest.TestCase):
    """A command whose database server is stopped: it waits in a call that can't be cancelled."""

    @classmethod
    def setUpClass(cls):
        cls.scope = private_mongod(PROGRAMS, "orders:20000")
        cls.uri = cls.scope.__enter__()
        cls.server = mongod_at(cls.uri.split(":")[2].split("/")[0])

    @classmethod
    def tearDownClass(cls):
        os.kill(cls.server, signal.SIGCONT)
        cls.scope.__exit__(None, None, None)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cairn-ending-")
        self.addCleanup(folder.cleanup)
        self.repository = folder.name
        os.kill(self.server, signal.SIGCONT)

    def start(self, stderr):
        """A backup that reads slowly, when its server is stopped."""
        process = subprocess.Popen(
            [
                PROGRAMS / "cairn", "backup", "--uri", self.uri, "--repository", self.repository,
                "--max-rate", "100docs",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, text=True,
        )  # fmt: skip
        self.addCleanup(process.kill)
        end = time.monotonic() + GENEROUS_SECONDS
        while time.monotonic() < end and process.poll() is None:
            if any(pathlib.Path(self.repository).glob(".*")):
                os.kill(self.server, signal.SIGSTOP)
                return process
            time.sleep(0.01)
        self.fail(f"nothing is written: {process.poll()}")

    def test_it_ends_by_itself_after_one_signal(self):
        process = self.start(subprocess.PIPE)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=GENEROUS_SECONDS)
        self.assertEqual(process.returncode, 130, told)
        self.assertIn("cairn: ", told)

    def test_it_ends_at_once_after_two(self):
        process = self.start(subprocess.DEVNULL)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
        self.assertIn(process.returncode, (130, -signal.SIGINT))

    def test_standard_error_that_nobody_reads_keeps_nothing(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        process = self.start(writer)
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x")
        os.set_blocking(writer, True)
        os.close(writer)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(1)  # so that both are seen: signals of one kind are one
        process.send_signal(signal.SIGINT)
        self.assertIn(process.wait(GENEROUS_SECONDS), (130, -signal.SIGINT))


if __name__ == "__main__":
    unittest.main()
