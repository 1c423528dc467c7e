"""One data set on a server, and everything that can be measured on it."""

import contextlib
import json
import os
import pathlib
import shutil
from dataclasses import dataclass
from typing import Callable

from .limits import limit
from .processes import PROGRAMS, BenchmarkError, Finished, run
from .servers import NO_DATA, change, private_server, settle, write_documents

CAIRN = PROGRAMS / "cairn"
CORES = min(len(os.sched_getaffinity(0)), 8)
# More gained nothing on two cores.
INSERT_THREADS = 2


@dataclass(frozen=True)
class DataSet:
    """What to load: a theme of cairn-demo, which is also the name of the database."""

    theme: str
    documents: int
    # With "{tenth}" for a tenth of the documents.
    title: str
    # The only one, where bare inserts are measured.
    collection: str = ""
    # Whether each restore gets a server that is new: one keeps the files of thousands of dropped
    # collections open for minutes, and may open only so many.
    needs_fresh_servers: bool = False

    @property
    def description(self):
        """What it is about."""
        return self.title.format(tenth=f"{self.documents // 10:,}")

    @property
    def specification(self):
        """As cairn-demo takes it."""
        return f"{self.theme}:{self.documents}"


class Stage:
    """A loaded server, and a folder for archives. Each measurement answers a dictionary with
    "seconds", and where there are any, "cpu_seconds", "peak_mib" and "stored_bytes"."""

    def __init__(self, data_set: DataSet, uri: str, folder: pathlib.Path):
        self.data_set = data_set
        self.uri = uri
        self.folder = folder
        self.database = data_set.theme
        # The last backup with each codec.
        self.archives = {}
        self.fresh_server = contextlib.ExitStack()
        settle(uri)
        # Reads everything into the caches, too.
        self.content = self.count()

    def count(self):
        """How many documents and bytes the database has now."""
        counted = limit("drain", self.uri, self.database)
        return {key: counted[key] for key in ("documents", "bytes")}

    # Backup

    def drain(self):
        """All documents read and dropped."""
        return {"seconds": limit("drain", self.uri, self.database)["seconds"]}

    def cairn_backup(self, codec):
        """Into a new repository, as a user would."""
        repository = self.repository(codec)
        shutil.rmtree(repository, ignore_errors=True)
        os.sync()
        place = ["--uri", self.uri, "--repository", repository]
        finished = run(
            CAIRN, "backup", "--db", self.database, "--codec", codec, *place, "--json", "--quiet"
        )
        report = json.loads(finished.output)
        self.expect({key: report[key] for key in self.content}, "backed up")
        self.archives[codec] = report["path"]
        return sample(finished) | {"stored_bytes": os.path.getsize(report["path"])}

    def mongodump(self):
        """Into a new file, compressed."""
        archive = self.folder / "mongodump.archive.gz"
        archive.unlink(missing_ok=True)
        os.sync()
        finished = run(
            "mongodump", f"--uri={self.uri}", f"--db={self.database}", "--gzip",
            f"--archive={archive}",
        )  # fmt: skip
        return sample(finished) | {"stored_bytes": os.path.getsize(archive)}

    # Verify

    def inflate(self, codec):
        """Every chunk decoded and dropped, with as many threads as Cairn takes by default."""
        self.ensure_backup(codec)
        return {"seconds": limit("inflate", self.archives[codec], str(CORES))["seconds"]}

    def cairn_verify(self, codec):
        """The archive in the repository."""
        self.ensure_backup(codec)
        place = ["--repository", self.repository(codec)]
        return sample(run(CAIRN, "verify", "latest", *place, "--json", "--quiet"))

    # Restore

    def insert(self):
        """The same documents from memory into a new collection."""
        file = self.folder / "documents.bson"
        if not file.exists():
            with file.open("wb") as output:
                write_documents(self.data_set.specification, output)
        self.make_room()
        names = [self.database, self.data_set.collection]
        result = limit("insert", self.uri, *names, file, str(INSERT_THREADS))
        self.expect(self.count(), "inserted")
        return {"seconds": result["seconds"]}

    def cairn_restore(self):
        """Into a server that does not have the database."""
        self.ensure_backup("gzip")
        self.make_room()
        place = ["--uri", self.uri, "--repository", self.repository("gzip")]
        finished = run(
            CAIRN, "restore", "latest", "--mode", "replace", *place, "--json", "--quiet"
        )
        self.expect(self.count(), "restored")
        return sample(finished)

    def cairn_restore_in_place(self):
        """Over the same database, in which one in a hundred documents was changed."""
        self.ensure_backup("gzip")
        if self.count() != self.content:
            self.cairn_restore()
        change(self.uri, self.database)
        settle(self.uri)
        os.sync()
        place = ["--uri", self.uri, "--repository", self.repository("gzip")]
        finished = run(
            CAIRN, "restore", "latest", "--mode", "replace", "--in-place", *place, "--json",
            "--quiet",
        )  # fmt: skip
        report = json.loads(finished.output)
        if report["inserted"] + report["overwritten"] + report["deleted"] == 0:
            raise BenchmarkError("nothing was changed before it was restored in place")
        self.expect(self.count(), "restored in place")
        return sample(finished)

    def mongorestore(self, *options):
        """The same from mongodump's archive, or where there is none from Cairn's."""
        archive = self.folder / "mongodump.archive.gz"
        if not archive.exists():
            self.mongodump()
        self.make_room()
        finished = run(
            "mongorestore", f"--uri={self.uri}", "--gzip", f"--archive={archive}", "--drop",
            *options,
        )  # fmt: skip
        self.expect(self.count(), "restored by mongorestore")
        return sample(finished)

    def make_room(self):
        """So that every restore finds the same: no database, and nothing left to write."""
        if self.data_set.needs_fresh_servers:
            self.close()
            self.uri = self.fresh_server.enter_context(private_server(NO_DATA))
            settle(self.uri)
        else:
            settle(self.uri, drop=self.database)
        os.sync()

    def close(self):
        """Ends the server of the last restore, if it was a new one."""
        self.fresh_server.close()

    # Archives

    def repository(self, codec):
        """A folder for backups with that codec."""
        return self.folder / f"repository-{codec}"

    def ensure_backup(self, codec):
        """There is none yet when only rows about verify or restore were asked for."""
        if codec not in self.archives:
            self.cairn_backup(codec)

    def expect(self, content, deed):
        """A fast result that is wrong would be no result."""
        if content != self.content:
            raise BenchmarkError(
                f"{self.database}: {content} were {deed}, but there are {self.content}"
            )


