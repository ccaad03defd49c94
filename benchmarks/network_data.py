"""What the benchmark of the network shares: images, networks, rows of its table."""

import gzip
import os
from pathlib import Path
from typing import Any, NamedTuple

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")  # before NumPy is imported

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from hanami_actors.compute import Network, NetworkSpec  # noqa: E402
from hanami_actors.domain.cluster.settings_table import TEMPLATE_SETTINGS  # noqa: E402

__all__ = ["Floats", "Images", "Row", "load_images", "make_network", "one_hot", "summary"]

Floats = NDArray[np.float32]

DEFAULTS: dict[str, Any] = {
    name: setting.default for name, setting in TEMPLATE_SETTINGS.items() if name != "seed"
}
"""Those that a template of a server has."""


class Images(NamedTuple):
    """Labelled images, split."""

    name: str
    x: NDArray[Any]
    labels: NDArray[Any]
    x_test: NDArray[Any]
    labels_test: NDArray[Any]

    def held_out(self) -> "Images":
        """Return the training images alone, the last sixth of them as the test."""
        first = len(self.x) * 5 // 6
        return Images(
            f"{self.name}, training images",
            self.x[:first],
            self.labels[:first],
            self.x[first:],
            self.labels[first:],
        )


class Row(NamedTuple):
    """One line of the table; None where it has no meaning."""

    what: str
    value: float | None
    unit: str
    deviation: float | None = None
    seconds: float | None = None
    target: str = ""
    is_met: bool | None = None
    note: str = ""


def summary(
    what: str,
    values: list[float],
    unit: str,
    *,
    seconds: list[float] | None = None,
    target: tuple[str, float, float] | None = None,
    note: str = "",
) -> Row:
    """Return a row of the mean over seeds and the least processor time.

    Parameters
    ----------
    what, unit, note : str
    values, seconds : list of float
        One per seed.
    target : (text, smallest value, largest value)
    """
    mean = float(np.mean(values))
    return Row(
        what,
        mean,
        unit,
        float(np.std(values)) if len(values) > 1 else None,
        min(seconds) if seconds else None,
        target[0] if target else "",
        target[1] <= mean <= target[2] if target else None,
        note,
    )


def _read_idx(directory: Path, name: str) -> NDArray[Any]:
    """Return an IDX file, plain or .gz."""
    plain = directory / name
    if plain.exists():
        data = plain.read_bytes()
    else:
        data = gzip.decompress((directory / f"{name}.gz").read_bytes())
    shape = [int.from_bytes(data[4 + 4 * q : 8 + 4 * q], "big") for q in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape[0], -1)


def load_images(mnist: Path | None) -> Images:
    """Return MNIST, or the digits of scikit-learn in a fixed random order."""
    if mnist is not None:
        return Images(
            "MNIST",
            _read_idx(mnist, "train-images-idx3-ubyte"),
            _read_idx(mnist, "train-labels-idx1-ubyte")[:, 0],
            _read_idx(mnist, "t10k-images-idx3-ubyte"),
            _read_idx(mnist, "t10k-labels-idx1-ubyte")[:, 0],
        )
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(1).permutation(len(digits.target))
    x = digits.data[order].astype(np.uint8)
    labels = digits.target[order]
    return Images("digits", x[:1400], labels[:1400], x[1400:], labels[1400:])


def make_network(width: int, count: int, seed: int, **settings: Any) -> Network:
    """Return a network of three hexagons in a row, sized."""
    spec = NetworkSpec(
        hexagons=((1, 1, 1), (2, 1, 1), (3, 1, 1)),
        axons=(),
        inputs=(("x", 0, "plain"),),
        outputs=(("y", 2, "plain"),),
        settings=tuple(sorted((DEFAULTS | settings).items())),
        seed=seed,
    )
    network = Network.create(spec)
    network.size({"x": width}, {"y": count})
    return network


def one_hot(labels: NDArray[Any]) -> Floats:
    """Return float32 targets for ten classes."""
    targets: Floats = np.eye(10, dtype=np.float32)[labels]
    return targets
