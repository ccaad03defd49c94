"""Whatever happens to a cluster in the middle of a training: it learns what it would have learned."""

import json

import pytest

from hanami_sdk import checkpoint, cluster, hosts
from tests.journey import write_idx
from tests.protocol.test_checkpoints_for_real import User
from tests.server import ServerProcess

ROWS = 400
TEST_ROWS = 60
SEED = 5

# A training that never ends by itself, however fast the machine is.
EPOCHS = 1_000_000

STOPPED = {"pause": "paused", "abort": "aborted"}


class Trainer(User):
    """A user with data and two hosts."""

    def __init__(self, server, directory):
        super().__init__(server)
        self.data = self.upload(*write_idx(directory, ROWS, seed=1))
        self.questions = self.upload(*write_idx(directory, TEST_ROWS, seed=2))

    def disturbed(self):
        """Return a cluster in the middle of a training."""
        network = self.create_cluster("disturbed", seed=SEED)
        training = self.train(network, self.data, epochs=EPOCHS)
        self.wait_for(training, network, lambda shown: shown["current_cycle"] > ROWS)
        return network, training

    def stop(self, how, network, training):
        """Pause or abort; return the task."""
        shown = self.call("PUT", f"task/{how}", uuid=training, cluster_uuid=network)
        assert (shown["state"], shown["current_cycle"] > ROWS) == (STOPPED[how], True)
        return shown

    def resume(self, network, training):
        self.call("PUT", "task/resume", uuid=training, cluster_uuid=network)

    def again_on(self, *flags):
        """Kill the server and start it with other flags."""
        self.server.kill()
        self.server.flags = flags or self.server.flags
        self.server.start()
        self.log_in()

    def host_uuids(self):
        return [row[0] for row in json.loads(hosts.list_hosts(self.token, self.address))["body"]]

    def undisturbed(self, cycle):
        """Return digest and answers of a training that nothing happened to, after so many cycles."""
        network = self.create_cluster("undisturbed", seed=SEED)
        training = self.train(network, self.data, epochs=-(-cycle // ROWS))
        self.finished(training, network)
        answers = self.asked_at(network, training, cycle)
        cluster.delete_cluster(self.token, self.address, network)
        return answers

    def asked_at(self, network, training, cycle):
        """Return digest and answers of a cluster that begins with a moment of another one."""
        body = {"source_cluster_uuid": network, "source_task_uuid": training}
        made = self.call("POST", "cluster", name=f"until {cycle}", source_cycle=cycle, **body)
        answers = self.asked(made["uuid"], self.questions)
        cluster.delete_cluster(self.token, self.address, made["uuid"])
        return answers


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    directory = tmp_path_factory.mktemp("trainer")
    flags = ("--cpu-hosts", "2", "--snapshot-interval-s", "0.1", "--progress-interval-s", "0.1")
    server = ServerProcess(directory / "data", *flags)
    try:
        yield Trainer(server.start(), directory)
    finally:
        server.stop()


@pytest.fixture
def user(shared):
    """Return the trainer; clusters of the test are deleted."""
    yield shared
    for row in shared.call("GET", "cluster/all")["body"]:
        shared.call("DELETE", "cluster", uuid=row[1])


def test_saving_copying_renaming_moving_and_pausing_change_nothing(user):
    network, training = user.disturbed()
    paused = user.stop("pause", network, training)
    here = user.save(network, "in the pause")
    resting = user.call("POST", "cluster/copy", name="copy of a sleeper", cluster_uuid=network)
    home, elsewhere = user.host_uuids()
    cluster.switch_host(user.token, user.address, network, elsewhere)
    user.resume(network, training)
    queued = user.save(network, "behind it")
    question = user.request(network, user.questions)
    user.call("PUT", "cluster/rename", uuid=network, name="another name")
    running = user.call("POST", "cluster/copy", name="copy of a runner", cluster_uuid=network)
    for host in (home, elsewhere, home):
        cluster.switch_host(user.token, user.address, network, host)
        assert user.stats(network)["host_uuid"] == host
    # Tasks wait by now, so a save in this pause has to wait, too.
    user.stop("pause", network, training)
    later = user.save(network, "later")
    assert [user.task(uuid, network)["state"] for uuid in (queued, later)] == ["queued", "queued"]
    user.resume(network, training)
    ended = user.stop("abort", network, training)
    expected = user.undisturbed(ended["current_cycle"])
    assert (ended["digest"], user.finished(question, network)["digest"]) == (expected[0],) * 2
    assert user.asked(network, user.questions) == expected
    for uuid in (queued, later):
        shown = json.loads(checkpoint.get_checkpoint(user.token, user.address, uuid))
        assert (shown["digest"], shown["cluster_name"]) == (expected[0], "another name")
    # What was made in the first pause is the undisturbed training up to there.
    expected = user.undisturbed(paused["current_cycle"])
    assert expected[0] == paused["digest"]
    assert user.asked(resting["uuid"], user.questions) == expected
    restored = user.create_cluster("restored", seed=99)
    user.load(restored, here)
    assert user.asked(restored, user.questions) == expected
    expected = user.undisturbed(user.stats(running["uuid"])["last_cycle"])
    assert user.asked(running["uuid"], user.questions) == expected


def test_a_restore_waits_for_the_training_and_outlives_its_checkpoint(user):
    early = user.create_cluster("early", seed=11)
    user.finished(user.train(early, user.data), early)
    saved = user.save(early)
    after = user.finished(user.train(early, user.data), early)["digest"]
    cluster.delete_cluster(user.token, user.address, early)
    network, training = user.disturbed()
    waiting = user.load(network, saved)
    more = user.train(network, user.data)
    checkpoint.delete_checkpoint(user.token, user.address, saved)
    user.stop("pause", network, training)
    user.again_on()
    assert user.task(waiting, network)["state"] == "queued"
    user.resume(network, training)
    ended = user.stop("abort", network, training)
    # One pass after the restore is the second one of the cluster that was saved after its first.
    assert user.finished(more, network)["digest"] == after
    # What the restore led away from is a beginning for others.
    for cycle in (ROWS, ended["current_cycle"]):
        assert user.asked_at(network, training, cycle) == user.undisturbed(cycle)


@pytest.mark.parametrize("how", ["abort", "delete", "abort in a pause", "abort after a kill"])
def test_an_abort_keeps_what_was_learned_until_its_cycle(user, how):
    network, training = user.disturbed()
    named = {"uuid": training, "cluster_uuid": network}
    if "pause" in how:
        user.stop("pause", network, training)
    if "kill" in how:
        user.again_on()
    if how == "delete":
        user.call("DELETE", "task", **named)
    else:
        user.stop("abort", network, training)
    aborted = user.task(training, network)
    assert aborted["state"] == "aborted"
    expected = user.undisturbed(aborted["current_cycle"])
    assert expected[0] == aborted["digest"] == user.stats(network)["digest"]
    assert user.asked(network, user.questions) == expected
    user.call("DELETE", "task", **named)
    assert training not in str(user.call("GET", "task/all", cluster_uuid=network)["body"])


def test_hosts_keep_their_uuids_however_many_there_are(user):
    network, training = user.disturbed()
    home, elsewhere = user.host_uuids()
    cluster.switch_host(user.token, user.address, network, elsewhere)
    flags = user.server.flags
    for count, place in (("2", elsewhere), ("1", home), ("3", elsewhere)):
        user.again_on("--cpu-hosts", count, *flags[2:])
        assert user.host_uuids()[:2] == [home, elsewhere][: int(count)]
        assert len(user.host_uuids()) == int(count)
        assert user.stats(network)["host_uuid"] == place
    ended = user.stop("abort", network, training)
    assert user.asked(network, user.questions) == user.undisturbed(ended["current_cycle"])
