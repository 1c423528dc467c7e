"""Measures the table: for each data set a server, for each phase rounds that interleave everything
that is compared."""

import contextlib
import json
import pathlib
import tempfile
from dataclasses import dataclass, field, replace

from .machine import PEERS, describe_machine, describe_peers, load_average
from .processes import is_installed, say
from .rows import DATA_SETS, ROWS, Result, Row
from .servers import private_server
from .stage import MEASUREMENTS, PHASES, Stage


@dataclass
class Campaign:
    """What was measured, where and how."""

    runs: int
    # What keeps the numbers from being compared with the bars; mostly nothing.
    reservation: str = ""
    machine: dict = field(default_factory=describe_machine)
    peers: dict = field(default_factory=describe_peers)
    # Before anything was started.
    load_average: float = field(default_factory=load_average)
    measured: dict = field(default_factory=dict)
    memory: list = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    skipped: list[Row] = field(default_factory=list)

    @property
    def broken(self):
        """The results whose bar does not hold."""
        return [result for result in self.results if result.holds_bar is False]


def choose_rows(pattern):
    """The rows whose key has the pattern in it, and of these the ones that lack a peer."""
    wanted = [row for row in ROWS if pattern.lower() in row.key.lower()]
    missing = {peer for peer in PEERS if not is_installed(peer)}
    skipped = [row for row in wanted if row.peers & missing]
    return [row for row in wanted if row not in skipped], skipped


def measure(rows, runs, scale, parts):
    """Measures what the rows need; answers, for each data set, its sizes and all single runs."""
    themes = [theme for theme in DATA_SETS if any(row.data_set == theme for row in rows)]
    measured = {}
    for theme in themes:
        data_set = replace(DATA_SETS[theme], documents=int(DATA_SETS[theme].documents * scale))
        names = {name for row in rows if row.data_set == theme for name in row.measurements}
        request = {"data_set": data_set.specification, "names": sorted(names), "runs": runs}
        measured[theme] = parts.once(
            theme, request, lambda chosen=data_set, wanted=names: measure_data_set(
                chosen, wanted, runs
            )
        )  # fmt: skip
    return measured


class Parts:
    """Measurements kept in a folder as they are made, so that half an hour is not lost when the
    last minute fails."""

    def __init__(self, folder, goes_on):
        self.folder = folder
        self.goes_on = goes_on

    def once(self, name, request, body):
        """What `body` answers, or what it has answered to the same request before."""
        file = self.folder / f"{name}.json"
        if self.goes_on and file.exists():
            part = json.loads(file.read_text(encoding="utf-8"))
            if part["request"] == request:
                say(f"{name}: taken from {file}")
                return part["found"]
        found = body()
        self.folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"request": request, "found": found}), encoding="utf-8")
        return found


def measure_data_set(data_set, names, runs):
    """All measurements of those names on one data set."""
    say(f"{data_set.theme}: loading {data_set.documents:,} documents")
    with private_server(data_set.specification) as uri:
        with tempfile.TemporaryDirectory(prefix="cairn-bench-") as folder:
            stage = Stage(data_set, uri, pathlib.Path(folder))
            samples = {}
            with contextlib.closing(stage):
                for phase in PHASES.values():
                    wanted = [name for name in phase if name in names]
                    samples |= measure_phase(stage, wanted, runs)
    return {"title": data_set.description, **stage.content, "samples": samples}


def measure_phase(stage, names, runs):
    """Rounds; each begins with another measurement, so that none always follows the same one."""
    samples = {name: [] for name in names}
    for number in range(runs):
        first = number % max(len(names), 1)
        for name in names[first:] + names[:first]:
            found = MEASUREMENTS[name].run(stage)
            samples[name].append({key: round(value, 4) for key, value in found.items()})
            say(
                f"{stage.database}, round {number + 1} of {runs}: {name} {found['seconds']:.2f} s"
            )
    return samples


def evaluate(rows, measured):
    """The rows with their numbers."""
    return [
        row.result(measured[row.data_set]["samples"], measured[row.data_set]["bytes"])
        for row in rows
    ]
