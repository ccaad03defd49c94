"""The demo does the whole job in one go and says so."""

import re
import subprocess
import sys
from pathlib import Path

from tests.server import KERNEL_CACHE_DIR

ROOT = Path(__file__).parents[2]


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "demo.py"), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
        env={"PATH": "/usr/bin:/bin", "HOME": "/", "NUMBA_CACHE_DIR": str(KERNEL_CACHE_DIR)},
    )


def test_the_demo_learns_the_digits_and_leaves_its_data(tmp_path):
    data_dir = tmp_path / "data"
    done = run_demo("--data-dir", str(data_dir))
    assert done.returncode == 0, done.stdout + done.stderr
    accuracy = re.search(r"accuracy\s+([0-9.]+) %   (\d+) of 397 right", done.stdout)
    assert accuracy is not None, done.stdout
    assert float(accuracy[1]) >= 95
    assert float(accuracy[1]) == round(100 * int(accuracy[2]) / 397, 2)
    for text in ("1,400 images", "14,000 cycles, 10 epochs", "MB at most", "hanamictl cluster get"):
        assert text in done.stdout
    assert str(data_dir) in done.stdout
    assert any(data_dir.iterdir())


def test_the_demo_fails_when_the_promised_accuracy_is_missed(tmp_path):
    # Labels that have nothing to do with the images: no network can learn them.
    for prefix, count in (("train", 200), ("t10k", 100)):
        pixels = bytes((7 * index) % 251 for index in range(count * 4))
        labels = bytes((index * index + index // 3) % 10 for index in range(count))
        size = count.to_bytes(4, "big")
        header = b"\0\0\x08\x03" + size + b"\0\0\0\2\0\0\0\2"
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(header + pixels)
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + size + labels)
    done = run_demo("--mnist", str(tmp_path), "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "the promised 97.5 % are NOT reached" in done.stdout


def test_the_demo_refuses_a_directory_that_holds_something(tmp_path):
    (tmp_path / "precious").touch()
    done = run_demo("--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert f"{tmp_path} is not empty" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
