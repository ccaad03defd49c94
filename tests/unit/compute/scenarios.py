"""Digests of networks trained on hashed data: the same on every machine, for one kernel version.

    python -m tests.unit.compute.scenarios            print them as JSON
    python -m tests.unit.compute.scenarios --write    make them the expected ones

Write them only together with a deliberate change of results, and raise `KERNEL_VERSION` if there
was a release in between.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hanami_actors.compute import KERNEL_VERSION, Network
from tests.unit.compute.builders import make_spec
from tests.unit.compute.cases import CASES

GOLDEN = Path(__file__).with_name("golden.json")

LONG: dict[str, Any] = {
    "defaults": {},
    "potentials": {"neuron_cooldown": 3.0, "refractory_time": 2},
    "reduced": {"enable_reduction": True, "replay_memory": 0},
    "forgetful": {"replay_memory": 40, "replays_per_cycle": 2, "hidden_blocks_max": 4},
}
"""Longer runs of a template of three hexagons: past the eager slow weights, growth, reduction."""

LONG_ROWS = {"reduced": 20_100}


class Scenario(NamedTuple):
    """A network and all its samples."""

    options: dict[str, Any]
    inputs: dict[str, np.ndarray[Any, Any]]
    outputs: dict[str, np.ndarray[Any, Any]]
    rows: int


def hashed(rows: int, columns: int, salt: int) -> np.ndarray[Any, Any]:
    """Integers below 2**32 that depend on nothing but the arguments."""
    x = np.arange(rows * columns, dtype=np.uint64) + np.uint64(salt << 20)
    for factor in (747796405, 277803737):
        x = (x * np.uint64(factor) + np.uint64(2891336453)) & np.uint64(0xFFFFFFFF)
        x ^= x >> np.uint64(15)
    return x.reshape(rows, columns)


def inputs_of(rows: int, width: int, labels: np.ndarray[Any, Any], salt: int) -> Any:
    """float32 values of very different sizes, most of them 0, with a pattern per label."""
    patterns = hashed(8, width, salt) % 254 * (hashed(8, width, salt + 1) % 3 == 0)
    noise = hashed(rows, width, salt + 2) % 60 * (hashed(rows, width, salt + 3) % 5 == 0)
    scale = np.array([1.0, 1e-20, 1e6, 0.37], np.float32)[hashed(1, width, salt + 4) % 4]
    return (patterns[labels] + noise).astype(np.float32) * scale


def make_scenario(name: str) -> Scenario:
    """A case by name; values that are no ordinary numbers are among its samples."""
    if name in LONG:
        options, widths, counts = LONG[name], {"x": 40}, {"y": 3}
        rows = LONG_ROWS.get(name, 2000)
    else:
        options, widths, counts = CASES[name]
        rows = 200
    labels = (hashed(rows, 1, 77) % 3)[:, 0]
    inputs = {n: inputs_of(rows, w, labels, 9 * q) for q, (n, w) in enumerate(widths.items())}
    first = next(iter(inputs.values()))
    first[rows // 2 : rows // 2 + 5, 0] = [np.nan, np.inf, -5, 1e-42, 3e38]
    outputs = {}
    for q, (n, count) in enumerate(counts.items()):
        y = (np.arange(count) % 3 == labels[:, None]).astype(np.float32)
        flips = hashed(rows, count, 1000 + q)
        y = np.where(flips % 11 == 0, 1 - y, y)
        y = y * np.float32(3000.7) if name in ("float", "int") else y
        outputs[n] = np.where(flips % 13 == 0, np.float32(np.nan), y).astype(np.float32)
    return Scenario(options, inputs, outputs, rows)


def sized(scenario: Scenario) -> Network:
    """The network of a scenario before its first sample."""
    network = Network.create(make_spec(seed=(1 << 40) + 7, **scenario.options))
    network.size(
        {n: x.shape[1] for n, x in scenario.inputs.items()},
        {n: y.shape[1] for n, y in scenario.outputs.items()},
    )
    return network


def answers(network: Network, scenario: Scenario) -> bytes:
    """All answers to the last 50 samples."""
    first = scenario.rows - 50
    found = []
    for row in range(first, scenario.rows):
        values = network.request_one({n: x[row] for n, x in scenario.inputs.items()})
        found += [values[name].astype("<f4").tobytes() for name in sorted(values)]
    return b"".join(found)


def digest(name: str) -> str:
    """32 hex digits of the trained state and of answers."""
    scenario = make_scenario(name)
    network = sized(scenario)
    network.train([*scenario.inputs.items()], [*scenario.outputs.items()], 0, scenario.rows)
    found = hashlib.blake2b(network.digest().encode(), digest_size=16)
    found.update(answers(network, scenario))
    return found.hexdigest()


def all_digests() -> dict[str, str]:
    """The digest of every case."""
    return {name: digest(name) for name in (*CASES, *LONG)}


def golden() -> dict[str, str]:
    """The expected digests of this kernel version."""
    found: dict[str, str] = json.loads(GOLDEN.read_text())[str(KERNEL_VERSION)]
    return found


def main() -> None:
    """Print or write."""
    digests = all_digests()
    if "--write" in sys.argv[1:]:
        known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
        known[str(KERNEL_VERSION)] = digests
        GOLDEN.write_text(json.dumps(known, indent=2) + "\n")
    else:
        print(json.dumps(digests))


if __name__ == "__main__":
    main()
