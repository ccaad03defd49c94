"""Single samples: vectors, sparse pairs, parts that are not given; the same as rows of a task."""

import numpy as np
import pytest

from hanami_actors.compute import Sparse
from tests.unit.compute.builders import make_network, make_samples

X, Y = make_samples(200, 300, 3)


def sparse(row):
    indices = np.flatnonzero(row)
    return Sparse(indices.astype(np.int32), row[indices].astype(np.float32))


def trained(**options):
    network = make_network(width=300, **options)
    network.train([("x", X)], [("y", Y)], 0, 200)
    return network


@pytest.mark.parametrize("kind", ["plain", "binary", "match"])
def test_sparse_samples_are_the_same_as_vectors(kind):
    options = {"inputs": (("x", 0, kind),)}
    network, whole = make_network(width=300, **options), trained(**options)
    for x, y in zip(X, Y, strict=True):
        network.train_one({"x": sparse(x)}, {"y": y})
    assert network.digest() == whole.digest()
    for x in X[:20]:
        answer = whole.request_one({"x": x.astype(np.float32)})["y"]
        assert np.array_equal(network.request_one({"x": sparse(x)})["y"], answer)


def test_vectors_and_sparse_samples_may_take_turns():
    network = make_network(width=300)
    for row, (x, y) in enumerate(zip(X, Y, strict=True)):
        network.train_one({"x": x.astype(np.float32) if row % 3 else sparse(x)}, {"y": y})
        network.request_one({"x": sparse(x)} if row % 2 else {"x": x})
    assert network.digest() == trained().digest()


def test_values_of_sparse_samples_that_are_not_ordinary_numbers_are_inactive():
    network, other = make_network(width=300), make_network(width=300)
    indices = np.array([3, 7, 8, 20, 299], np.int32)
    values = np.array([2.0, np.nan, -4.0, 1e-40, 5.0], np.float32)
    network.train_one({"x": Sparse(indices, values)}, {"y": Y[0]})
    ordinary = Sparse(indices[[0, 4]], values[[0, 4]])
    other.train_one({"x": ordinary}, {"y": Y[0]})
    assert network.digest() == other.digest()


def test_a_sparse_sample_without_values_is_a_vector_of_zeros():
    network, other = make_network(width=300), make_network(width=300)
    network.train_one({"x": sparse(np.zeros(300))}, {"y": Y[0]})
    other.train_one({"x": np.zeros(300, np.float32)}, {"y": Y[0]})
    assert network.digest() == other.digest()


def test_an_input_that_is_not_given_is_inactive_even_after_it_was():
    network = trained()
    zeros = network.request_one({"x": np.zeros(300, np.float32)})["y"]
    network.request_one({"x": X[0]})
    assert np.array_equal(network.request_one({})["y"], zeros)


def test_a_shorter_vector_leaves_the_rest_inactive():
    network = trained()
    short = X[0].copy()
    short[100:] = 0
    expected = network.request_one({"x": short})["y"]
    network.request_one({"x": X[1]})
    assert np.array_equal(network.request_one({"x": X[0, :100]})["y"], expected)


def unaligned(row):
    return np.frombuffer(b"!" + row.astype("f4").tobytes(), np.uint8)[1:].view("f4")


LAYOUTS = {
    "bytes": lambda row: row,
    "every second value": lambda row: np.repeat(row.astype("f4"), 2)[::2],
    "from the end": lambda row: row.astype("f4")[::-1].copy()[::-1],
    "unaligned": unaligned,
    "another byte order": lambda row: row.astype(">f4"),
    "doubles": lambda row: row.astype("f8"),
    "half floats": lambda row: row.astype("f2"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_vector_of_any_type_and_layout_is_the_same(layout):
    turn = LAYOUTS[layout]
    network, other = make_network(width=300), make_network(width=300)
    for x, y in zip(X[:20], Y, strict=False):
        network.train_one({"x": turn(x)}, {"y": turn(y)})
        other.train_one({"x": x.astype("f4")}, {"y": y})
        answer = network.request_one({"x": turn(x)})["y"]
        assert np.array_equal(answer, other.request_one({"x": x.astype("f4")})["y"])
    assert network.digest() == other.digest()


def test_arrays_that_grow_in_the_middle_of_a_sample_lose_nothing():
    wrong = np.roll(Y, 1, axis=0)  # cannot be learned: many samples are stored
    network, whole = make_network(width=300), make_network(width=300)
    whole.train([("x", X)], [("y", wrong)], 0, 200)
    for x, y in zip(X, wrong, strict=True):
        network.train_one({"x": sparse(x)}, {"y": y})
    assert network.metrics()["replay_memory_entries"] > 64
    assert network.digest() == whole.digest()


def pairs(indices, values, dtype="i4"):
    return Sparse(np.array(indices, dtype), np.array(values, "f4"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (pairs([1, 1], [1, 1]), "do not rise"),
        (pairs([2, 1], [1, 1]), "do not rise"),
        (pairs([-1, 1], [1, 1]), "not in 0 to 299"),
        (pairs([1, 300], [1, 1]), "not in 0 to 299"),
        (pairs([1, 2], [1]), "same length"),
        (pairs([1, 2], [1, 1], "f4"), "as integers"),
        (pairs([[1, 2]], [[1, 1]]), "two vectors"),
    ],
)
def test_wrong_pairs_are_refused_and_change_nothing(given, words):
    network = make_network(width=300)
    before = network.digest()
    with pytest.raises(ValueError, match=words):
        network.train_one({"x": given}, {"y": Y[0]})
    with pytest.raises(ValueError, match=words):
        network.request_one({"x": given})
    assert network.digest() == before


def test_expected_values_are_never_sparse():
    network = make_network(width=300)
    with pytest.raises(ValueError, match="do not rise or are not in 0 to"):
        network.train_one({"x": X[0]}, {"y": pairs([1], [1])})
