"""Clients behind a network that cuts their connections."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hanami_sdk import Client
from tests.protocol.cutting_proxy import CuttingProxy
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE

MIB = 1024 * 1024
HANAMICTL = Path(sys.executable).with_name("hanamictl")


@pytest.fixture
def make_proxy(warm_server):
    made = []

    def make(**options):
        proxy = CuttingProxy(int(warm_server.address.rsplit(":", 1)[1]), **options)
        made.append(proxy)
        return proxy

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture(scope="module")
def wide_csv(tmp_path_factory):
    """A file much larger than the window of an upload, whose rows are all different."""
    path = tmp_path_factory.mktemp("wide") / "wide.csv"
    rows = np.arange(1_200_000).reshape(-1, 4)
    np.savetxt(path, rows, fmt="%d", delimiter=",", header="a,b,c,d", comments="")
    return path, rows


def test_an_upload_survives_several_cuts_and_every_byte_arrives(make_proxy, wide_csv):
    path, rows = wide_csv
    assert path.stat().st_size > 2 * MIB
    proxy = make_proxy(cut_after_bytes=MIB, cuts=2)
    seen = []
    with Client(proxy.address, ADMIN_ID, ADMIN_PASSPHRASE) as client:
        uploaded = client.datasets.upload_csv(
            "cut twice", path, progress=lambda *numbers: seen.append(numbers)
        )
        assert proxy.cuts_made == 2
        assert uploaded.number_of_rows == len(rows)
        column = client.datasets.read(uploaded, "b")
        assert np.array_equal(column[:, 0], rows[:, 1].astype("f4"))
        client.datasets.delete(uploaded)
    assert seen[-1] == (path.stat().st_size,) * 2


def test_an_upload_that_never_gets_through_can_be_resumed_elsewhere(
    make_proxy, warm_server, wide_csv
):
    path, rows = wide_csv
    proxy = make_proxy(cut_after_bytes=MIB // 2, cuts=1000)
    with (
        Client(proxy.address, ADMIN_ID, ADMIN_PASSPHRASE) as client,
        pytest.raises(GivenUpError),
    ):
        # Every attempt brings it half a megabyte further, so it is the test that gives up.
        client.datasets.upload_csv("never through", path, progress=give_up_after(MIB))
    with Client(warm_server.address, ADMIN_ID, ADMIN_PASSPHRASE) as client:
        left = next(row for row in client.datasets.list() if row.name == "never through")
        file = client.datasets.upload_progress(left).files[0]
        assert 0 < file.received_bytes < file.size_bytes
        done = client.datasets.resume_upload(left, path)
        assert done.number_of_rows == len(rows)
        client.datasets.delete(done)


class GivenUpError(Exception):
    """The test has seen enough."""


def give_up_after(size_bytes):
    def report(done_bytes, _total_bytes):
        if done_bytes > size_bytes:
            raise GivenUpError

    return report


def test_hanamictl_uploads_through_cuts_as_well(make_proxy, wide_csv):
    proxy = make_proxy(cut_after_bytes=MIB, cuts=1)
    environ = {
        "HANAMI_ADDRESS": proxy.address,
        "HANAMI_USER": ADMIN_ID,
        "HANAMI_PASSPHRASE": ADMIN_PASSPHRASE,
    }
    done = subprocess.run(
        [str(HANAMICTL), "dataset", "create", "csv", "-i", str(wide_csv[0]), "cut once"],
        env=environ, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "| NUMBER OF ROWS    | 300000" in done.stdout
    assert proxy.cuts_made == 1
