"""Kill -9 while a connection trains: what is left is the beginning of what was sent."""

import threading
from typing import Any

import pytest

from tests.protocol.direct_client import EXPECTED, TRAINED, ClosedError, DirectClient, message
from tests.protocol.direct_user import User, label, picture

STEPS = 20_000
PROBES = 3


class Trainer(threading.Thread):
    """Trains as fast as answers come, with some steps on their way, until the server is gone."""

    def __init__(self, client: DirectClient, window: int) -> None:
        super().__init__(daemon=True)
        self.client, self.window = client, window
        self.sent = self.answered = 0
        self.enough = threading.Event()

    def run(self) -> None:
        try:
            while self.sent < STEPS:
                send_step(self.client, self.sent)
                self.sent += 1
                if self.sent - self.answered >= self.window:
                    self._take()
        except (OSError, AssertionError, ClosedError):
            return

    def _take(self) -> None:
        self.client.receive()
        assert self.client.receive() == TRAINED
        self.answered += 1
        if self.answered >= 300:
            self.enough.set()


def send_step(client: DirectClient, number: int) -> None:
    client.send(message("picture", picture(number), last=False, train=True))
    client.send(message("label", label(number), last=True, train=True, target=EXPECTED))


def probes(user: User, network: str) -> list[list[float]]:
    with user.connect(network) as client:
        return [client.request(picture(number)) for number in range(PROBES)]


def trained_with(user: User, count: int) -> list[list[float]]:
    """What another cluster answers that learned the first of the same samples."""
    control = user.create_cluster("control")
    user.mode(control, "DIRECT")
    with user.connect(control) as client:
        for number in range(count):
            send_step(client, number)
            if number % 100 == 99:
                for _ in range(200):
                    client.receive()
        for _ in range(2 * (count % 100)):
            client.receive()
        answers = [client.request(picture(number)) for number in range(PROBES)]
    user.call("DELETE", "cluster", uuid=control)
    return answers


@pytest.mark.parametrize(
    ("durability", "window"), [("accepted", 1), ("accepted", 64), ("committed", 8)]
)
def test_after_a_kill_a_cluster_holds_the_first_of_the_samples_and_says_how_many(
    make_server: Any, durability: str, window: int
) -> None:
    server = make_server("--snapshot-interval-s", "0.1")
    user = User(server)
    network = user.create_cluster("killed")
    user.mode(network, "DIRECT")
    client = user.connect(network, durability=durability)
    trainer = Trainer(client, window)
    trainer.start()
    assert trainer.enough.wait(60)
    server.kill()
    trainer.join(30)
    client.close()
    server.start()
    user.log_in()
    (session,) = user.stats(network)["sessions"]
    assert session["connection_uuid"] == client.uuid
    assert session["is_open"] is False
    held = session["steps"]
    assert 0 < held <= trainer.sent
    if durability == "committed":
        assert held >= trainer.answered
    expected = trained_with(user, held)
    assert probes(user, network) == expected
    # It goes on in the mode that it was in, and twice killed is no worse.
    with user.connect(network) as again:
        for number in range(50):
            again.train(picture(number), label(number))
        values = [again.request(picture(number)) for number in range(PROBES)]
    user.mode(network, "TASK")
    assert user.stats(network)["trained_cycles"] == held + 50
    if durability == "committed":
        server.kill()
        server.start()
        user.log_in()
        assert probes(user, network) == values
    assert "Traceback" not in server.log


def test_a_checkpoint_of_a_directly_trained_cluster_restores_without_any_snapshot(
    server: Any,
) -> None:
    user = User(server)
    network = user.create_cluster("direct")
    user.mode(network, "DIRECT")
    with user.connect(network) as client:
        for number in range(120):
            client.train(picture(number), label(number))
        expected = [client.request(picture(number)) for number in range(PROBES)]
    user.mode(network, "TASK")
    saved = user.call("POST", "cluster/save", name="saved", cluster_uuid=network)["uuid"]
    digest = user.call("GET", "checkpoint", uuid=saved)["digest"]
    assert len(digest) == 64
    user.call("DELETE", "cluster", uuid=network)
    server.terminate()
    stored = list((server.data_dir / "snapshots").glob("cluster%2F*/*"))
    assert stored != []
    for path in stored:
        path.unlink()
    server.start()
    user.log_in()
    other = user.call("POST", "cluster", name="other", checkpoint_uuid=saved)["uuid"]
    assert probes(user, other) == expected
    stats = user.stats(other)
    assert (stats["trained_cycles"], stats["digest"]) == (120, digest)
