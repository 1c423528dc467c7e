#!/usr/bin/env python3
"""Command lines of the real programs, made at random of the options that there are and of values
that nobody would give: each ends with an exit code of the table in docs, and never by a signal:
python3 Tests/CommandProcess/arguments_test.py

CAIRN_SEED repeats a run, CAIRN_LINES makes it longer. Needs the debug build ("make test" sees to
it); no database server is asked.
"""

import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "Scripts"))
from running_service import built

PROGRAMS = built()
ARCHIVE = HERE.parent / "Fixtures" / "mongodump-100.18" / "clinic.archive.gz"
LINE_COUNT = int(os.environ.get("CAIRN_LINES", "80"))
# Far more than any of them takes: what hangs is found, not what is slow.
SECONDS_MAX = 120
URI = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50&connectTimeoutMS=50"

COMMANDS = (
    "backup", "restore", "verify", "show", "list", "stats", "delete", "prune", "get", "find",
    "export", "diff", "index", "salvage", "kept", "tune", "serve", "token", "schedule show",
    "schedule set", "audit verify", "audit list",
)  # fmt: skip
VALUES = (
    "", "0", "-1", "1", "65", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "18446744073709551615", "1e308", "nan", "inf", "1s", "3660d", "9223372036854775807d",
    "9223372036854775807MiB", "16MiB", "9223372036854775807MB/s", "9223372036854775807docs", "*",
    "a.*", "*.*=*.*", "=", "*a" * 500 + ".b", "x" * 100_000, "clinic.users", "latest", "{}",
    '{"a":' * 3000, "[" * 50_000, "_id, a", "a..b", "csv", "json", "merge", "preview", "gzip",
    "\x01", "😀", "* * * * *", "0 0 30 2 *", "99999999999 * * * *", "/nowhere/at/all", "/dev/null/x",
    "9223372036854775807:" + "a" * 64, "admin", "2147483648", "65536",
)  # fmt: skip


def exit_codes():
    """Those of the table in docs/commands.md."""
    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    table = text.split("## Exit codes", 1)[1].split("\n## ", 1)[0]
    return {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}


def run(line, environment):
    """How a command line ends."""
    program = "cairn-server" if line[0] in ("serve", "token", "schedule", "audit") else "cairn"
    return subprocess.run(
        [PROGRAMS / program, *line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        check=False,
        timeout=SECONDS_MAX,
    )


class Arguments(unittest.TestCase):
    """With a folder of their own, and what is not to be reached, waited for or written fixed."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cairn-arguments-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        secret = self.folder / "secret"
        secret.write_text("a-secret-for-tests-0123456789-abcdef\n")
        secret.chmod(0o600)
        self.fixed = {
            "--uri": URI,
            "--repository": str(self.folder / "repository"),
            "--retry-for": "0s",
            "--lock-wait": "0s",
            "--to": "/nowhere/at/all",
            "--write-config": "/nowhere/at/all",
            "--state": str(self.folder / "state"),
            "--host": "300.1.1.1",
            "--service": "http://127.0.0.1:9",
            "--secret-file": str(secret),
        }
        self.environment = {**os.environ, "HOME": str(self.folder)}
        self.options = {command: self.options_of(command) for command in COMMANDS}

    def options_of(self, command):
        """Options with whether they take a value, as the help has them."""
        text = run([*command.split(), "--help"], self.environment).stdout.decode()
        found = re.findall(r"^  (--[a-z-]+)( <[^>]+>)?", text, re.MULTILINE)
        return [(name, bool(value)) for name, value in found if name not in ("--help", "--version")]

    def line(self, chance):
        """A command line."""
        command = chance.choice(COMMANDS)
        options = self.options[command]
        names = [name for name, _ in options]
        line = command.split()
        has_archive = "--archive" in names and chance.random() < 0.6
        if has_archive:
            line += ["--archive", str(ARCHIVE)]
        line += [chance.choice(VALUES) for _ in range(chance.randrange(3))]
        for name, takes_value in chance.choices(options, k=chance.randrange(6)) if options else ():
            line.append(name)
            if takes_value:
                line.append(chance.choice(VALUES))
        for name, value in self.fixed.items():
            if name not in names or name == "--repository" and has_archive:
                continue
            if name == "--to" and command in ("find", "export"):
                continue
            line += [name, value]
        return line

    def test_every_command_line_ends_with_an_exit_code(self):
        seed = int(os.environ.get("CAIRN_SEED", random.randrange(1 << 32)))
        print(f"arguments_test: seed {seed}")
        chance = random.Random(seed)
        allowed = exit_codes()
        self.assertIn(64, allowed)
        counts = {}
        for _ in range(LINE_COUNT):
            line = self.line(chance)
            found = run(line, self.environment)
            shown = [word[:80] for word in line]
            self.assertIn(found.returncode, allowed, (seed, shown, found.stderr[-2000:]))
            counts[found.returncode] = counts.get(found.returncode, 0) + 1
        print(f"arguments_test: {counts}")
        # Lines that are all refused by the parser would prove nothing.
        self.assertGreater(sum(count for code, count in counts.items() if code != 64), 3)

    def test_selections_beyond_the_limits_are_refused(self):
        patterns = [f"d{number}." + "x" * 205 for number in range(500)]
        many = [word for pattern in patterns for word in ("--ns-include", pattern)]
        for command in (("backup",), ("tune",), ("diff", "a", "b")):
            fixed = ["--repository", self.fixed["--repository"]]
            found = run([*command, *many, *fixed], self.environment)
            self.assertEqual(found.returncode, 64, found.stderr)
            self.assertIn(b"at most", found.stderr)



class Alone(unittest.TestCase):
    """The command line without the service's program beside it, as it may be installed."""

    def test_the_services_commands_say_what_is_missing(self):
        with tempfile.TemporaryDirectory(prefix="cairn-alone-") as folder:
            program = pathlib.Path(folder) / "cairn"
            shutil.copyfile(PROGRAMS / "cairn", program)
            program.chmod(0o755)
            for line in ("serve", "serve --help", "help serve", "token", "schedule show", "audit"):
                found = subprocess.run(
                    [program, *line.split()], capture_output=True, text=True, check=False,
                    timeout=SECONDS_MAX, stdin=subprocess.DEVNULL, env={"PATH": folder},
                )  # fmt: skip
                self.assertEqual(found.returncode, 1, (line, found.stderr))
                self.assertRegex(found.stderr, "^cairn: cairn-server is neither beside", line)
                self.assertEqual(len(found.stderr.splitlines()), 1, found.stderr)


if __name__ == "__main__":
    unittest.main()
