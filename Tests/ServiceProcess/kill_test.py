#!/usr/bin/env python3
"""Kills the service in the middle of its work, starts it again on what it has left, and looks for
anything that is lost, half done or done twice: python3 Tests/ServiceProcess/kill_test.py

Needs the debug build and a mongod ("make test" sees to both). Nothing waits for a time to pass:
each kill waits until the work is seen to be under way.
"""

import json
import pathlib
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Scripts"))
from running_service import NO_LIMITS, built, temporary_service

PROGRAMS = built()
# 85 MB: for seconds of work, so that a kill comes before its end.
DATA = "orders:100000"
DATABASE = "orders"
CLEANUP_COUNT = 60


def state_of(service, database=DATABASE):
    """What every collection of a database holds, a line each, read by another program."""
    command = [PROGRAMS / "cairn-demo", "state", "--uri", service.uri, database]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return found.stdout.splitlines()


def change_data(service):
    """Changes one document in a hundred."""
    command = [PROGRAMS / "cairn-demo", "change", "--uri", service.uri, DATABASE]
    subprocess.run(command, check=True)


class KilledService(unittest.TestCase):
    """A service of its own for each test, on one mongod."""

    @classmethod
    def setUpClass(cls):
        cls.scope = temporary_service(PROGRAMS, DATA, "small:20")
        cls.template = cls.scope.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.scope.__exit__(None, None, None)

    def setUp(self):
        folder = self.template.folder / self.id().rsplit(".", 1)[-1]
        self.service = type(self.template)(PROGRAMS, folder, self.template.uri, NO_LIMITS)
        self.service.start()
        self.addCleanup(self.service.__exit__)

    # What tests do

    def wait_for(self, look, what):
        return self.service.wait_for(look, what, interval=0.005)

    def begin(self, path, body=None, **headers):
        """Asks for a job; answers its name."""
        answer = self.service.post(path, body, **headers)
        self.assertEqual(answer.status, 202, answer.body)
        return answer.json["job_id"]

    def wait_for_phase(self, job, phase):
        """Until some of a phase's work is done and written down."""

        def look():
            found = self.service.job(job)
            self.assertIsNone(found["finished"], f"{job} has ended before it could be killed")
            progress = found["progress"]
            return progress and progress["phase"] == phase and progress["documents"] > 0

        self.wait_for(look, f"{job} is {phase}")

    def wait_for_upload(self):
        """Until a part of an archive is on the disk."""

        def look():
            parts = self.service.repository.glob("*.partial-*")
            return any(part.stat().st_size > 1 << 20 for part in parts if part.exists())

        self.wait_for(look, "an archive is being written")

    def restart(self):
        """Another process finds what the killed one has left."""
        self.service.kill()
        self.service.start()

    # What must hold

    def assert_interrupted(self, job):
        found = self.service.job(job)
        self.assertEqual(found["status"], "FAILED", found)
        self.assertEqual(found["error"]["code"], "interrupted", found)
        return found

    def assert_resumes(self, job):
        """It is resumed once, however often that is asked for."""
        self.assertIs(self.service.job(job)["resumable"], True)
        resumed = self.begin(f"/jobs/{job}/resume", Idempotency_Key="go-on")
        again = self.service.post(f"/jobs/{job}/resume", Idempotency_Key="go-on")
        self.assertEqual(again.json["job_id"], resumed)
        found = self.service.finished(resumed)
        self.assertEqual(found["status"], "SUCCEEDED", found)
        self.assertEqual(found["resumes"], job)
        return found

    def assert_audit_is_whole(self):
        """As told by another process, while the service runs, and with an entry for each end."""
        found = json.loads(
            self.service.run("audit", "verify", "--json", "--state", self.service.state)
        )
        self.assertIs(found["whole"], True, found)
        return self.audit_entries()

    def audit_entries(self):
        arguments = ["audit", "list", "--json", "--limit", "1000", "--state", self.service.state]
        return json.loads(self.service.run(*arguments))

    def assert_one_entry(self, entries, action, outcome, job):
        found = [
            entry
            for entry in entries
            if (entry["action"], entry["outcome"]) == (action, outcome)
            and entry["details"]["job"] == job
        ]
        self.assertEqual(len(found), 1, f"{action} {outcome} of {job}")


