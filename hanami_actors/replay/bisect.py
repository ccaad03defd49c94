"""Finding the cycle after which the answer to a question changed."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hanami_actors.compute import Network, NetworkImage
from hanami_actors.errors import BadRequestError
from hanami_actors.replay.replayer import Walker

__all__ = ["Answer", "Change", "Expectation", "find_last_change", "parse_expectation"]

ASK_COUNT = 20_000
"""How often the network is asked on the whole way; a shorter way is asked after every cycle."""

ANCHOR_COUNT = 64
"""Moments from which the way can be walked again; each is a copy of the network."""

Answer = Mapping[str, NDArray[np.float32]]
"""Values by the name of the output; empty before an output has a size."""

_CLASS = re.compile(r"(?:(?P<name>[^=\[]+)=)?(?P<index>\d+)")
_VALUE = re.compile(
    r"(?P<name>[^=\[]*)\[(?P<index>\d+)\]\s*(?P<sign>[<>])\s*(?P<limit>[-+]?[0-9.]+(?:[eE][-+]?\d+)?)"
)


class Expectation(NamedTuple):
    """What an answer is asked for.

    Attributes
    ----------
    name : str
        Output; empty for the only one.
    place : int
        Which value of the output.
    sign : str
        ``<`` or ``>`` compares that value with ``limit``; ``=`` asks whether it is the largest.
    limit : float
    """

    name: str
    place: int
    sign: str
    limit: float

    def is_met(self, answer: Answer) -> bool:
        """Return whether an answer is as expected; never before the output has its values."""
        values = answer[self.name or next(iter(answer))]
        if values.shape[0] <= self.place:
            return False
        if self.sign == "=":
            return int(np.argmax(values)) == self.place
        value = float(values[self.place])
        return value < self.limit if self.sign == "<" else value > self.limit


class Change(NamedTuple):
    """The last cycle that changed whether the answer is as expected.

    Attributes
    ----------
    done : int
        Cycles of the way with the changing one.
    before, after : Answer
        Answers without and with it.
    is_met : bool
        Whether the answer is as expected since.
    """

    done: int
    before: Answer
    after: Answer
    is_met: bool


def parse_expectation(text: str, outputs: tuple[str, ...]) -> Expectation:
    """Return what a text asks for.

    Parameters
    ----------
    text : str
        ``3`` or ``label=3``: value 3 is the largest. ``label[3]>0.5``: that value is greater.
    outputs : tuple of str
        Names that the network has.

    Raises
    ------
    BadRequestError
        It is none of these, or names an output that is not there.
    """
    match = _CLASS.fullmatch(text) or _VALUE.fullmatch(text)
    if match is None:
        raise BadRequestError(
            f"'{text}' is no expectation; write 3 or label=3 (value 3 is the largest), label[3]>0.5"
            " or label[3]<0.5"
        )
    parts = match.groupdict()
    name = (parts["name"] or "").strip()
    if name and name not in outputs:
        raise BadRequestError(f"there is no output '{name}'; outputs are {', '.join(outputs)}")
    if not name and len(outputs) > 1:
        raise BadRequestError(f"'{text}' must name an output, one of {', '.join(outputs)}")
    limit = float(parts["limit"]) if "limit" in parts else 0.0
    return Expectation(name, int(parts["index"]), parts.get("sign", "="), limit)


def find_last_change(
    walker: Walker,
    goal: int,
    ask: Callable[[Network], Answer],
    expected: Expectation,
    progress: Callable[[int], None] = lambda _: None,
    *,
    every: int = 0,
) -> Change | None:
    """Return the last cycle up to ``goal`` after which the answer became, or ceased to be, right.

    On a long way the network is asked every so many cycles, then after each cycle where the last
    change lies; a change that is taken back in between is not seen.

    Parameters
    ----------
    walker : Walker
        At the first moment to look at.
    goal : int
        The last one.
    ask : callable
        Returns the answer of a network; must not change it.
    expected : Expectation
    progress : callable
        Told the cycles done.
    every : int
        Cycles between two questions; 0 chooses by the length of the way.
    """
    total = goal - walker.done
    step_cycles = every or max(1, total // ASK_COUNT)
    anchor_cycles = max(step_cycles, total // ANCHOR_COUNT)
    anchor = (walker.done, walker.network.image())
    interval: tuple[tuple[int, NetworkImage], int, int] | None = None
    was_met = expected.is_met(ask(walker.network))
    while walker.done < goal:
        begin = walker.done
        if begin - anchor[0] >= anchor_cycles:
            anchor = (begin, walker.network.image())
        walker.walk_to(min(goal, begin + step_cycles))
        progress(walker.done)
        is_met = expected.is_met(ask(walker.network))
        if is_met != was_met:
            interval = (anchor, begin, walker.done)
        was_met = is_met
    if interval is None:
        return None
    (done, image), begin, end = interval
    walker.restore(image, done)
    walker.walk_to(begin)
    return _look_closely(walker, end, ask, expected)


def _look_closely(
    walker: Walker, end: int, ask: Callable[[Network], Answer], expected: Expectation
) -> Change:
    change: Change | None = None
    before = ask(walker.network)
    while walker.done < end:
        walker.walk_to(walker.done + 1)
        after = ask(walker.network)
        is_met = expected.is_met(after)
        if is_met != expected.is_met(before):
            change = Change(walker.done, before, after, is_met)
        before = after
    assert change is not None, "the answers at both ends differ"
    return change
