"""The demo's data: digits become IDX files, MNIST is found under each of its names."""

import gzip
import importlib.util
import struct
import sys
from pathlib import Path

import pytest
from sklearn.datasets import load_digits

SCRIPT = Path(__file__).parents[2] / "scripts" / "demo_data.py"


@pytest.fixture(scope="module")
def demo_data():
    spec = importlib.util.spec_from_file_location("demo_data", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_data"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["demo_data"]


def write_mnist(directory: Path, *, separator: str, packed: bool) -> None:
    for prefix, count in (("train", 3), ("t10k", 2)):
        contents = {
            "images": struct.pack(">IIII", 0x803, count, 2, 2) + bytes(range(4 * count)),
            "labels": struct.pack(">II", 0x801, count) + bytes(range(count)),
        }
        for kind, content in contents.items():
            name = f"{prefix}-{kind}{separator}idx{3 if kind == 'images' else 1}-ubyte"
            if packed:
                (directory / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (directory / name).write_bytes(content)


def test_all_digits_are_written_once_with_their_values(demo_data, tmp_path):
    data = demo_data.digits(tmp_path)
    assert (data.train.count, data.test.count) == (1400, 397)
    header = struct.unpack(">IIII", data.test.images.read_bytes()[:16])
    assert header == (0x803, 397, 8, 8)
    pixels = data.train.images.read_bytes()[16:]
    assert len(pixels) == 1400 * 64
    assert max(pixels) == 16
    assert set(data.test.read_labels()) == set(range(10))
    assert data.test.size_bytes == 16 + 397 * 64 + 8 + 397
    labels = data.train.read_labels() + data.test.read_labels()
    assert sorted(labels) == sorted(load_digits().target)


@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("packed", [False, True])
def test_mnist_is_found_under_each_of_its_names(demo_data, tmp_path, separator, packed):
    source, unpacked = tmp_path / "source", tmp_path / "unpacked"
    source.mkdir()
    unpacked.mkdir()
    write_mnist(source, separator=separator, packed=packed)
    data = demo_data.mnist(source, unpacked)
    assert (data.train.count, data.test.count) == (3, 2)
    assert data.train.read_labels() == bytes([0, 1, 2])
    assert data.train.images.parent == (unpacked if packed else source)
    assert data.train.images.read_bytes()[16:] == bytes(range(12))


def test_a_missing_mnist_file_is_named(demo_data, tmp_path):
    write_mnist(tmp_path, separator="-", packed=False)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(demo_data.DataError, match="holds no t10k-labels-idx1-ubyte"):
        demo_data.mnist(tmp_path, tmp_path)


def test_a_file_that_holds_no_images_is_named(demo_data, tmp_path):
    write_mnist(tmp_path, separator="-", packed=False)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"nothing")
    with pytest.raises(demo_data.DataError, match="train-images-idx3-ubyte is not an IDX file"):
        demo_data.mnist(tmp_path, tmp_path)


@pytest.mark.parametrize("damage", [lambda packed: packed[:-5], lambda packed: b"x" + packed])
def test_a_damaged_packed_file_is_named(demo_data, tmp_path, damage):
    write_mnist(tmp_path, separator="-", packed=True)
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(demo_data.DataError, match=r"t10k-images-idx3-ubyte\.gz cannot be unpacked"):
        demo_data.mnist(tmp_path, tmp_path)
