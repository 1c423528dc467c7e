#!/usr/bin/env python3
"""The commands of the service as people and scripts have them: what fails is told in words and, for
scripts, as JSON: python3 Tests/ServiceProcess/commands_test.py

Needs the debug build ("make test" sees to it); no database server is asked.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Scripts"))
from running_service import Service, built

PROGRAMS = built()
# Nothing listens there.
URI = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"


def run(program, *arguments):
    """What a command prints, and how it ends."""
    command = [PROGRAMS / program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Commands(unittest.TestCase):
    """With a folder of their own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cairn-commands-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.service = Service(PROGRAMS, self.folder, URI)
        self.addCleanup(self.service.__exit__)

    def test_help_of_the_services_commands_is_theirs(self):
        for name, option in (
            ("serve", "--request-share"), ("token", "--expires"), ("schedule", "show"),
            ("audit", "verify"),
        ):  # fmt: skip
            for arguments in (("help", name), (name, "--help")):
                found = run("cairn", *arguments)
                self.assertEqual(found.returncode, 0, found.stderr)
                self.assertIn(option, found.stdout)

    def test_a_failure_is_an_object_too(self):
        missing = self.folder / "nothing"
        nowhere = ("--service", "http://127.0.0.1:9", "--secret-file", self.service.secret)
        for arguments, status, words in (
            (("audit", "verify", "--state", missing), 1, "nothing"),
            (("audit", "list", "--state", missing), 1, "nothing"),
            (("schedule", "show", *nowhere), 1, "nobody listens there"),
            (("schedule", "set", "* * * * *", *nowhere), 1, "nobody listens there"),
            (("schedule", "show", "--no-such-option"), 64, "--no-such-option"),
        ):
            found = run("cairn-server", *arguments, "--json")
            self.assertEqual(found.returncode, status, found)
            told = json.loads(found.stdout)
            self.assertEqual(told["exit_code"], status)
            self.assertIn(words, told["error"]["message"])
            self.assertTrue(told["error"]["code"])
            self.assertIn(words, found.stderr)

    def test_what_keeps_the_service_from_starting_is_named(self):
        self.service.start(is_ready=False)
        place = ("--repository", self.folder / "r", "--state", self.folder / "s", "--uri", URI)
        secret = ("--secret-file", self.service.secret)
        keys = self.folder / "keys.json"
        keys.write_text("no JSON")
        for arguments, words in (
            ((*secret, "--port", self.service.port), f"port {self.service.port}: Address already"),
            ((*secret, "--host", "300.1.1.1"), "--host 300.1.1.1"),
            (("--jwks", keys), "the keys for tokens can't be used"),
            ((*secret, "--algorithm", "ES256"), "--algorithm goes with --jwks"),
        ):
            found = run("cairn-server", "serve", *place, *arguments)
            self.assertNotEqual(found.returncode, 0)
            self.assertIn(words, found.stderr)

    def test_the_schedule_is_shown_with_all_that_was_set(self):
        self.service.start(is_ready=False)
        place = (
            "--service", f"http://127.0.0.1:{self.service.port}",
            "--secret-file", self.service.secret,
        )  # fmt: skip
        made = run(
            "cairn-server", "schedule", "set", "15 3 * * *", "--db", "shop", "--codec", "zstd",
            "--level", "3", "--keep-days", "14", "--keep-weekly", "4", "--description", "nightly",
            *place,
        )  # fmt: skip
        self.assertEqual(made.returncode, 0, made.stderr)
        for found in (made, run("cairn-server", "schedule", "show", *place)):
            for words in ("shop; codec zstd; level 3", '"nightly"', "14 days, 4 weekly"):
                self.assertIn(words, found.stdout)
        off = run("cairn-server", "schedule", "off", *place)
        self.assertIn("shop; codec zstd", off.stdout)


if __name__ == "__main__":
    unittest.main()
