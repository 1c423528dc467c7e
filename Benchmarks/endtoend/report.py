"""Writes down what was measured, as Markdown and as JSON."""

from statistics import median

from .machine import as_sentence
from .rows import TIMES_AS_LARGE, TIMES_FASTER

METHOD = """\
Written by `make bench`. Every line compares what was measured in the same round; the number is the
median of {runs} rounds, and behind it stands between what they lay. Within a round the programs run
one after the other, each round begins with another one, and before each the file system is synced.

- Cairn, mongodump and mongorestore: the wall time of the whole process, at default settings but
  for what the line says. Cairn's time includes syncing the archive and reading back its index, and
  for a restore building it beside the live data, counting, fingerprinting and swapping.
- The limits (`Benchmarks/limits`, plain C) are loops that do nothing else, without the process's
  start: *drained cursor* reads every document and drops it; *bare inserts* are unordered inserts of
  1,000 documents from memory by two threads, at write concern 1; *bare inflate* decodes every chunk
  of the same archive into a buffer, in as many threads as Cairn uses, and checks nothing.
- Before each measured restore the database is dropped and the server's memory written to its disk;
  after it all documents are counted. A wrong count ends the benchmark.
- *Restore in place* puts back a database in which one in a hundred documents was changed, deleted
  or inserted since the backup; all others restore into an empty one.
- The server is a replica set of one member on the same cores with a cache of 2 GB, which holds all
  of the data, except where memory is measured.
- ✓ a bound holds, ✗ it does not; (✓) and (✗): the median says so, but not every round.
"""

DATA_SET_NOTE = """\
The bars are stated for *orders*: documents with a fair share of random numbers, and with
repetitions that lie too far apart for deflate. Other data compresses differently. In *platform*,
full of prose, zlib -6, which mongodump uses, packs about 10 % smaller than ISA-L at level 2,
Cairn's default; its lines below show by how much.
"""


def as_markdown(campaign, plots=()):
    """The whole page; `plots` are the names of those that were drawn."""
    barred = [result for result in campaign.results if result.bar is not None]
    others = [result for result in campaign.results if result.bar is None]
    sections = [
        "# Benchmark",
        METHOD.format(runs=campaign.runs).rstrip(),
        as_sentence(campaign.machine)
        + peers_sentence(campaign.peers)
        + f" Load before the first measurement: {campaign.load_average}.",
        f"**{campaign.reservation}**" if campaign.reservation else "",
        *(f"![Medians as bars]({name})" for name in plots),
        "## What must hold",
        table(barred, ["bar", "aim"]),
        verdict(campaign),
        "## What else was measured" if others else "",
        DATA_SET_NOTE.rstrip() if others else "",
        table(others, []),
        better_peers(campaign.results),
        "## Seconds and sizes",
        "Medians.",
        medians_table(campaign.measured),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def peers_sentence(peers):
    """Which peers there were."""
    if not peers:
        return " Neither mongodump nor mongorestore was on PATH."
    return " Peers: " + ", ".join(f"{name} {version}" for name, version in peers.items()) + "."


def table(results, bounds):
    """Lines with numbers; `bounds` names further columns."""
    if not results:
        return ""
    head = ["measured", "result", "from", "to", *bounds]
    lines = [row_of(head), row_of(["---"] * len(head))]
    for result in results:
        texts = [number(value) for value in (result.value, result.low, result.high)]
        cells = [result.key, f"**{texts[0]}{result.kind.unit}**", *texts[1:]]
        for name in bounds:
            bound = getattr(result, name)
            cells.append(result.kind.bound_text(bound) + mark(result, bound))
        lines.append(row_of(cells))
    return "\n".join(lines)


def mark(result, bound):
    """After a bound: whether it holds, in brackets when the rounds do not agree."""
    if bound is None:
        return ""
    holds, *ends = (
        result.kind.holds(value, bound) for value in (result.value, result.low, result.high)
    )
    sign = "✓" if holds else "✗"
    return f" {sign}" if all(end == holds for end in ends) else f" ({sign})"


def number(value):
    """Three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def row_of(cells):
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"


def verdict(campaign):
    """What does not hold, and what could not be measured."""
    broken = [result.key for result in campaign.results if result.holds_bar is False]
    lines = [f"Does not hold: {key}." for key in broken] or ["Every bar that was measured holds."]
    lines += [
        f"Not measured, for {' and '.join(sorted(row.peers))} is not on PATH: {row.key}."
        for row in campaign.skipped
    ]
    return "\n".join(f"- {line}" for line in lines)


def better_peers(results):
    """Where a peer does better than Cairn."""
    found = [
        f"- {result.key}: {number(result.value)}{result.kind.unit}"
        for result in results
        if (result.kind is TIMES_FASTER and result.value < 1)
        or (result.kind is TIMES_AS_LARGE and result.value > 1)
    ]
    return "A peer is better at:\n\n" + "\n".join(found) if found else ""


def medians_table(measured):
    """What everything took."""
    lines = [row_of(["data set", "measured", "seconds", "MB/s", "CPU seconds", "MB stored"])]
    lines.append(row_of(["---"] * 6))
    for theme, data_set in measured.items():
        title = f"*{theme}*: {data_set['title']}; {data_set['documents']:,} documents,"
        title += f" {data_set['bytes'] / 1e6:,.0f} MB"
        for name, samples in data_set["samples"].items():
            seconds = middle(samples, "seconds")
            cells = [title, name, f"{seconds:.2f}", f"{data_set['bytes'] / 1e6 / seconds:.0f}"]
            cpu, stored = (middle(samples, key) for key in ("cpu_seconds", "stored_bytes"))
            cells += [f"{cpu:.2f}" if cpu else "", f"{stored / 1e6:.1f}" if stored else ""]
            lines.append(row_of(cells))
            title = ""
    return "\n".join(lines)


def middle(samples, key):
    """The median, or nothing where that was not measured."""
    return median(sample[key] for sample in samples) if key in samples[0] else None


def as_json(campaign):
    """Everything, with all single runs."""
    return {
        "machine": campaign.machine,
        "peers": campaign.peers,
        "load_average": campaign.load_average,
        "reservation": campaign.reservation,
        "runs": campaign.runs,
        "holds": not campaign.broken,
        "rows": [
            {
                "row": result.key,
                "unit": result.kind.unit.strip(),
                "median": round(result.value, 4),
                "minimum": round(result.low, 4),
                "maximum": round(result.high, 4),
                "bar": result.bar,
                "holds": result.holds_bar,
                "aim": result.aim,
                "reached": result.holds_aim,
            }
            for result in campaign.results
        ],
        "skipped": [row.key for row in campaign.skipped],
        "data_sets": campaign.measured,
        "memory": campaign.memory,
    }
