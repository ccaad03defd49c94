"""Kill a server again and again while clients use it; see scripts/soak."""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.crash.faults.powercut import compiled_powercut  # noqa: E402
from tests.crash.soak.soak import Report, Soak  # noqa: E402

ROUND_SECONDS = 120.0
LOG_NAME = "soak-server.log"


def main(argv: Sequence[str]) -> int:
    """Return 0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 2**32))
    parser.add_argument("--power-cut", action="store_true", help="lose what was not synced, too")
    parser.add_argument("--clusters", type=int, default=4, help="clients that use clusters")
    parser.add_argument("--uploads", type=int, default=2, help="clients that upload files")
    parser.add_argument("--dir", type=Path, help="where to write")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    arguments = parser.parse_args(argv)
    if arguments.power_cut and compiled_powercut() is None:
        parser.error("--power-cut needs a C compiler")
    reports = []
    # In rounds, so that the verification at the end of each stays short.
    rounds = max(1, round(arguments.minutes * 60 / ROUND_SECONDS))
    for number in range(rounds):
        report = soak(arguments, arguments.seed + number, arguments.minutes * 60 / rounds)
        reports.append(report)
        if not arguments.json:
            print(f"--- round {number + 1} of {rounds}\n{report}", flush=True)
        if report.lost:
            break
    totals = {
        name: sum(getattr(report, name) for report in reports)
        for name in ("kills", "terminations", "taken_back", "acknowledged", "unknown", "checked")
    }
    totals["lost"] = sum(len(report.lost) for report in reports)
    if arguments.json:
        print(json.dumps({"totals": totals, "rounds": [asdict(report) for report in reports]}))
    else:
        print("--- in all\n" + "\n".join(f"{name}: {value}" for name, value in totals.items()))
    return 1 if totals["lost"] else 0


def soak(arguments: argparse.Namespace, seed: int, seconds: float) -> Report:
    """Run one round on a directory of its own; what a failure leaves behind stays there."""
    directory = Path(tempfile.mkdtemp(prefix="hanami-soak-", dir=arguments.dir))
    run = Soak(
        directory / "data",
        seed,
        cluster_workers=arguments.clusters,
        upload_workers=arguments.uploads,
        power_cut=arguments.power_cut,
    )
    report = run.run(seconds=seconds)
    if report.lost:
        (directory / LOG_NAME).write_text(run.server.log, encoding="utf-8")
        print(f"everything is left in {directory}", file=sys.stderr)
    else:
        run.remove()
    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