def sample(finished: Finished):
    """What is kept of a program's run."""
    return {
        "seconds": finished.seconds,
        "cpu_seconds": finished.cpu_seconds,
        "peak_mib": finished.peak_mib,
    }


@dataclass(frozen=True)
class Measurement:
    """Something that can be measured on a stage."""

    run: Callable[[Stage], dict]
    # The program that must be on PATH.
    peer: str = ""


# In phases: restores destroy what backups read. Within one, rounds go through all of them.
PHASES: dict[str, dict[str, Measurement]] = {
    "backup": {
        "drained cursor": Measurement(Stage.drain),
        "cairn backup gzip": Measurement(lambda stage: stage.cairn_backup("gzip")),
        "cairn backup zstd": Measurement(lambda stage: stage.cairn_backup("zstd")),
        "cairn backup lz4": Measurement(lambda stage: stage.cairn_backup("lz4")),
        "mongodump gzip": Measurement(Stage.mongodump, "mongodump"),
    },
    "verify": {
        "bare inflate gzip": Measurement(lambda stage: stage.inflate("gzip")),
        "bare inflate zstd": Measurement(lambda stage: stage.inflate("zstd")),
        "cairn verify gzip": Measurement(lambda stage: stage.cairn_verify("gzip")),
        "cairn verify zstd": Measurement(lambda stage: stage.cairn_verify("zstd")),
    },
    "restore": {
        "bare inserts": Measurement(Stage.insert),
        "cairn restore": Measurement(Stage.cairn_restore),
        "cairn restore in place": Measurement(Stage.cairn_restore_in_place),
        "mongorestore": Measurement(Stage.mongorestore, "mongorestore"),
        "mongorestore 4 workers": Measurement(
            lambda stage: stage.mongorestore("--numInsertionWorkersPerCollection=4"),
            "mongorestore",
        ),
    },
}
MEASUREMENTS = {name: entry for phase in PHASES.values() for name, entry in phase.items()}
