"""Clients work while the server is killed at random moments: nothing acknowledged is lost.

Clusters are created, trained, asked, saved, restored, renamed and deleted, files are uploaded. After
every restart each client compares all it knows with what is there; equal histories must give equal
digests and equal answers, for ever. At the end the whole directory is verified and every cycle of
training is computed again. `scripts/soak` does the same for longer.
"""

import os
import random
from pathlib import Path

import pytest

from tests.crash.faults.powercut import compiled_powercut
from tests.crash.soak.soak import Report, Soak

SEED = int(os.environ.get("HANAMI_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
KILLS = int(os.environ.get("HANAMI_SOAK_KILLS", "2"))


def check(report: Report) -> None:
    print(report)
    assert report.lost == []
    assert report.acknowledged > 0
    assert report.verified["holds"]


def run(data_dir: Path, *, power_cut: bool) -> Report:
    print(f"seed {SEED}: rerun with HANAMI_SEED={SEED}")
    soak = Soak(data_dir, SEED, power_cut=power_cut)
    try:
        return soak.run(kills=KILLS)
    finally:
        print(soak.server.log[-20_000:])


def test_nothing_acknowledged_is_lost_by_kills(tmp_path: Path) -> None:
    check(run(tmp_path / "data", power_cut=False))


def test_nothing_acknowledged_is_lost_with_the_power(tmp_path: Path) -> None:
    if compiled_powercut() is None:
        pytest.skip("there is no C compiler for the shim that remembers what is not synced")
    check(run(tmp_path / "data", power_cut=True))
