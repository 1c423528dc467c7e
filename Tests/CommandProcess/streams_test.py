#!/usr/bin/env python3
"""The command line without the streams that it was made for: closed ones, full disks, pipes that
nobody reads: python3 Tests/CommandProcess/streams_test.py

Needs the debug build ("make test" sees to it); no database server is asked.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Scripts"))
from running_service import built

PROGRAMS = built()
ARCHIVE = HERE.parent / "Fixtures" / "mongodump-100.18" / "clinic.archive.gz"
# Far more than any of them takes: what hangs is found, not what is slow.
SECONDS_MAX = 120
# Nothing listens there.
URI = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"


def shell(redirection, program, *arguments):
    """What a command does whose streams the shell has changed: `>&-`, `2>&-`, `> /dev/full`."""
    return subprocess.run(
        ["bash", "-c", f'exec "$@" {redirection}', "-", PROGRAMS / program, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )


class Streams(unittest.TestCase):
    """With a folder of their own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cairn-streams-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.repository = self.folder / "repository"

    def indexed(self):
        """A snapshot in the repository."""
        made = shell("", "cairn", "index", ARCHIVE, "--repository", self.repository, "--quiet")
        self.assertEqual(made.returncode, 0, made.stderr)

    def results(self):
        """Commands that are done for what they write to standard output."""
        place = ("--repository", self.repository)
        return (
            ("export", "latest", "clinic.users", "--format", "json", *place),
            ("export", "--archive", ARCHIVE, "clinic.users", "--format", "csv", "--fields", "_id"),
            ("find", "--archive", ARCHIVE, "clinic.users"),
            ("find", "--archive", ARCHIVE, "clinic.users", "--count"),
            ("get", "--archive", ARCHIVE, "clinic.users", "1"),
            ("salvage", ARCHIVE, "--to", "-"),
            ("index", ARCHIVE, "--to", "-"),
            ("backup", "--archive", "-", "--uri", URI),
            ("restore", "--archive", ARCHIVE, "--mode", "preview", "--uri", URI),
            ("show", "--archive", ARCHIVE),
            ("list", *place),
            ("stats", *place),
            ("prune", "--dry-run", *place),
            ("kept", "--uri", URI),
            ("diff", ARCHIVE, ARCHIVE),
        )

    def locks(self):
        """Files of locks that are there."""
        return [path.name for path in self.repository.glob(".*.lock")]

    def test_without_an_output_what_is_done_for_it_fails_at_once(self):
        self.indexed()
        for closed in (">&-", "<&- >&-", "1< /dev/null", "2>&- >&-"):
            for arguments in self.results():
                found = shell(closed, "cairn", *arguments)
                self.assertEqual(found.returncode, 1, (closed, arguments, found.stderr))
                if "2>&-" not in closed:
                    self.assertIn("standard output is closed", found.stderr)
                    self.assertIn("nothing was done", found.stderr)
                self.assertEqual(found.stdout, "")
        self.assertEqual(self.locks(), [])

    def test_without_an_output_other_commands_say_so_before_and_do_their_work(self):
        target = self.folder / "made.archive.gz"
        found = shell(">&-", "cairn", "index", ARCHIVE, "--to", target)
        self.assertEqual(found.returncode, 1, found.stderr)
        first, rest = found.stderr.split("\n", 1)
        self.assertIn("standard output is closed", first)
        self.assertIn("the job is done, only its report was not written", rest)
        checked = shell("", "cairn", "verify", "--archive", target, "--quiet")
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_an_archive_is_never_written_over_a_stream(self):
        for closed in ("<&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"):
            target = self.folder / f"made{len(closed)}.archive.gz"
            found = shell(closed, "cairn", "index", ARCHIVE, "--to", target, "--quiet")
            self.assertEqual(found.returncode, 1 if ">&- " in closed else 0, found.stderr)
            checked = shell("", "cairn", "verify", "--archive", target, "--quiet")
            self.assertEqual(checked.returncode, 0, (closed, checked.stderr))

    def test_without_an_input_what_reads_it_fails_at_once(self):
        for arguments in (
            ("index", "-", "--to", self.folder / "x"),
            ("salvage", "-", "--to", self.folder / "x"),
            ("verify", "--archive", "-"),
            ("show", "--archive", "-"),
            ("restore", "--archive", "-", "--mode", "replace", "--uri", URI),
        ):
            for closed in ("<&-", "0> /dev/null"):
                found = shell(closed, "cairn", *arguments)
                self.assertEqual(found.returncode, 1, (arguments, found))
                self.assertIn("standard input", found.stderr)
        self.assertEqual(list(self.folder.glob("x*")), [])

    def test_a_full_disk_is_an_error(self):
        self.indexed()
        for arguments in self.results():
            if URI in arguments:
                continue
            found = shell("> /dev/full", "cairn", *arguments)
            expected = 1
            if arguments[0] == "get":
                expected = found.returncode
            self.assertEqual(found.returncode, expected, (arguments, found.stderr))
            self.assertTrue(found.stderr)
        self.assertEqual(self.locks(), [])

    def test_a_reader_that_is_gone_ends_a_command_quietly(self):
        self.indexed()
        for arguments in (
            ("export", "--archive", ARCHIVE, "clinic.session_bookings", "--format", "ndjson"),
            ("find", "--archive", ARCHIVE, "clinic.session_bookings"),
            ("show", "--archive", ARCHIVE),
            ("list", "--repository", self.repository),
            ("--help",),
            ("export", "--help"),
        ):
            reading, writing = os.pipe()
            os.close(reading)
            try:
                found = subprocess.run(
                    [PROGRAMS / "cairn", *map(str, arguments)],
                    stdin=subprocess.DEVNULL,
                    stdout=writing,
                    stderr=subprocess.PIPE,
                    text=True,
                    check=False,
                    timeout=SECONDS_MAX,
                )
            finally:
                os.close(writing)
            self.assertEqual(found.returncode, 1, (arguments, found.stderr))
            self.assertEqual(found.stderr, "", arguments)

    def test_an_archive_whose_reader_is_gone_is_told(self):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            found = subprocess.run(
                [PROGRAMS / "cairn", "index", ARCHIVE, "--to", "-"],
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                timeout=SECONDS_MAX,
            )
        finally:
            os.close(writing)
        self.assertEqual(found.returncode, 1)
        self.assertIn("standard output", found.stderr)

    def test_an_output_that_does_not_block_is_written_whole(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        arguments = ("find", "--archive", ARCHIVE, "clinic.session_bookings")
        process = subprocess.Popen(
            [PROGRAMS / "cairn", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
        )
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            text = pipe.read()
        process.communicate(timeout=SECONDS_MAX)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(text.count(b"\n"), 3000)

    def test_the_services_commands_know_it_too(self):
        secret = self.folder / "secret"
        secret.write_text("a-secret-for-tests-0123456789-abcdef\n")
        secret.chmod(0o600)
        token = ("token", "--secret-file", secret, "--role", "admin", "--subject", "ann")
        for program in ("cairn", "cairn-server"):
            for redirection, words in (
                (">&-", "nothing was done"),
                ("> /dev/full", "No space left"),
            ):
                found = shell(redirection, program, *token)
                self.assertEqual(found.returncode, 1, found.stderr)
                self.assertIn(words, found.stderr)
            self.assertEqual(shell("2>&- <&-", program, *token).returncode, 0)


if __name__ == "__main__":
    unittest.main()
