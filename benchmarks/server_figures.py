"""What the benchmarks of the server share: rows with targets, the machine, the table in the docs."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
END = "<!-- end -->\n"

__all__ = ["PAGE", "Row", "add_options", "cpu_s", "machine", "report", "write_table"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure and where it should be, if anywhere."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def missed(self) -> bool:
        """Whether it is on the wrong side of its target."""
        too_low = self.at_least is not None and self.value < self.at_least
        return too_low or (self.at_most is not None and self.value > self.at_most)

    @property
    def target(self) -> str:
        """The target as people write it; empty when there is none."""
        if self.at_least is not None:
            return f"≥ {self.at_least:,g}"
        return f"≤ {self.at_most:,g}" if self.at_most is not None else ""

    @property
    def verdict(self) -> str:
        """What became of the target; empty when there is none."""
        if not self.target:
            return ""
        return "MISSED" if self.missed else "met"

    @property
    def shown(self) -> str:
        """Value and unit, with about three digits that mean something."""
        digits = 0 if abs(self.value) >= 100 else 1 if abs(self.value) >= 10 else 2
        unit = self.unit if self.unit.startswith("/") else f" {self.unit}"
        return f"{self.value:,.{digits}f}{unit}".strip()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what all of these benchmarks understand."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--docs", action="store_true", help=f"write the table to {PAGE.name}")


def machine() -> str:
    """Return a line that names the machine and how busy it is."""
    named = ""
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        models = [line for line in cpus.read_text().splitlines() if line.startswith("model name")]
        named = models[0].partition(":")[2].strip() if models else ""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (
        f"{named or platform.machine()}, {cores} cores, Python {platform.python_version()}, "
        f"load {load:.1f}"
    )


def report(section: str, rows: Sequence[Row], options: argparse.Namespace) -> None:
    """Print the rows, and write them to the docs if that is asked for.

    Parameters
    ----------
    section : str
        Name of the benchmark.
    rows : sequence of Row
    options : Namespace
        With what `add_options` added.
    """
    named = machine()
    if options.docs:
        PAGE.write_text(
            write_table(PAGE.read_text(encoding="utf-8"), section, named, rows), encoding="utf-8"
        )
    if options.json:
        print(json.dumps({"machine": named, "rows": [asdict(row) for row in rows]}, indent=2))
        return
    print(named)
    for row in rows:
        print(f"{row.name:<58} {row.shown:>14}  {row.target:<10} {row.verdict}".rstrip())


def write_table(page: str, section: str, named: str, rows: Sequence[Row]) -> str:
    """Return a page with its table of a benchmark replaced.

    Parameters
    ----------
    page : str
        Has the mark that the table of the section follows.
    section : str
    named : str
        The machine.
    rows : sequence of Row
    """
    begin = f"<!-- {section}: written by scripts/bench {section} --docs -->\n"
    before, mark, rest = page.partition(begin)
    _, end, after = rest.partition(END)
    if not mark or not end:
        sys.exit(f"bench: the page has no place for the table: {begin.strip()} ... {END.strip()}")
    table = ["| what | result | target | |", "| --- | --- | --- | --- |"]
    table += [f"| {row.name} | {row.shown} | {row.target} | {row.verdict} |" for row in rows]
    lines = "\n".join([f"{named}.", "", *table])
    return f"{before}{begin}\n{lines}\n\n{END}{after}"


def cpu_s(pid: int) -> float:
    """Return the processor time of a process and all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
