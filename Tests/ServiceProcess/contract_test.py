#!/usr/bin/env python3
"""Asks the running service thousands of questions made from its own description, and compares every
answer with it: python3 Tests/ServiceProcess/contract_test.py

Needs the debug build, a mongod and .tools/schemathesis ("make test" sees to all of them). Every
operation is one test. Requests and their order come from a seed, so that a failure comes again.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Scripts"))
from running_service import ROOT, built, temporary_service

SCHEMATHESIS = ROOT / ".tools" / "schemathesis"
SEED = 1
# Random requests an operation, beside those that go through each field's limits.
EXAMPLES = 12
# Of all of it. Far beyond what it takes, so that only what hangs is ended.
SECONDS_MAX = 1800
REQUEST_SECONDS_MAX = 60
EXPENDABLE_COUNT = 3


def prepare(service):
    """Makes what can be asked for; answers its names."""
    first, second = service.backup(), service.backup(databases=["orders"], codec="zstd")
    expendable = [service.backup(databases=["orders"]) for _ in range(EXPENDABLE_COUNT)]
    (done, *_) = service.get(f"/jobs?backup_id={first}").json["jobs"]
    return {
        "backup_id": first,
        "other_id": second,
        "expendable": expendable,
        "job_id": done["job_id"],
        "resumable_job": cancelled_job(service),
        "document": {"db": "orders", "collection": "orders", "_id": "1"},
    }


def cancelled_job(service):
    """A backup that was asked for and cancelled, so that it can be resumed."""

    def attempt():
        job = service.post("/backup/create").json["job_id"]
        service.post(f"/jobs/{job}/cancel")
        return service.finished(job)["status"] == "CANCELED" and job

    return service.wait_for(attempt, "a backup could be cancelled before its end")


def ask(service, known, folder):
    """Runs schemathesis; answers its report, operation by operation, and what it has printed."""
    report = folder / "report.xml"
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "contract.toml", "run",
        f"http://127.0.0.1:{service.port}/openapi.json", "--seed", str(SEED),
        "--header", f"Authorization: {service.authorization}",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES),
        "--request-timeout", str(REQUEST_SECONDS_MAX), "--generation-database", "none",
        "--continue-on-failure", "--no-shrink", "--no-color", "--suppress-health-check", "all",
        "--report", "junit", "--report-junit-path", report,
    ]  # fmt: skip
    environment = os.environ | {
        "PYTHONPATH": f"{SCHEMATHESIS}{os.pathsep}{HERE}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SCHEMATHESIS_HOOKS": "contract_hooks",
        "CAIRN_KNOWN": json.dumps(known),
    }
    finished = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=SECONDS_MAX, cwd=folder
    )
    printed = finished.stdout + finished.stderr
    if not report.exists():
        sys.exit(f"schemathesis has made no report:\n{printed}")
    return xml.etree.ElementTree.parse(report), printed


class Operation(unittest.TestCase):
    """One operation, whose requests have been answered already."""

    def __init__(self, name, problems):
        super().__init__("answers_as_it_is_described")
        self.name = name
        self.problems = problems

    def __str__(self):
        return self.name

    def answers_as_it_is_described(self):
        if self.problems:
            self.fail("\n\n".join(self.problems))


class WholeRun(unittest.TestCase):
    """What can't be said of one operation."""

    def __init__(self, name, service, documented, report, printed):
        super().__init__(name)
        self.service = service
        self.documented = documented
        self.report = report
        self.printed = printed

    def every_operation_was_asked(self):
        asked = {case.get("name") for case in self.report.iter("testcase")}
        self.assertEqual(self.documented - asked, set(), self.printed)

    def the_service_is_still_there(self):
        self.assertEqual(self.service.get("/readyz", base="").status, 200)
        self.assertEqual(self.service.stop(), 0)

    def nothing_went_wrong_inside(self):
        """A problem that the service itself calls its own fault would be one."""
        entries = self.service.log.read_text(encoding="utf-8").splitlines()
        faults = [line for line in entries if '"code":"internal_error"' in line]
        self.assertEqual(faults, [])


def operations(document):
    """All that the description tells of, as schemathesis names them. It leaves out the description
    itself, which it could not have read if it were wrong."""
    found = {
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    }
    return found - {"GET /openapi.json"}


def suite(service, report, printed, document):
    """A test for each operation, and those of the whole run."""
    tests = unittest.TestSuite()
    for case in report.iter("testcase"):
        problems = [problem.text for problem in case if problem.tag in ("failure", "error")]
        tests.addTest(Operation(case.get("name"), problems))
    for name in (
        "every_operation_was_asked", "nothing_went_wrong_inside", "the_service_is_still_there",
    ):  # fmt: skip
        tests.addTest(WholeRun(name, service, operations(document), report, printed))
    return tests


def main():
    """Exit code 1 when an answer is not as it is described."""
    with temporary_service(built(), "orders:200", "small:200") as service:
        service.start()
        with tempfile.TemporaryDirectory(prefix="cairn-contract-") as folder:
            report, printed = ask(service, prepare(service), pathlib.Path(folder))
        document = service.get("/openapi.json", base="").json
        summary = printed.partition("= SUMMARY =")[2]
        print(re.sub(r"(?m)^=+$|^ *=+ | =+ *$", "", summary).strip("= \n"))
        sys.stdout.flush()
        tests = suite(service, report, printed, document)
        found = unittest.TextTestRunner(verbosity=2).run(tests)
    return 0 if found.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
