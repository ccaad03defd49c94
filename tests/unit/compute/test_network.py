"""The facade: sizes, columns, single samples, requests, metrics, mistakes of callers."""

import numpy as np
import pytest

from hanami_actors.compute import Network, decode_image, encode_image
from hanami_actors.compute.kernels import cycle
from tests.unit.compute.builders import make_network, make_samples, make_spec

X, Y = make_samples(200, 40, 3)


def trained(**options):
    network = make_network(**options)
    network.train([("x", X)], [("y", Y)], 0, 200)
    return network


def answers(network, x=X):
    results = np.zeros((len(x), network.output_width("y")), np.float32)
    network.request([("x", np.ascontiguousarray(x))], ["y"], 0, len(x), results=[results])
    return results


def test_it_learns():
    network = trained()
    assert (answers(network).argmax(1) == Y.argmax(1)).mean() > 0.95
    assert network.cycle == 200


X_PORT = ("x", 0, "plain")


@pytest.mark.parametrize(("inputs", "outputs"), [((), ()), ((X_PORT,), ())])
def test_a_network_without_inputs_or_outputs_is_only_useless(inputs, outputs):
    spec = make_spec()._replace(inputs=inputs, outputs=outputs)
    network = Network.create(spec)
    copied = Network.from_image(decode_image(encode_image(network.image())))
    assert copied.digest() == network.digest()
    assert network.metrics()["trained_cycles"] == 0


def test_several_epochs_go_on_where_the_last_one_ended():
    network = trained()
    network.train([("x", X)], [("y", Y)], 0, 200)
    assert network.cycle == 400


def test_single_samples_are_cycles_of_a_task():
    network = make_network()
    for row in range(200):
        network.train_one({"x": X[row].astype(np.float32)}, {"y": Y[row]})
    assert network.digest() == trained().digest()


def test_bytes_and_floats_of_the_same_value_are_the_same():
    network = make_network()
    network.train([("x", X.astype(np.float32))], [("y", Y)], 0, 200)
    assert network.digest() == trained().digest()


def test_memory_maps_and_read_only_arrays_do_not_compile_again(tmp_path):
    expected = trained().digest()
    compiled = len(cycle.train_entry.signatures)
    X.tofile(tmp_path / "x")
    mapped = np.memmap(tmp_path / "x", np.uint8, "r", shape=X.shape)
    frozen = Y.copy()
    frozen.flags.writeable = False
    network = make_network()
    network.train([("x", mapped)], [("y", frozen)], 0, 200)
    assert network.digest() == expected
    assert len(cycle.train_entry.signatures) == compiled == 1


def test_another_seed_gives_another_state():
    assert trained(seed=1).digest() != trained(seed=2).digest()
    assert trained(seed=2**62 + 1).digest() != trained(seed=1).digest()


def test_requests_change_nothing_that_was_learned():
    network = trained(neuron_cooldown=2.0, refractory_time=2)
    before = network.digest()
    answers(network)
    network.request_one({"x": X[0]})
    assert network.digest() == before


def test_requests_one_by_one_answer_like_a_task():
    network = trained()
    together = answers(network)
    alone = [network.request_one({"x": x})["y"] for x in X]
    assert np.array_equal(together, np.array(alone))


def test_potentials_of_requests_and_training_are_apart_and_can_be_reset():
    options = {"neuron_cooldown": 2.0, "refractory_time": 2}
    network = trained(**options)
    first = answers(network, X[:5])
    assert not np.array_equal(answers(network, X[:5]), first)
    network.reset_transients("request")
    assert np.array_equal(answers(network, X[:5]), first)
    disturbed, undisturbed = trained(**options), trained(**options)
    answers(disturbed)
    for one in (disturbed, undisturbed):
        one.train([("x", X)], [("y", Y)], 0, 20)
    assert disturbed.digest() == undisturbed.digest()


def test_time_length_joins_rows():
    joined = np.concatenate([X[:-2], X[1:-1], X[2:]], axis=1)
    one, other = make_network(width=120), make_network(width=120)
    one.train([("x", np.ascontiguousarray(joined))], [("y", Y)], 0, 198)
    other.train([("x", X)], [("y", Y)], 0, 198, time_length=3)
    assert one.digest() == other.digest()


def test_a_network_without_size_answers_nothing():
    network = Network.create(make_spec())
    assert network.output_width("y") == 0
    assert network.request_one({})["y"].shape == (0,)


