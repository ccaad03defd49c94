"""Snapshots: round trips, what they carry, and that no damaged one is taken for a good one."""

import numpy as np
import pytest

from hanami_actors.compute import (
    KERNEL_VERSION,
    Network,
    NetworkImage,
    decode_image,
    encode_image,
    read_image_header,
)
from hanami_actors.errors import SnapshotDamagedError
from tests.unit.compute.builders import make_network, make_samples

X, Y = make_samples(120, 40, 3)


def trained(rows=60, **options):
    network = make_network(**options)
    network.train([("x", X)], [("y", Y)], 0, rows)
    return network


def test_a_decoded_network_goes_on_as_if_nothing_had_happened():
    options = {"neuron_cooldown": 2.0, "refractory_time": 2, "replay_memory": 7}
    copy = Network.from_image(decode_image(encode_image(trained(**options).image())))
    copy.train([("x", X)], [("y", Y)], 60, 120)
    whole = trained(rows=120, **options)
    assert copy.digest() == whole.digest()
    for row in range(9):
        assert np.array_equal(
            copy.request_one({"x": X[row]})["y"], whole.request_one({"x": X[row]})["y"]
        )


def test_equal_networks_have_equal_bytes():
    assert encode_image(trained().image()) == encode_image(trained().image())


def test_an_image_does_not_follow_the_network():
    network = trained()
    image = network.image()
    digest = image.digest
    network.train([("x", X)], [("y", Y)], 60, 120)
    assert image.digest == digest != network.digest()


def test_a_network_without_sizes_has_an_image():
    network = trained(rows=0)
    assert Network.from_image(decode_image(encode_image(network.image()))).digest() == (
        network.digest()
    )


def test_the_header_names_versions_and_digest():
    network = trained()
    header = read_image_header(encode_image(network.image()))
    assert header["digest"] == network.digest()
    assert header["kernel_version"] == KERNEL_VERSION
    assert {"numba", "llvmlite"} <= header.keys()


def test_every_flipped_byte_is_noticed():
    data = bytearray(encode_image(trained(rows=3).image()))
    for at in range(0, len(data), 97):
        data[at] ^= 0x40
        with pytest.raises(SnapshotDamagedError):
            decode_image(bytes(data))
        data[at] ^= 0x40


@pytest.mark.parametrize("keep", [0, 3, 40, 1000, -1])
def test_every_cut_is_noticed(keep):
    with pytest.raises(SnapshotDamagedError):
        decode_image(encode_image(trained(rows=3).image())[:keep])


def test_transients_are_in_the_image_but_not_in_the_digest():
    network = trained(neuron_cooldown=2.0)
    digest = network.digest()
    assert network.image().state["potential"][0].any()
    network.reset_transients("train")
    assert network.digest() == digest
    assert not network.image().state["potential"][0].any()


def test_a_snapshot_with_other_arrays_is_refused():
    image = trained(rows=3).image()
    fewer = {name: array for name, array in image.state.items() if name != "births"}
    with pytest.raises(SnapshotDamagedError, match="other arrays"):
        decode_image(encode_image(NetworkImage(fewer)))