class KilledBackupTests(KilledService):
    def test_a_killed_backup_is_no_backup_and_is_gone_on_with(self):
        job = self.begin("/backup/create", {"databases": [DATABASE]})
        self.wait_for_upload()
        self.restart()
        self.assert_interrupted(job)
        self.assertEqual(self.service.backups(), [])
        resumed = self.assert_resumes(job)
        (backup,) = self.service.backups()
        self.assertEqual(backup["backup_id"], resumed["backup_id"])
        self.assertEqual((backup["status"], backup["documents"]), ("COMPLETED", 100_000))
        self.assertEqual(list(self.service.repository.glob("*.partial-*")), [])
        # The lock of the process that is gone was broken, and that is told.
        self.assertIn("broke the lock of a backup", self.service.log.read_text())
        self.assertEqual(list(self.service.repository.glob(".*.lock")), [])
        entries = self.assert_audit_is_whole()
        self.assert_one_entry(entries, "job.backup", "failed", job)
        self.assert_one_entry(entries, "job.backup", "succeeded", resumed["job_id"])

    def test_a_resumed_backup_holds_what_is_there(self):
        job = self.begin("/backup/create", {"databases": [DATABASE]})
        self.wait_for_upload()
        self.restart()
        backup = self.assert_resumes(job)["backup_id"]
        preview = self.service.post(f"/backup/{backup}/restore", {"mode": "preview"}).json
        counts = [preview[key] for key in ("to_insert", "to_overwrite", "only_live", "equal")]
        self.assertEqual(counts, [0, 0, 0, 100_000])

    def test_a_key_whose_answer_was_never_given_still_means_one_job(self):
        body = {"databases": [DATABASE]}
        headers = {"Idempotency_Key": "nightly", "Prefer": "wait=60"}
        first = threading.Thread(target=self.swallow, args=("/backup/create", body, headers))
        first.start()
        self.wait_for_upload()
        self.service.kill()
        first.join()
        self.service.start()
        (job,) = self.service.get("/jobs").json["jobs"]
        again = self.service.post("/backup/create", body, Idempotency_Key="nightly")
        self.assertEqual(again.json["job_id"], job["job_id"])
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        self.assertEqual(self.service.get("/jobs").json["total"], 1)
        other = self.service.post("/backup/create", {}, Idempotency_Key="nightly")
        self.assertEqual((other.status, other.json["code"]), (422, "key_reused"))
        self.assert_interrupted(job["job_id"])

    def swallow(self, path, body, headers):
        """Asks, and gets no answer, for who was asked is killed."""
        try:
            self.service.post(path, body, **headers)
        except OSError:
            pass

    def test_an_answer_that_was_given_is_given_again_by_the_next_process(self):
        first = self.service.post("/backup/create", {}, Idempotency_Key="once")
        self.service.finished(first.json["job_id"])
        self.restart()
        again = self.service.post("/backup/create", {}, Idempotency_Key="once")
        self.assertEqual((again.status, again.body), (first.status, first.body))
        self.assertEqual(len(self.service.backups()), 1)

    def test_jobs_that_were_waiting_have_failed_too(self):
        """One is done at a time: of two at once the second would be refused as locked."""
        self.service.stop()
        self.service.start("--long-jobs", "1")
        jobs = [self.begin("/backup/create", {"databases": [DATABASE]}) for _ in range(4)]
        self.wait_for_upload()
        self.restart()
        for job in jobs:
            self.assert_interrupted(job)
        self.assertEqual(self.service.backups(), [])
        self.assert_audit_is_whole()


class KilledRestoreTests(KilledService):
    def setUp(self):
        super().setUp()
        self.original = state_of(self.service)
        self.backup = self.service.backup(databases=[DATABASE])
        change_data(self.service)
        self.changed = state_of(self.service)
        self.assertNotEqual(self.changed, self.original)
        self.addCleanup(self.put_back)

    def put_back(self):
        """For the next test: they share the data."""
        if state_of(self.service) != self.original:
            job = self.restore()
            self.assertEqual(self.service.finished(job)["status"], "SUCCEEDED")

    def restore(self, **more):
        body = {"mode": "replace", "pre_restore_backup": False} | more
        return self.begin(f"/backup/{self.backup}/restore", body)

    def data_as_it_was(self):
        """The live collections, without those that a restore builds beside them."""
        return [line for line in state_of(self.service) if not line.startswith("cairn.")]

    def test_a_killed_restore_leaves_the_old_data_and_is_gone_on_with(self):
        job = self.restore()
        self.wait_for_phase(job, "loading")
        self.service.kill()
        self.assertEqual(self.data_as_it_was(), self.changed)
        self.service.start()
        self.assert_interrupted(job)
        self.assertEqual(self.data_as_it_was(), self.changed)
        resumed = self.assert_resumes(job)
        self.assertEqual(state_of(self.service), self.original)
        entries = self.assert_audit_is_whole()
        self.assert_one_entry(entries, "job.restore", "failed", job)
        self.assert_one_entry(entries, "job.restore", "succeeded", resumed["job_id"])

    def test_what_is_replaced_is_backed_up_again_by_who_goes_on(self):
        """The data may have been written to since."""
        job = self.restore(pre_restore_backup=True)
        self.wait_for_phase(job, "loading")
        self.restart()
        self.assert_interrupted(job)
        kinds = [backup["backup_type"] for backup in self.service.backups()]
        self.assertEqual(sorted(kinds), ["manual", "pre_restore"])
        resumed = self.assert_resumes(job)
        self.assertEqual(state_of(self.service), self.original)
        made = [b for b in self.service.backups() if b["backup_type"] == "pre_restore"]
        self.assertEqual(len(made), 2)
        self.assertEqual(resumed["result"]["pre_restore_backup_id"], made[0]["backup_id"])
        again = self.service.post(f"/jobs/{job}/resume")
        self.assertEqual(again.status, 409)

    def test_a_restore_killed_during_its_backup_has_changed_nothing(self):
        job = self.restore(pre_restore_backup=True)
        self.wait_for_upload()
        self.restart()
        self.assert_interrupted(job)
        self.assertEqual(len(self.service.backups()), 1)
        self.assertEqual(state_of(self.service), self.changed)
        self.assert_resumes(job)
        self.assertEqual(state_of(self.service), self.original)


