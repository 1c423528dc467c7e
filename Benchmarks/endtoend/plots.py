"""Draws what was measured: bars of medians from zero, and a line from the least to the most."""

import sys
from statistics import median

from .machine import as_sentence
from .processes import ROOT
from .report import number

LIBRARY = ROOT / ".tools" / "plots"
OWN, LIMIT, PEER = "#1f6f8b", "#9aa5b1", "#d98c3f"
WIDTH_INCHES = 10


def draw(campaign, folder):
    """Writes the plots for which there is anything to show; answers their names."""
    sys.path.insert(0, str(LIBRARY))
    import matplotlib

    matplotlib.rcParams |= {
        # Text stays text, and the same data gives the same file.
        "svg.fonttype": "none",
        "svg.hashsalt": "cairn",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans", "Verdana"],
        "font.size": 9,
    }
    plots = {
        "bench.svg": panels_of_the_bars(campaign),
        "bench-data-sets.svg": panels_of_other_data(campaign.measured),
    }
    for name, panels in plots.items():
        save([entry for entry in panels if entry], campaign, folder / name)
    return [name for name in plots if (folder / name).exists()]


def panels_of_the_bars(campaign):
    """What the bars are about."""
    orders, tiny = campaign.measured.get("orders"), campaign.measured.get("tiny")
    backup = ["drained cursor", *(f"cairn backup {codec}" for codec in ("lz4", "gzip", "zstd"))]
    backup.append("mongodump gzip")
    verify = [
        f"{what} {codec}" for codec in ("gzip", "zstd") for what in ("bare inflate", "cairn verify")
    ]
    restore = ["bare inserts", "cairn restore", "mongorestore 4 workers", "mongorestore"]
    return [
        panel(orders, "Backup of orders", backup),
        panel(orders, "Restore of orders", restore),
        panel(orders, "Archive of orders", backup, "stored_bytes"),
        panel(orders, "Verify of orders", verify),
        panel(tiny, "Backup of tiny", backup),
        panel(tiny, "Restore of tiny", restore),
        panel(orders, "CPU of a backup of orders", backup, "cpu_seconds"),
        memory_panel(campaign.memory),
    ]


def panels_of_other_data(measured):
    """The other data sets: backup and restore of each, and what the archive has."""
    names = ["drained cursor", "cairn backup gzip", "cairn backup zstd", "mongodump gzip"]
    names += ["bare inserts", "cairn restore", "mongorestore"]
    panels = []
    for theme in ("platform", "small", "large"):
        data_set = measured.get(theme)
        panels.append(panel(data_set, f"Backup and restore of {theme}", names))
        panels.append(panel(data_set, f"Archive of {theme}", names, "stored_bytes"))
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
    return (f"{title}, {data_set['bytes'] / 1e6:,.0f} MB", unit, bars) if bars else None


def memory_panel(sizes):
    """The peaks of each command at both sizes."""
    bars = [
        (f"cairn {command}, {size['megabytes']:,} MB", peaks)
        for command in (sizes[0]["peak_mib"] if sizes else [])
        for size, peaks in ((size, size["peak_mib"][command]) for size in sizes)
    ]
    return ("Peak memory", "MiB", bars) if bars else None


def save(panels, campaign, path):
    """Draws panels, two in a row; without any there is no file."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    path.unlink(missing_ok=True)
    if not panels:
        return
    row_count = (len(panels) + 1) // 2
    figure = Figure(figsize=(WIDTH_INCHES, 2.1 * row_count + 1), layout="constrained")
    axes = list(figure.subplots(row_count, 2, squeeze=False).flat)
    for axis, entry in zip(axes, panels):
        draw_panel(axis, *entry)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    names = {"Cairn": OWN, "limit: a bare loop in C": LIMIT, "mongodump, mongorestore": PEER}
    figure.legend(
        [Patch(color=value) for value in names.values()], list(names), ncols=len(names),
        loc="outside upper center", frameon=False,
    )  # fmt: skip
    figure.supxlabel(caption(campaign), fontsize=8)
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def caption(campaign):
    """Below the plot."""
    line = f"Medians of {campaign.runs} rounds, shorter is better; lines from least to most."
    return f"{line}\n{as_sentence(campaign.machine)}"


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
        names, medians, 0.8 * min(1, len(bars) / 4), xerr=spread,
        color=[color(name) for name in names],
        error_kw={"linewidth": 1, "ecolor": "#333333"},
    )  # fmt: skip
    longest = max(max(values) for _, values in bars)
    for position, (middle, (_, values)) in enumerate(zip(medians, bars)):
        text = f"{number(middle)} {unit}"
        axis.text(max(values) + longest * 0.02, position, text, va="center")
    axis.set_xlim(0, longest * 1.22)
    axis.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axis.spines[["top", "right"]].set_visible(False)


def color(name):
    """Cairn, a limit, or a peer."""
    if name.startswith("cairn"):
        return OWN
    return PEER if name.startswith("mongo") else LIMIT
