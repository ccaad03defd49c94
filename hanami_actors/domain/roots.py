"""What must stay readable: living clusters, living checkpoints, and all that leads to them."""

from hanami_actors.domain.tables import Tables, key_of

__all__ = ["abandoned", "is_reached", "pinned_cycles"]


def is_reached(tables: Tables, cluster_uuid: str) -> bool:
    """Tell whether something living needs the history of this cluster."""
    return cluster_uuid in tables.clusters or cluster_uuid in _reached(tables)


def abandoned(tables: Tables, cluster_uuid: str) -> frozenset[str]:
    """Return the clusters whose snapshots nobody can need any more.

    Parameters
    ----------
    tables : Tables
        After a deletion.
    cluster_uuid : str
        The cluster that was deleted, or that a deleted checkpoint named; what it was restored from
        is looked at too.
    """
    reached = _reached(tables)
    candidates, unseen = {cluster_uuid}, [cluster_uuid]
    while unseen:
        for source in tables.restored_from.get(unseen.pop(), frozenset()):
            if source not in candidates:
                candidates.add(source)
                unseen.append(source)
    return frozenset(
        uuid for uuid in candidates if uuid not in tables.clusters and uuid not in reached
    )


def pinned_cycles(tables: Tables, span_uuid: str) -> frozenset[int]:
    """Return the cycles of a task or session that living checkpoints name."""
    sources = (row.state.source for row in tables.checkpoints.values())
    return frozenset(
        source.cycle for source in sources if source is not None and source.span_uuid == span_uuid
    )


def _reached(tables: Tables) -> set[str]:
    sources = (row.state.source for row in tables.checkpoints.values())
    reached = {key_of(source.stream) for source in sources if source is not None and source.stream}
    unseen = [*reached, *tables.clusters.keys()]
    while unseen:
        for source_uuid in tables.restored_from.get(unseen.pop(), frozenset()):
            if source_uuid not in reached:
                reached.add(source_uuid)
                unseen.append(source_uuid)
    return reached
