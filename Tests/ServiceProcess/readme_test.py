#!/usr/bin/env python3
"""Runs the curl lines of the README, the guide and docs/http.md as they stand, but for the token,
identifiers and the port:
python3 Tests/ServiceProcess/readme_test.py

Needs the debug build, a mongod and curl ("make test" sees to them).
"""

import json
import pathlib
import shlex
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Scripts"))
from running_service import ROOT, built, temporary_service

DATA = "platform:2000"
# How many lines the README has at least: one that has none proves nothing.
LINE_COUNT_MIN = 8


def curl_lines():
    """The lines of the documents that call the service, each once."""
    files = [ROOT / "README.md", ROOT / "docs/guide.md", ROOT / "docs/http.md"]
    lines = dict.fromkeys(line for file in files for line in file.read_text().splitlines())
    return [line for line in lines if line.startswith("curl ")]


class ReadmeLines(unittest.TestCase):
    """One service for all lines, which build on each other."""

    def run_line(self, line, folder):
        """Answers status and body; what --output names is the body of such a line."""
        command = shlex.split(line) + ["--silent", "--show-error", "--write-out", "\n%{http_code}"]
        done = subprocess.run(command, capture_output=True, cwd=folder, check=False)
        self.assertEqual(done.returncode, 0, f"{line}\n{done.stderr.decode()}")
        body, _, status = done.stdout.rpartition(b"\n")
        return int(status), body

    def test_every_line_does_what_it_says(self):
        lines = curl_lines()
        self.assertGreaterEqual(len(lines), LINE_COUNT_MIN)
        with (
            temporary_service(built(), DATA, options=()) as service,
            tempfile.TemporaryDirectory(prefix="cairn-readme-") as folder,
        ):
            service.start()
            known = {
                "YOUR_TOKEN": service.authorization.removeprefix("Bearer "),
                "localhost:8001": f"localhost:{service.port}",
                "{backup_id}": service.backup(),
            }
            for line in lines:
                for name, value in known.items():
                    line = line.replace(name, value)
                with self.subTest(line=line):
                    status, body = self.run_line(line, folder)
                    self.assertIn(status, (200, 202), body[:500])
                    self.look_at(line, body, known, pathlib.Path(folder), service)

    def look_at(self, line, body, known, folder, service):
        """An answer is JSON, events, or an archive."""
        if line.startswith("curl -N"):
            self.assertIn(b"event: status", body)
        elif "--output" in line:
            name = shlex.split(line)[-1]
            subprocess.run(["gunzip", "-t", folder / name], check=True)
        else:
            answer = json.loads(body)
            if "job_id" in answer:
                known["{job_id}"] = answer["job_id"]
                job = service.finished(answer["job_id"])
                self.assertEqual(job["status"], "SUCCEEDED", job["error"])


if __name__ == "__main__":
    unittest.main()
