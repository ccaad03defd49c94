"""Which hexagon connects to which, as far as a template can be judged by it.

The grid is offset: rows with odd y are shifted by half a hexagon, so a step to a neighbouring row
depends on whether y is even. Signals only go forward, to 7 of the 12 sides.
"""

from collections.abc import Mapping, Sequence

from hanami_actors.domain.cluster.template import Coordinates, Template, TemplatePort

__all__ = ["connections", "forward_neighbours", "unreachable_output"]


def forward_neighbours(position: Coordinates) -> tuple[Coordinates, ...]:
    """Return the 7 positions that are one forward step away."""
    x, y, z = position
    shift = y % 2
    return (
        (x + 1, y, z),
        (x, y, z + 1),
        (x, y, z - 1),
        (x + shift, y - 1, z),
        (x + shift, y + 1, z),
        (x + shift, y - 1, z - 1),
        (x + shift, y + 1, z + 1),
    )


def connections(template: Template) -> tuple[tuple[int, ...], ...]:
    """Return for every hexagon the hexagons it connects to, as sorted indexes.

    Connections reach as far as ``max_connection_distance``. An axon's target takes the place of
    the own neighbours. Connections that would go back in template order are not made.
    """
    steps = _steps(template.hexagons)
    axons = {axon.source: axon.target for axon in template.axons}
    distance_max = int(dict(template.settings).get("max_connection_distance", 1))
    return tuple(
        _reached(index, axons, steps, distance_max) for index in range(len(template.hexagons))
    )


def unreachable_output(template: Template) -> tuple[TemplatePort, str] | None:
    """Return the first output that no input can reach with a sentence about it, or None."""
    targets = connections(template)
    reached: set[int] = set()
    fed = {port.hexagon for port in template.inputs}
    # Connections only go forward in template order, so one pass sees every path.
    for index in range(len(template.hexagons)):
        if index in fed or index in reached:
            reached.update(targets[index])
    for port in template.outputs:
        if port.hexagon in reached:
            continue
        where = _shown(template.hexagons[port.hexagon])
        sharing = [other.name for other in template.inputs if other.hexagon == port.hexagon]
        if sharing:
            return (
                port,
                f"Output '{port.name}' and input '{sharing[0]}' share the hexagon {where} and no "
                "other hexagon leads to it; put the output into a hexagon behind the input.",
            )
        return (
            port,
            f"Output '{port.name}' at {where} cannot be reached from any input; add hexagons "
            "between them, an axon, or raise max_connection_distance. Connections only go forward "
            "and in the order of the hexagons section.",
        )
    return None


def _steps(hexagons: Sequence[Coordinates]) -> tuple[tuple[int, ...], ...]:
    index_of = {position: index for index, position in enumerate(hexagons)}
    return tuple(
        tuple(
            index_of[neighbour]
            for neighbour in forward_neighbours(position)
            if neighbour in index_of
        )
        for position in hexagons
    )


def _reached(
    source: int,
    axons: Mapping[int, int],
    steps: tuple[tuple[int, ...], ...],
    distance_max: int,
) -> tuple[int, ...]:
    frontier = (axons[source],) if source in axons else steps[source]
    seen = set(frontier)
    distance = 1
    while frontier and distance < distance_max:
        frontier = tuple({far for near in frontier for far in steps[near]} - seen)
        seen.update(frontier)
        distance += 1
    return tuple(sorted(index for index in seen if index > source))


def _shown(position: Coordinates) -> str:
    return ",".join(str(part) for part in position)