class KilledCleanupTests(KilledService):
    def test_a_killed_cleanup_has_removed_whole_backups_and_can_be_repeated(self):
        for _ in range(CLEANUP_COUNT):
            self.service.backup(databases=["small"])
        trial = self.service.post("/backup/cleanup", {"dry_run": True, "max_count": 1}).json
        self.assertEqual(self.archive_count(), CLEANUP_COUNT)
        begun = threading.Thread(target=self.swallow_cleanup)
        begun.start()
        self.wait_for(lambda: self.archive_count() < CLEANUP_COUNT, "a backup was removed")
        self.service.kill()
        begun.join()
        self.service.start()
        (job,) = self.service.get("/jobs?kind=cleanup&status=FAILED").json["jobs"]
        self.assert_interrupted(job["job_id"])
        left = self.service.backups()
        self.assertEqual(len(left), self.archive_count())
        self.assertEqual({backup["status"] for backup in left}, {"COMPLETED"})
        again = self.service.post("/backup/cleanup", {"max_count": 1}, Prefer="wait=60").json
        self.assertEqual(again["failed"], [])
        self.assertEqual(again["kept"], trial["kept"])
        kept = {decision["backup_id"] for decision in again["kept"]}
        self.assertEqual({backup["backup_id"] for backup in self.service.backups()}, kept)
        self.assert_audit_is_whole()

    def archive_count(self):
        return len(list(self.service.repository.glob("*.archive.gz")))

    def swallow_cleanup(self):
        try:
            self.service.post("/backup/cleanup", {"max_count": 1}, Prefer="wait=60")
        except OSError:
            pass


class ShutdownTests(KilledService):
    def test_a_job_that_ends_within_the_grace_is_finished(self):
        job = self.begin("/backup/create", {"databases": [DATABASE]})
        self.wait_for_upload()
        self.assertEqual(self.service.stop(), 0)
        self.service.start()
        self.assertEqual(self.service.job(job)["status"], "SUCCEEDED")
        self.assertEqual(len(self.service.backups()), 1)

    def test_a_job_that_does_not_is_cancelled_and_can_be_gone_on_with(self):
        self.service.stop()
        # One at a time: of two at once the second would be refused, for the first holds the lock.
        self.service.start("--grace", "0s", "--long-jobs", "1")
        job = self.begin("/backup/create", {"databases": [DATABASE]})
        waiting = [self.begin("/backup/create", {"databases": [DATABASE]}) for _ in range(3)]
        self.wait_for_upload()
        self.assertEqual(self.service.stop(), 0)
        self.service.start()
        found = self.service.job(job)
        self.assertEqual(found["status"], "CANCELED", found)
        self.assertEqual(found["error"]["code"], "shutting_down")
        codes = {self.service.job(other)["error"]["code"] for other in waiting}
        self.assertEqual(codes, {"shutting_down"})
        self.assertEqual(self.service.backups(), [])
        self.assert_resumes(job)
        self.assertEqual(len(self.service.backups()), 1)
        self.assert_audit_is_whole()

    def test_a_second_service_on_the_same_state_is_refused(self):
        other = type(self.service)(PROGRAMS, self.service.folder, self.service.uri)
        with self.assertRaises(Exception):
            other.start()
        self.assertEqual(other.process.wait(), 11)
        self.assertEqual(self.service.get("/readyz", base="").status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
