"""The table: what is compared with what, what must hold and what is aimed at."""

from dataclasses import dataclass
from statistics import median
from typing import Callable, Optional

from .stage import MEASUREMENTS, DataSet

DATA_SETS = {
    data_set.theme: data_set
    for data_set in (
        DataSet("orders", 500_000, "orders of a web shop, 850 bytes a document", "orders"),
        DataSet("platform", 250_000, "a booking platform, ten collections with indexes"),
        DataSet("small", 600_000, "sensor readings, 120 bytes a document", "readings"),
        DataSet("large", 2_000, "reports, 100 KB a document", "reports"),
        DataSet(
            "tiny", 20_000, "{tenth} collections of ten documents", needs_fresh_servers=True
        ),
    )
}


@dataclass(frozen=True)
class Kind:
    """How two measurements become one number."""

    unit: str
    is_at_most: bool
    # Gets a run of the subject, one of the reference, and the documents' bytes.
    value: Optional[Callable[[dict, dict, int], float]]

    def holds(self, value, bound):
        """Whether a bound holds; nothing is known without one."""
        if bound is None:
            return None
        return value <= bound if self.is_at_most else value >= bound

    def bound_text(self, bound):
        """A bound as it is written in the table."""
        sign = "≤" if self.is_at_most else "≥"
        return "" if bound is None else f"{sign} {bound:g}{self.unit}"


TIMES_AS_LONG = Kind(" ×", True, lambda own, other, _: own["seconds"] / other["seconds"])
TIMES_FASTER = Kind(" × faster", False, lambda own, other, _: other["seconds"] / own["seconds"])
TIMES_AS_LARGE = Kind(
    " × its size", True, lambda own, other, _: own["stored_bytes"] / other["stored_bytes"]
)
CPU_A_GIGABYTE = Kind(
    " s/GB", True, lambda own, _, byte_count: own["cpu_seconds"] / (byte_count / 1e9)
)
MEBIBYTES = Kind(" MiB", True, None)
TIMES_AS_MUCH = Kind(" × as much", True, None)


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    data_set: str
    subject: str
    kind: Kind
    reference: str = ""
    bar: Optional[float] = None
    aim: Optional[float] = None

    @property
    def key(self):
        """What --rows is matched with."""
        unit = {CPU_A_GIGABYTE: "CPU", TIMES_AS_LARGE: "size"}.get(self.kind, "time")
        return f"{self.data_set}: {self.subject}, {unit}" + (
            f", against {self.reference}" if self.reference else ""
        )

    @property
    def measurements(self):
        """What must be measured for it."""
        return [name for name in (self.subject, self.reference) if name]

    @property
    def peers(self):
        """The programs it needs on PATH."""
        return {MEASUREMENTS[name].peer for name in self.measurements} - {""}

    def result(self, samples, byte_count):
        """The row with its numbers.

        Each round gives one: what was measured in the same round is compared with each other.
        """
        own = samples[self.subject]
        other = samples[self.reference] if self.reference else own
        values = [self.kind.value(*pair, byte_count) for pair in zip(own, other, strict=True)]
        return Result.of(self, values)


@dataclass(frozen=True)
class Result:
    """A line of the table with its numbers."""

    key: str
    data_set: str
    kind: Kind
    value: float
    low: float
    high: float
    bar: Optional[float]
    aim: Optional[float]

    @classmethod
    def of(cls, row, values):
        """The median, and between what the values lie."""
        return cls(
            row.key, row.data_set, row.kind, median(values), min(values), max(values),
            row.bar, row.aim,
        )  # fmt: skip

    @property
    def holds_bar(self):
        """Whether the bar holds; None without one."""
        return self.kind.holds(self.value, self.bar)

    @property
    def holds_aim(self):
        """Whether the aim is reached; None without one."""
        return self.kind.holds(self.value, self.aim)


def against_peers(data_set):
    """Rows without a bar: how Cairn compares on data sets other than the bars'."""
    dump, restore = "mongodump gzip", "mongorestore"
    return [
        Row(data_set, "cairn backup gzip", TIMES_AS_LONG, "drained cursor"),
        Row(data_set, "cairn backup gzip", TIMES_FASTER, dump),
        Row(data_set, "cairn backup gzip", TIMES_AS_LARGE, dump),
        Row(data_set, "cairn backup zstd", TIMES_FASTER, dump),
        Row(data_set, "cairn backup zstd", TIMES_AS_LARGE, dump),
        Row(data_set, "cairn restore", TIMES_FASTER, restore),
    ]


# What must hold, and then what is told besides.
ROWS = [
    Row("orders", "cairn backup gzip", TIMES_AS_LONG, "drained cursor", 1.7, 1.45),
    Row("orders", "cairn backup gzip", TIMES_FASTER, "mongodump gzip", 5.5, 6.5),
    Row("orders", "cairn backup gzip", TIMES_AS_LARGE, "mongodump gzip", 1.07),
    Row("orders", "cairn backup zstd", TIMES_FASTER, "mongodump gzip", 4),
    Row("orders", "cairn backup zstd", TIMES_AS_LARGE, "mongodump gzip", 0.9),
    Row("orders", "cairn restore", TIMES_AS_LONG, "bare inserts", 1.25, 1.1),
    Row("orders", "cairn restore", TIMES_FASTER, "mongorestore", 2),
    Row("orders", "cairn restore", TIMES_FASTER, "mongorestore 4 workers", 1.4),
    Row("orders", "cairn restore in place", TIMES_FASTER, "mongorestore", 5),
    Row("orders", "cairn verify gzip", TIMES_AS_LONG, "bare inflate gzip", 1.25),
    Row("orders", "cairn backup gzip", CPU_A_GIGABYTE, "", 6, 4.5),
    Row("tiny", "cairn backup gzip", TIMES_FASTER, "mongodump gzip", 3),
    Row("tiny", "cairn restore", TIMES_FASTER, "mongorestore", 3),
    Row("orders", "cairn backup zstd", TIMES_AS_LONG, "drained cursor"),
    Row("orders", "cairn verify zstd", TIMES_AS_LONG, "bare inflate zstd"),
    Row("orders", "cairn backup lz4", TIMES_AS_LONG, "drained cursor"),
    Row("orders", "cairn backup lz4", TIMES_FASTER, "mongodump gzip"),
    Row("orders", "cairn backup lz4", TIMES_AS_LARGE, "mongodump gzip"),
    *against_peers("platform"),
    *against_peers("small"),
    Row("small", "cairn restore", TIMES_AS_LONG, "bare inserts"),
    *against_peers("large"),
    Row("large", "cairn restore", TIMES_AS_LONG, "bare inserts"),
]
