"""Steps that several tests of clusters begin with."""

from tests.unit.actors.fakes import Gate, network_with
from tests.unit.actors.harness import cluster_target


def trained_digest(make_backend):
    """Digest of an undisturbed run of the standard training."""
    backend = make_backend()
    cluster = backend.cluster()
    return backend.finished(cluster, backend.train(cluster, backend.data(), epochs=3)).digest


def gated_training(make_backend, at_cycle=0, **values):
    """A backend whose training waits at a gate once it has run some cycles."""
    gate = Gate()

    def wait_at_gate(network, start):
        if network.state["cycles"] >= at_cycle:
            gate.pass_through()

    return make_backend(network_class=network_with(on_train=wait_at_gate), **values), gate


def has_phases(backend, cluster, phases):
    return [entry.phase for entry in backend.cluster_state(cluster).tasks] == phases


def living(backend, cluster):
    return backend.system.actors.get(cluster_target(cluster))
