"""The same samples give the same bytes: on every processor, however a run is cut, beside others.

Two child processes compile the kernels in their own way, for the oldest processor and with bounds
checks (`conftest.py`).
"""

import json
import threading

import numpy as np
import pytest

from hanami_actors.compute import Network, decode_image, encode_image
from tests.unit.compute import scenarios
from tests.unit.compute.cases import CASES
from tests.unit.compute.conftest import CHILDREN
from tests.unit.compute.scenarios import LONG, golden, make_scenario, sized

NAMES = (*CASES, *LONG)


def trained(name):
    scenario = make_scenario(name)
    network = sized(scenario)
    network.train([*scenario.inputs.items()], [*scenario.outputs.items()], 0, scenario.rows)
    return network


@pytest.mark.parametrize("name", NAMES)
def test_the_digest_is_the_one_of_this_kernel_version(name):
    assert scenarios.digest(name) == golden()[name]


def test_there_is_a_digest_for_every_case():
    assert set(golden()) == set(NAMES)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("what", CHILDREN)
def test_a_process_that_compiles_differently_computes_the_same(children, what):
    output, _ = children[what].communicate(timeout=380)
    assert children[what].returncode == 0
    assert json.loads(output) == golden()


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_is_cut_and_loaded_from_snapshots_is_the_same(name):
    scenario = make_scenario(name)
    network = sized(scenario)
    row = 0
    for count in (1, 15, 16, 64, 100_000):
        stop = min(row + count, scenario.rows)
        network.train([*scenario.inputs.items()], [*scenario.outputs.items()], row, stop)
        network = Network.from_image(decode_image(encode_image(network.image())))
        row = stop
    assert row == scenario.rows
    assert network.digest() == trained(name).digest()


@pytest.mark.parametrize("name", sorted(CASES))
def test_samples_one_by_one_are_the_same(name):
    scenario = make_scenario(name)
    network = sized(scenario)
    for row in range(scenario.rows):
        network.train_one(
            {n: x[row] for n, x in scenario.inputs.items()},
            {n: y[row] for n, y in scenario.outputs.items()},
        )
    assert network.digest() == trained(name).digest()


def test_networks_on_several_threads_do_not_disturb_each_other():
    digests = {}

    def work(name):
        digests[name] = scenarios.digest(name)

    names = [*LONG, "small memory", "two hidden", "match", "growing"]
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert digests == {name: golden()[name] for name in names}


def test_subnormal_numbers_are_not_flushed_to_zero():
    """A library that was compiled carelessly may switch the mode of its thread."""
    tiny = np.float32(1e-20)
    products = []

    def work():
        trained("straight")
        products.append(tiny * tiny)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    work()
    assert products == [np.float32(1e-40)] * 2
    assert 0 < products[0] < np.finfo(np.float32).smallest_normal
