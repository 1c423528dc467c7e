"""Writes down what the HTTP service did under load."""

from statistics import median

from .report import number, row_of
from .service import job_seconds, percentile

SLOWDOWN_MAX = 0.15
LIST_MS_MAX = 50
PROBE_MS_MAX = 1000
METHOD = """\
Written by `make bench-http`. The service, its mongod (with a cache that holds all of the data) and
wrk share the machine's cores; wrk runs at the lowest priority, for the requests of real clients are
made elsewhere, but what it takes it takes from the same cores all the same.

- *Load*: {connections} connections ask for the list and for one backup in turn, for {seconds}
  seconds. A backup of {documents:,} documents (850 bytes each) is asked of the same service again
  and again meanwhile, and was without load before and after; seconds are those of the job, and in
  the last column those from the request to its answer (`Prefer: wait`), which waits its turn like
  all others; medians of all backups of {rounds} rounds that were made wholly under load. Clients
  that ask again at once want all the processor there is; while a job is done, the service gives
  them a share of it (`--request-share`, `--request-niceness`), so that their line tells what it
  answers beside a backup, not how much it can answer.
- *Probes*: a monitor asks `/healthz` and `/readyz` ten times a second meanwhile, each time on a
  connection of its own.
- *List*: answers to one client on one connection, one after the other.
- *Idle connections* are open and ask nothing; answers are to another client.
"""


def as_markdown(found, machine):
    """The whole page."""
    loads = found["loads"]
    method = METHOD.format(
        connections=200, seconds=found["seconds"], documents=found["documents"],
        rounds=found["rounds"],
    )  # fmt: skip
    sections = [
        "# The HTTP service under load",
        method.rstrip(),
        f"{machine} Load before the first measurement: {found['load_average']}.",
        "## A backup, and requests meanwhile",
        load_table(loads),
        "## Probes meanwhile",
        probe_table(loads),
        "## Listing",
        list_table(found["list"]),
        "## Idle connections",
        idle_table(found["idle"]),
        "\n".join(f"- Does not hold: {line}." for line in broken_bars(found))
        or "Every bar holds.",
    ]
    return "\n\n".join(sections) + "\n"


def load_table(loads):
    """A line for each kind of client."""
    head = ["200 connections", "requests/s", "p50", "p99", "errors"]
    head += ["backup alone", "under load", "slower by", "bar", "until it is answered"]
    lines = [row_of(head), row_of(["---"] * len(head))]
    for name, load in loads.items():
        rate, middle, high = (
            median(run[key] for run in load["wrk"])
            for key in ("requests_a_second", "p50_ms", "p99_ms")
        )
        alone, loaded = job_seconds(load["alone"]), job_seconds(load["loaded"])
        answered = median(backup.answer for backup in load["loaded"])
        bar = f"≤ {SLOWDOWN_MAX:.0%}"
        lines.append(
            row_of([
                name, number(rate), f"{number(middle)} ms", f"{number(high)} ms",
                str(error_count(load)), f"{alone:.2f} s", f"{loaded:.2f} s",
                f"**{load['slowdown']:.0%}**", bar + mark(bar, load["slowdown"] <= SLOWDOWN_MAX),
                f"{answered:.2f} s",
            ])
        )  # fmt: skip
    return "\n".join(lines)


def probe_table(loads):
    """A line for each kind of client."""
    head = ["200 connections", "probes", "median", "p99", "longest", "bar"]
    lines = [row_of(head), row_of(["---"] * len(head))]
    for name, load in loads.items():
        samples = load["probes_ms"]
        bar = f"≤ {PROBE_MS_MAX} ms"
        holds = max(samples) <= PROBE_MS_MAX
        lines.append(
            row_of([
                name, str(len(samples)), ms(samples, 50), ms(samples, 99),
                f"**{number(max(samples))} ms**", bar + mark(bar, holds),
            ])
        )  # fmt: skip
    return "\n".join(lines)


def mark(bar, holds):
    """Whether the bar holds, where there is one."""
    return (" ✓" if holds else " ✗") if bar else ""


def error_count(load):
    """Answers that were none, or were bad."""
    return sum(run["errors"] for run in load["wrk"])


def list_table(listed):
    """One line for each length of a page."""
    head = ["of " + f"{listed['snapshots']:,} backups", "median", "p99", "bar"]
    lines = [row_of(head), row_of(["---"] * len(head))]
    for limit in (100, 1000):
        samples = listed[f"limit_{limit}_ms"]
        bar = f"≤ {LIST_MS_MAX} ms"
        holds = median(samples) <= LIST_MS_MAX
        lines.append(
            row_of([
                f"a page of {limit:,}", f"**{number(median(samples))} ms**",
                f"{number(percentile(samples, 99))} ms", bar + mark(bar, holds),
            ])
        )  # fmt: skip
    return "\n".join(lines)


def idle_table(idle):
    """With and without them."""
    head = ["idle connections", "answer, median", "p99", "answer on a new connection, median"]
    head += ["p99", "memory of the service"]
    before, kept, new = idle["before_ms"], idle["with_ms"], idle["new_ms"]
    rows = [
        ["0", ms(before, 50), ms(before, 99), "", "", f"{idle['mib_before']:.0f} MiB"],
        [
            f"{idle['connections']:,}", ms(kept, 50), ms(kept, 99), ms(new, 50), ms(new, 99),
            f"{idle['mib_with']:.0f} MiB",
        ],
    ]  # fmt: skip
    return "\n".join([row_of(head), row_of(["---"] * len(head)), *map(row_of, rows)])


def ms(samples, share):
    """A percentile in milliseconds."""
    return f"{number(percentile(samples, share))} ms"


def broken_bars(found):
    """What does not hold, as sentences without a period."""
    broken = []
    for name, load in found["loads"].items():
        if error_count(load):
            broken.append(f"no errors: {error_count(load)} when {name}")
        if load["slowdown"] > SLOWDOWN_MAX:
            broken.append(
                f"a backup is slower by {SLOWDOWN_MAX:.0%} at most: {load['slowdown']:.0%} when"
                f" {name}"
            )
        if max(load["probes_ms"]) > PROBE_MS_MAX:
            broken.append(
                f"a probe is answered within {PROBE_MS_MAX} ms: {number(max(load['probes_ms']))}"
                f" ms when {name}"
            )
    for limit in (100, 1000):
        middle = median(found["list"][f"limit_{limit}_ms"])
        if middle > LIST_MS_MAX:
            broken.append(
                f"a page of {limit:,} takes {LIST_MS_MAX} ms at most: {number(middle)} ms"
            )
    return broken
