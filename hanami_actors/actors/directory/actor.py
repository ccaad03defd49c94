"""Names, creation and deletion; starts the actors of resources when somebody asks for them."""

import logging
from collections.abc import Callable
from typing import Any

from hanami_actors.actors.directory.accounts import Accounts
from hanami_actors.actors.directory.clusters import Clusters
from hanami_actors.actors.directory.datasets import Datasets
from hanami_actors.actors.gateway import Command, Target, TargetKind
from hanami_actors.actors.system import System
from hanami_actors.actors.writer import append_to, persist
from hanami_actors.domain.base import Message, Stamp
from hanami_actors.domain.checkpoint.messages import CreateCheckpoint, DeleteCheckpoint
from hanami_actors.domain.cluster import messages as cluster_messages
from hanami_actors.domain.dataset.messages import CreateUploadedDataset, DeleteDataset
from hanami_actors.domain.host import aggregate as host_aggregate
from hanami_actors.domain.host.aggregate import HostState
from hanami_actors.domain.host.messages import RegisterHost, RetireHost
from hanami_actors.domain.tables import ClusterRow, Tables
from hanami_actors.errors import BusyError, FaultError, NotFoundError, WrongVersionError
from hanami_actors.runtime.actor import Actor, ActorRef, ask
from hanami_actors.runtime.inbox import Internal

__all__ = ["DirectoryActor", "ExpireUploads", "Locate", "Starter"]

logger = logging.getLogger(__name__)

Starter = Callable[[str], ActorRef]

ATTEMPTS_MAX = 3
"""How often a decision is taken again because its stream has moved in the meantime."""


class Locate(Message, frozen=True, kw_only=True):
    """Return the actor behind an address, started if it sleeps. Answer: ``ActorRef``.

    With ``is_owed`` it is started even beyond the limit: it has work that was promised.
    """

    target: Target
    is_owed: bool = False


class ExpireUploads(Internal, frozen=True, kw_only=True):
    """Look whether uploads have been abandoned; told every second by the supervisor."""


class DirectoryActor(Actor):
    """Alone appends creation and deletion; from then on the resource's own actor appends.

    Its state are the published tables, which hold its own writes before it is answered.
    """

    def __init__(self, system: System, starters: dict[TargetKind, Starter]) -> None:
        super().__init__()
        self.inbox.len_max = system.settings.inbox_len_max
        self._system = system
        self._starters = starters
        self._accounts = Accounts(system)
        self._datasets = Datasets(system)
        self._clusters = Clusters(system)

    def on_receive(self, message: object) -> Any:
        """Handle a message."""
        match message:
            case Locate():
                return self._locate(message.target, is_owed=message.is_owed)
            case Command():
                return self._retrying(message)
            case ExpireUploads():
                return self._datasets.expire()
            case _:
                raise FaultError(f"the directory got a {type(message).__name__}")

    @property
    def _tables(self) -> Tables:
        return self._system.published.tables

    def _retrying(self, command: Command) -> Any:
        for _ in range(ATTEMPTS_MAX):
            try:
                return self._on_command(command)
            except WrongVersionError as error:
                logger.info("deciding again: %s", error)
        raise BusyError("this resource is being changed by others; try again in a moment")

    def _on_command(self, command: Command) -> Any:
        stamp = self._system.stamp(command)
        match command.message:
            case CreateUploadedDataset() as message:
                return self._datasets.create(message, stamp)
            case DeleteDataset() as message:
                return self._datasets.delete(message, stamp)
            case cluster_messages.CreateCluster() as message:
                return self._clusters.create(message, stamp)
            case cluster_messages.DeleteCluster() as message:
                return self._clusters.delete(message, stamp)
            case cluster_messages.RenameCluster() as message:
                return self._rename_cluster(message, command)
            case CreateCheckpoint() as message:
                return self._clusters.create_checkpoint(message, stamp)
            case DeleteCheckpoint() as message:
                return self._clusters.delete_checkpoint(message, stamp)
            case RegisterHost() | RetireHost() as message:
                return self._change_host(message, stamp)
            case _:
                answer = self._accounts.answer(command.message, stamp)
                if answer is None:
                    kind = type(command.message).__name__
                    raise FaultError(f"the directory was asked for a {kind}")
                return answer

    def _locate(self, target: Target, *, is_owed: bool) -> ActorRef:
        living = self._system.actors.get(target)
        if living is not None:
            return living
        rows = {
            TargetKind.DATASET: self._tables.datasets,
            TargetKind.UPLOAD: self._tables.uploads,
            TargetKind.CLUSTER: self._tables.clusters,
        }[target.kind]
        if target.key not in rows:
            raise NotFoundError(f"{target.kind.capitalize()} with uuid '{target.key}' not found")
        count_max = self._system.settings.actor_count_max
        if not is_owed and len(self._system.actors.living()) >= count_max:
            raise BusyError(
                f"{count_max} clusters and uploads are in use, the limit (setting actor_count_max);"
                " they rest after a minute without work, try again then"
            )
        try:
            ref = self._starters[target.kind](target.key)
        except RuntimeError as error:
            raise BusyError(
                f"no thread can be started for {target.kind} {target.key} ({error}); try again later"
            ) from error
        self._system.actors.put(target, ref)
        return ref

    def _rename_cluster(
        self, message: cluster_messages.RenameCluster, command: Command
    ) -> ClusterRow:
        """Check the name, which only the directory can, and have the cluster's actor record it."""
        self._clusters.require_name(message, command.who)
        target = Target(kind=TargetKind.CLUSTER, key=message.uuid)
        ref = self._locate(target, is_owed=False)
        ask(ref, command)
        return self._tables.clusters[message.uuid].state

    def _change_host(self, message: RegisterHost | RetireHost, stamp: Stamp) -> HostState:
        row = self._tables.hosts.get(message.name)
        state = row.state if row else host_aggregate.initial()
        events = host_aggregate.decide(state, message, stamp)
        if events:
            version = row.version if row else 0
            persist(self._system.writer, stamp, append_to(f"host/{message.name}", version, events))
        return self._tables.hosts[message.name].state
