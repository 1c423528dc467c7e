"""Draws what was measured: bars of medians from zero, and a line from the least to the most."""

import sys
from statistics import median

from .processes import ROOT

LIBRARY = ROOT / ".tools" / "plots"
OWN, LIMIT, PEER = "#1f6f8b", "#9aa5b1", "#d98c3f"
WIDTH_INCHES = 10


def draw(campaign, folder):
    """Writes the plots for which there is anything to show."""
    sys.path.insert(0, str(LIBRARY))
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {
        # Text stays text, and the same data gives the same file.
        "svg.fonttype": "none",
        "svg.hashsalt": "cairn",
        "font.family": "sans-serif",
        "font.size": 9,
    }
    save(matplotlib, bars_panels(campaign.measured), folder / "bench.svg")
    save(matplotlib, data_set_panels(campaign.measured), folder / "bench-data-sets.svg")


def bars_panels(measured):
    """The data sets of the bars: what each panel shows."""
    orders, tiny = measured.get("orders"), measured.get("tiny")
    backup = ["drained cursor", *(f"cairn backup {codec}" for codec in ("lz4", "gzip", "zstd"))]
    backup.append("mongodump gzip")
    verify = [f"{what} {codec}" for codec in ("gzip", "zstd") for what in VERIFY]
    restore = ["bare inserts", "cairn restore", "mongorestore 4 workers", "mongorestore"]
    small = ["cairn backup gzip", "mongodump gzip", "cairn restore", "mongorestore"]
    return [
        panel(orders, "Backup", backup),
        panel(orders, "Size of the archive", backup[1:], "stored_bytes"),
        panel(orders, "Restore into an empty database", restore),
        panel(orders, "Verify", verify),
        panel(tiny, "2,000 collections of ten documents", small),
        panel(orders, "Client CPU of a backup", backup[1:], "cpu_seconds"),
    ]


VERIFY = ("bare inflate", "cairn verify")


def data_set_panels(measured):
    """The other data sets: backup and restore of each, and what the archive has."""
    names = ["drained cursor", "cairn backup gzip", "cairn backup zstd", "mongodump gzip"]
    names += ["bare inserts", "cairn restore", "mongorestore"]
    panels = []
    for theme in ("platform", "small", "large"):
        data_set = measured.get(theme)
        title = f"{theme}: {data_set['title']}" if data_set else ""
        panels.append(panel(data_set, title, names))
        panels.append(panel(data_set, f"{theme}: size of the archive", names, "stored_bytes"))
    return panels


def panel(data_set, title, names, key="seconds"):
    """A panel's title, unit and bars; None when nothing of it was measured."""
    samples = data_set["samples"] if data_set else {}
    scale, unit = (1e-6, "MB") if key == "stored_bytes" else (1, "s")
    bars = [
        (name, [sample[key] * scale for sample in samples[name]])
        for name in names
        if name in samples and key in samples[name][0]
    ]
    return (title, unit, bars) if bars else None


def save(matplotlib, panels, path):
    """Two panels in a row."""
    from matplotlib.figure import Figure

    panels = [entry for entry in panels if entry]
    path.unlink(missing_ok=True)
    if not panels:
        return
    row_count = (len(panels) + 1) // 2
    figure = Figure(figsize=(WIDTH_INCHES, 2.2 * row_count), layout="constrained")
    axes = figure.subplots(row_count, 2, squeeze=False).flat
    for axis, entry in zip(axes, panels):
        draw_panel(axis, *entry)
    for axis in list(axes)[len(panels) :]:
        axis.set_axis_off()
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def draw_panel(axis, title, unit, bars):
    """Bars from top to bottom, each with its median behind it."""
    bars = bars[::-1]
    medians = [median(values) for _, values in bars]
    names = [name for name, _ in bars]
    spread = [
        [middle - min(values) for middle, (_, values) in zip(medians, bars)],
        [max(values) - middle for middle, (_, values) in zip(medians, bars)],
    ]
    axis.barh(
        names, medians, xerr=spread, color=[color(name) for name in names],
        error_kw={"linewidth": 1, "ecolor": "#333333"},
    )  # fmt: skip
    longest = max(max(values) for _, values in bars)
    for position, (middle, (_, values)) in enumerate(zip(medians, bars)):
        text = f"{middle:.2f} {unit}" if middle < 10 else f"{middle:.1f} {unit}"
        axis.text(max(values) + longest * 0.02, position, text, va="center")
    axis.set_xlim(0, longest * 1.22)
    axis.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axis.set_xlabel(unit)
    axis.spines[["top", "right"]].set_visible(False)


def color(name):
    """Cairn, a limit, or a peer."""
    if name.startswith("cairn"):
        return OWN
    return PEER if name.startswith("mongo") else LIMIT
