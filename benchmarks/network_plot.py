"""Learning curve and growth of a network as a picture."""

from pathlib import Path

import numpy as np

from benchmarks.network_data import Images, make_network, one_hot
from hanami_sdk.cli.drawing import Series, write_picture

__all__ = ["plot_learning"]


def plot_learning(images: Images, path: Path) -> None:
    """Train once over the images, test every now and then on some held out, and draw it."""
    split = images.held_out()
    targets = one_hot(split.labels)
    network = make_network(split.x.shape[1], 10, 1)
    stops = np.unique(np.geomspace(20, len(split.x), 40).astype(int))
    cycles, right, error, blocks, sections = ([0.0] for _ in range(5))
    right[0] = 10.0
    error[0] = 1.0
    start = 0
    for stop in stops:
        network.train([("x", split.x)], [("y", targets)], start, int(stop))
        start = int(stop)
        results = np.zeros((len(split.x_test), 10), np.float32)
        network.request([("x", split.x_test)], ["y"], 0, len(results), results=[results])
        metrics = network.metrics()
        cycles.append(float(stop))
        right.append(100 * float((results.argmax(1) == split.labels_test).mean()))
        error.append(float(metrics["running_error"]))
        blocks.append(float(metrics["blocks"]))
        sections.append(float(metrics["sections"]))
    title = f"{split.name}: % right on the last sixth, by cycles"
    panels = {
        title: [Series("% right", cycles, right)],
        "running error": [Series("error", cycles, error)],
        "blocks of 128 neurons": [Series("blocks", cycles, blocks)],
        "sections of 128 weights": [Series("sections", cycles, sections)],
    }
    write_picture(path, panels)
