"""Import of datasets, measured beside the obvious way to do it, in one run.

Usage: ``scripts/bench datasets [--megabytes N] [--repeat N]``. CSV files of several kinds are read
by the server's importer and by the csv module of the standard library with ``float()``; a pair of
IDX files as large as MNIST's is imported, and copied into one wide file, as other servers do. All
figures are for one process on one core, with the real store (hashed and flushed to disk); the best
of the repeats is shown, as processor time (fair on a busy machine) and as time on the clock.
"""

import argparse
import csv
import resource
import struct
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hanami_actors.datasets.check import accuracy
from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.datasets.idx import import_mnist
from hanami_actors.datasets.port import BlobStore
from hanami_actors.datasets.result import ResultWriter
from hanami_actors.eventlog.blobs import BlobStore as DirectoryBlobStore

IMAGE_COUNT = 60_000
PIXEL_COUNT = 28 * 28


def csv_texts(size_bytes: int) -> dict[str, bytes]:
    """Return CSV files of about the given size, by kind."""
    random = np.random.default_rng(1)
    floats = random.normal(size=(500, 20)) * 100
    pixels = random.integers(0, 256, size=(20, 785)) * (random.random((20, 785)) < 0.2)
    kinds = {
        "six decimals, 20 columns": [",".join(f"{v:.6f}" for v in row) for row in floats],
        "shortest float64, 20 columns": [",".join(map(repr, row)) for row in floats.tolist()],
        "integers, 20 columns": [",".join(f"{v:.0f}" for v in row) for row in floats],
        "pixels, 785 columns": [",".join(map(str, row)) for row in pixels.tolist()],
        "quoted, 20 columns": [",".join(f'"{v:.3f}"' for v in row) for row in floats],
        "numbers and booleans": [
            ",".join((*(f"{v:.3f}" for v in row[:5]), str(bool(row[5] > 0)).lower()))
            for row in floats
        ],
        "one column": [f"{v:.4f}" for v in floats.ravel()],
    }
    texts = {}
    for kind, lines in kinds.items():
        block = "".join(f"{line}\r\n" for line in lines).encode()
        header = ",".join(f"c{index}" for index in range(lines[0].count(",") + 1))
        texts[kind] = f"{header}\r\n".encode() + block * (size_bytes // len(block) + 1)
    return texts


def import_with_csv_module(path: Path, target: Path) -> None:
    """Read with the standard library; no checks beyond what float() refuses."""
    words = {"true": 1.0, "false": 0.0, "null": 0.0}
    with path.open(newline="") as source, target.open("wb") as file:
        reader = csv.reader(source)
        next(reader)
        values = array("f")
        for row in reader:
            try:
                values.extend(map(float, row))
            except ValueError:
                values.extend(words[v] if v in words else float(v) for v in row)
            if len(values) > 65_536:
                values.tofile(file)
                values = array("f")
        values.tofile(file)


def import_by_copying(images: Path, labels: Path, target: Path) -> None:
    """Merge pictures and labels into one file of 794 columns."""
    pixels = np.fromfile(images, dtype=np.uint8, offset=16).reshape(-1, PIXEL_COUNT)
    classes = np.fromfile(labels, dtype=np.uint8, offset=8)
    merged = np.zeros((len(pixels), PIXEL_COUNT + 10), dtype=np.uint8)
    merged[:, :PIXEL_COUNT] = pixels
    merged[np.arange(len(pixels)), PIXEL_COUNT + classes.astype(np.int64)] = 1
    merged.tofile(target)


def best_s(action: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Return the shortest processor time and the shortest time on the clock of several runs."""
    cpu_times_s, times_s = [], []
    for _ in range(repeat):
        start_cpu_s, start_s = time.process_time(), time.perf_counter()
        action()
        cpu_times_s.append(time.process_time() - start_cpu_s)
        times_s.append(time.perf_counter() - start_s)
    return min(cpu_times_s), min(times_s)


def bench_csv(directory: Path, blobs: BlobStore, size_bytes: int, repeat: int) -> None:
    """Print MB/s per kind of file."""
    print(f"{'CSV, MB/s':32}{'import_csv':>20}{'csv module':>20}")
    print(f"{'':32}{'processor':>12}{'clock':>8}{'processor':>12}{'clock':>8}")
    for kind, text in csv_texts(size_bytes).items():
        path = directory / "upload.csv"
        path.write_bytes(text)
        ours_s = best_s(lambda: import_csv(directory / "upload.csv", blobs), repeat)
        theirs_s = best_s(
            lambda: import_with_csv_module(directory / "upload.csv", directory / "plain"), repeat
        )
        rates = [len(text) / 1e6 / seconds for seconds in (*ours_s, *theirs_s)]
        print("{:32}{:12.1f}{:8.1f}{:12.1f}{:8.1f}".format(kind, *rates))


def bench_idx(directory: Path, blobs: BlobStore, repeat: int) -> None:
    """Print seconds to import files as large as MNIST's, and to check a result."""
    random = np.random.default_rng(2)
    pixels = random.integers(0, 256, size=IMAGE_COUNT * PIXEL_COUNT, dtype=np.uint8).tobytes()
    classes = random.integers(0, 10, size=IMAGE_COUNT, dtype=np.uint8)
    images, labels = directory / "images", directory / "labels"
    labels.write_bytes(struct.pack(">II", 0x801, IMAGE_COUNT) + classes.tobytes())
    ours_s: list[tuple[float, float]] = []
    copied_s: list[tuple[float, float]] = []
    for _ in range(repeat):
        images.write_bytes(struct.pack(">IIII", 0x803, IMAGE_COUNT, 28, 28) + pixels)
        copied_s.append(
            best_s(lambda: import_by_copying(images, labels, directory / "plain"), repeat=1)
        )
        ours_s.append(best_s(lambda: import_mnist(images, labels, blobs), repeat=1))
    print(f"\n{'IDX, s':32}{'import_mnist':>20}{'copy, no fsync':>20}")
    print(f"{'':32}{'processor':>12}{'clock':>8}{'processor':>12}{'clock':>8}")
    shortest_s = [min(times) for pairs in (ours_s, copied_s) for times in zip(*pairs, strict=True)]
    print("{:32}{:12.3f}{:8.3f}{:12.3f}{:8.3f}".format("60,000 pictures 28 x 28", *shortest_s))
    images.write_bytes(struct.pack(">IIII", 0x803, IMAGE_COUNT, 28, 28) + pixels)
    reference = import_mnist(images, labels, blobs)
    with ResultWriter(blobs, [("out", 10)]) as writer:
        writer.write(random.random((10_000, 10), dtype=np.float32))
        result = writer.finish()
    check_s, _ = best_s(lambda: accuracy(blobs.path, result, reference), repeat)
    print(f"{'accuracy of 10,000 rows (ms)':32}{1e3 * check_s:12.2f}")


def main() -> None:
    """Run everything in a temporary directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=20, help="size of each CSV file")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        blobs = DirectoryBlobStore(directory / "blobs")
        bench_csv(directory, blobs, arguments.megabytes * 1_000_000, arguments.repeat)
        bench_idx(directory, blobs, arguments.repeat)
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{'peak memory of all (MB)':32}{peak_bytes / 1e6:12.0f}")


if __name__ == "__main__":
    main()
