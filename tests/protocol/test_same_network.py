"""A task of a server trains the network of `hanami_actors.compute`, byte for byte.

So what `scripts/bench network` measures without a server (accuracy, memory, robustness) holds for
tasks as well, and only the seconds around the kernels are the server's.
"""

import numpy as np
import pytest

from hanami_actors.compute import Network, NetworkSpec
from hanami_sdk import cluster
from tests.journey import Journey, write_idx

ROWS = 300
EPOCHS = 2

# Written out, because the defaults of a server are part of what is tested.
SETTINGS = {
    "enable_reduction": False,
    "hidden_blocks_max": 2,
    "input_levels": 0,
    "max_connection_distance": 1,
    "neuron_cooldown": 1e7,
    "refractory_time": 1,
    "replay_memory": 4000,
    "replay_memory_bytes": 16_000_000,
    "replays_per_cycle": 1,
}


@pytest.mark.parametrize("seed", [0, 2**40 + 3])
def test_a_task_ends_with_the_bytes_and_answers_of_the_network_alone(warm_server, tmp_path, seed):
    images, labels = write_idx(tmp_path, ROWS)
    user = Journey(warm_server)
    data = user.upload(images, labels)
    uuid = user.create_cluster(f"same {seed}", seed=seed)
    ended = user.finished(user.train(uuid, data, epochs=EPOCHS), uuid)
    request = user.request(uuid, data)
    user.finished(request, uuid)

    network = Network.create(
        NetworkSpec(
            hexagons=((1, 1, 1), (2, 1, 1), (3, 1, 1)),
            axons=(),
            inputs=(("picture", 0, "plain"),),
            outputs=(("label", 2, "plain"),),
            settings=tuple(sorted(SETTINGS.items())),
            seed=seed,
        )
    )
    network.size({"picture": 36}, {"label": 10})
    x = np.frombuffer(images.read_bytes(), np.uint8, offset=16).reshape(ROWS, 36)
    y = np.eye(10, dtype=np.float32)[np.frombuffer(labels.read_bytes(), np.uint8, offset=8)]
    for _ in range(EPOCHS):
        network.train([("picture", x)], [("label", y)], 0, ROWS)
    assert ended["digest"] == network.digest()
    results = np.zeros((ROWS, 10), np.float32)
    network.request([("picture", x)], ["label"], 0, ROWS, results=[results])
    assert np.array_equal(np.array(user.answers(request, ROWS), np.float32), results)
    cluster.delete_cluster(user.token, user.address, uuid)