def test_growing_sizes_changes_no_answer():
    network = trained()
    before = answers(network)
    network.size({"x": 60}, {"y": 5})
    assert np.array_equal(answers(network)[:, :3], before)
    wider = np.pad(X, ((0, 0), (0, 20)))
    assert np.array_equal(answers(network, wider)[:, :3], before)


def test_sizes_never_shrink():
    network = make_network()
    network.size({"x": 3}, {"y": 1})
    assert network.input_width("x") == 40
    assert network.output_width("y") == 3


def test_a_new_block_changes_no_answer():
    network = make_network(hidden_blocks_max=3, replay_memory=0)
    rng = np.random.default_rng(0)
    noise = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 400)]
    data = rng.integers(0, 255, (400, 40), dtype=np.uint8)
    before = network.image().state
    for row in range(400):
        before = network.image().state
        network.train([("x", data)], [("y", noise)], row, row + 1)
        if network.metrics()["blocks"] == 3:
            break
    after = network.image().state
    assert (len(before["blocks"]), len(after["blocks"])) == (2, 3)
    added = after["output_sections"][2]
    assert not after["output_weights"][added].any()
    assert not after["output_weights_slow"][added].any()


def test_fewer_expected_values_train_only_their_outputs():
    network = trained()
    bias = network.image().state["output_bias"]
    network.train_one({"x": X[0]}, {"y": 1 - Y[0, :2]})
    assert network.image().state["output_bias"][2] == bias[2]
    assert not np.array_equal(network.image().state["output_bias"], bias)


def test_a_cycle_without_expected_values_learns_nothing_but_scales():
    network = trained()
    before = network.image().state
    network.train_one({"x": X[0]}, {})
    after = network.image().state
    assert np.array_equal(before["weights"], after["weights"])
    assert before["means"][0] == after["means"][0]
    assert network.cycle == 201


def test_correct_answers_are_skipped_but_counted():
    network = trained()
    for _ in range(30):
        network.train([("x", X)], [("y", Y)], 0, 200)
    before = network.image().state["counters"]
    network.train([("x", X)], [("y", Y)], 0, 200)
    after = network.image().state["counters"]
    assert after[12] - before[12] < 150  # samples with a backward pass
    assert after[0] - before[0] == 200


def test_metrics_name_what_people_watch():
    metrics = trained().metrics()
    assert metrics["trained_cycles"] == 200
    assert 0 < metrics["running_error"] < 1
    assert 0 < metrics["replay_memory_bytes"] < metrics["bytes"]
    assert metrics["synapses"] > 128 * metrics["sections"] > 0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda n: n.train([("q", X)], [("y", Y)], 0, 9), KeyError, "there are x"),
        (lambda n: n.train([("x", X)], [("q", Y)], 0, 9), KeyError, "there are y"),
        (lambda n: n.size({"q": 1}, {}), KeyError, "there are x"),
        (lambda n: n.size({}, {"q": 1}), KeyError, "there are y"),
        (lambda n: n.train([("x", X)], [("y", Y)], 0, 201), ValueError, "has 200 rows"),
        (lambda n: n.train([("x", X)], [("y", Y)], 5, 4), ValueError, "no range"),
        (lambda n: n.train([("x", X)], [("y", Y)], -1, 4), ValueError, "no range"),
        (lambda n: n.train([("x", X)], [("y", Y)], 0, 9, time_length=2), ValueError, "size 40"),
        (lambda n: n.train([("x", X[:, ::2])], [("y", Y)], 0, 9), ValueError, "C-contiguous"),
        (lambda n: n.train([("x", X)], [("y", Y.astype(float))], 0, 9), ValueError, "float64"),
        (lambda n: n.train([("x", X)], [("y", np.eye(200, dtype="f4"))], 0, 9), ValueError, "size"),
        (lambda n: n.train_one({"x": np.zeros(41, "f4")}, {}), ValueError, "size 40"),
        (lambda n: n.train_one({"x": X}, {}), ValueError, "vector"),
        (
            lambda n: n.request([("x", X)], ["y"], 0, 9, results=[np.zeros((8, 3), "f4")]),
            ValueError,
            r"float32\[9, 3\]",
        ),
    ],
)
def test_wrong_calls_are_refused_and_change_nothing(call, error, words):
    network = make_network()
    before = network.digest()
    with pytest.raises(error, match=words):
        call(network)
    assert network.digest() == before


def test_settings_must_be_complete():
    spec = make_spec()
    with pytest.raises(ValueError, match="replay_memory"):
        Network.create(spec._replace(settings=spec.settings[1:]))
