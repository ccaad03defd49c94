"""Samples of direct training survive being stored."""

import numpy as np
import pytest

from hanami_actors.datasets.samples import (
    Sample,
    decode_samples,
    encode_samples,
    sizes_of_samples,
)
from hanami_actors.errors import FaultError


def vector(*values):
    return np.array(values, dtype=np.float32)


def sample(*values, label=(1.0,)):
    return Sample({"in": vector(*values)}, {"out": vector(*label)})


def test_samples_come_back_in_runs_of_equal_shape():
    samples = [sample(1, 2), sample(3, 4), sample(5, 6, 7), sample(8, 9)]
    runs = list(decode_samples(encode_samples(samples)))
    assert [(run.start, run.row_count) for run in runs] == [(0, 2), (2, 1), (3, 1)]
    ((name, rows),) = runs[0].inputs
    assert (name, rows.tolist()) == ("in", [[1, 2], [3, 4]])
    assert runs[0].outputs[0][1].tolist() == [[1], [1]]
    assert all(array.flags.c_contiguous for run in runs for _, array in run.inputs)


def test_odd_values_keep_their_bits():
    odd = vector(np.nan, np.inf, -0.0, 1e-45, 3.4e38)
    ((name, rows),) = next(decode_samples(encode_samples([Sample({"in": odd}, {})]))).inputs
    assert name == "in"
    assert rows[0].tobytes() == odd.tobytes()


def test_several_inputs_and_outputs_are_kept_apart():
    both = Sample({"b": vector(1), "a": vector(2, 3)}, {"y": vector(4), "x": vector(5, 6)})
    (run,) = decode_samples(encode_samples([both, both]))
    assert [(name, rows[1].tolist()) for name, rows in run.inputs] == [("b", [1]), ("a", [2, 3])]
    assert [(name, rows[1].tolist()) for name, rows in run.outputs] == [("y", [4]), ("x", [5, 6])]


def test_the_largest_sizes_are_told_sorted():
    samples = [sample(1, 2, 3), sample(1), Sample({"a": vector(1)}, {})]
    assert sizes_of_samples(encode_samples(samples)) == ((("a", 1), ("in", 3)), (("out", 1),))


@pytest.mark.parametrize("data", [b"", b"\x02abcde", b"\x01\x00"])
def test_foreign_bytes_are_refused(data):
    with pytest.raises(FaultError, match="unknown layout"):
        list(decode_samples(data))
