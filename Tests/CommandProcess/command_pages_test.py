#!/usr/bin/env python3
"""docs/commands.md and the man pages, which are made of the commands' own help:
python3 Tests/CommandProcess/command_pages_test.py

CAIRN_REGENERATE=1 writes docs/commands.md anew. Needs the debug build ("make test" sees to it).
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Scripts"))
from running_service import built

PAGE = ROOT / "docs/commands.md"
SCRIPT = ROOT / "Scripts/command_pages"
PROGRAMS = [built() / "cairn", built() / "cairn-server"]
# Requests of roff that the script writes.
REQUESTS = {".TH", ".SH", ".PP", ".TP", ".B", ".BR", ".br", ".nf", ".fi", ".in"}


def made(*arguments):
    """What the script writes."""
    command = [SCRIPT, *arguments, *PROGRAMS]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class CommandPages(unittest.TestCase):
    """The page and the man pages."""

    def test_the_page_is_made_of_the_help(self):
        text = made()
        if os.environ.get("CAIRN_REGENERATE") == "1":
            PAGE.write_text(text, encoding="utf-8")
        self.assertEqual(
            text, PAGE.read_text(encoding="utf-8"), "CAIRN_REGENERATE=1 writes it anew"
        )

    def test_every_exit_code_of_the_help_is_in_the_table(self):
        help_text = subprocess.run(
            [PROGRAMS[0], "--help"], check=True, capture_output=True, text=True
        ).stdout
        listed = re.findall(r"^  (\d+) ", help_text, re.MULTILINE)
        table = re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertGreater(len(listed), 5)
        self.assertEqual(set(listed) - set(table), set())

    def test_the_man_pages_have_no_faults(self):
        with tempfile.TemporaryDirectory(prefix="cairn-man-") as folder:
            made("--man", folder)
            pages = sorted(pathlib.Path(folder).iterdir())
            names = {page.name for page in pages}
            self.assertLessEqual({"cairn.1", "cairn-backup.1", "cairn-server.1"}, names)
            for page in pages:
                with self.subTest(page=page.name):
                    self.look_at(page, names)

    def test_without_the_service_its_commands_have_no_pages(self):
        with tempfile.TemporaryDirectory(prefix="cairn-man-") as folder:
            folder = pathlib.Path(folder)
            shutil.copy(PROGRAMS[0], folder / "cairn")
            command = [SCRIPT, "--man", folder / "man", folder / "cairn"]
            subprocess.run(command, check=True, env={**os.environ, "PATH": os.defpath})
            names = {page.name for page in (folder / "man").iterdir()}
            self.assertIn("cairn-backup.1", names)
            self.assertNotIn("cairn-serve.1", names)
            self.look_at(folder / "man/cairn.1", names)

    def look_at(self, page, names):
        """Known requests, no bare backslash, pages that exist; and groff, where it is there."""
        text = page.read_text(encoding="utf-8")
        self.assertTrue(text.isascii())
        requests = {line.split()[0] for line in text.splitlines() if line.startswith(".")}
        self.assertEqual(requests - REQUESTS, set())
        escapes = set(re.findall(r"\\(?:\(..|\[u|.)", text))
        known = {"\\-", "\\e", "\\&", "\\[u", "\\(aq", "\\(ga", "\\(ha", "\\(ti"}
        self.assertEqual(escapes - known, set())
        named = re.findall(r"^\.BR (\S+) \(1\)", text, re.MULTILINE)
        self.assertEqual({name.replace("\\-", "-") + ".1" for name in named} - names, set())
        if shutil.which("groff"):
            command = ["groff", "-man", "-ww", "-z", "-Tutf8", page]
            found = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual((found.returncode, found.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
