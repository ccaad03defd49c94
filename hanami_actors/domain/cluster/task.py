"""A task as it was asked for: which bytes, which columns, how many passes."""

from hanami_actors.domain.base import Value
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.dataset.events import ColumnFile

__all__ = ["Binding", "ResultBinding", "Task"]


class Binding(Value, frozen=True, kw_only=True):
    """Which bytes feed a named input or are expected at a named output.

    Holds all that is needed to compute again, also after the dataset is deleted.

    Attributes
    ----------
    hexagon_name : str
        Name of the input or output in the template.
    dataset_uuid, dataset_column : str
        As the client named them.
    file : ColumnFile
    start, end : int
        Column range within the file.
    """

    hexagon_name: str
    dataset_uuid: str
    dataset_column: str
    file: ColumnFile
    start: int
    end: int


class ResultBinding(Value, frozen=True, kw_only=True):
    """Which output of the network becomes which column of the result dataset."""

    hexagon_name: str
    dataset_column: str


class Task(Value, frozen=True, kw_only=True):
    """An entry of the queue.

    Attributes
    ----------
    kind : str
        ``train``, ``request``, ``save`` or ``load``; ``direct`` for what a session trained, which
        is never queued.
    inputs : tuple of Binding
    outputs : tuple of Binding
        Expected values; empty for a request.
    results : tuple of ResultBinding
        Empty for a training. The result dataset has the uuid and the name of the task.
    row_count : int
        Rows of the smallest dataset; steps of a direct session; 1 to save or load.
    time_length : int
        Rows that make one input.
    epoch_count : int
        Passes over the rows; 1 for a request.
    user_id, project_id : str
        Who asked, the owner of the result.
    source : Source or None
        What is loaded; the checkpoint may be deleted while the task waits.
    """

    uuid: str
    kind: str
    name: str
    inputs: tuple[Binding, ...] = ()
    outputs: tuple[Binding, ...] = ()
    results: tuple[ResultBinding, ...] = ()
    row_count: int
    time_length: int = 1
    epoch_count: int = 1
    user_id: str
    project_id: str
    source: Source | None = None

    @property
    def cycles_per_epoch(self) -> int:
        """Cycles that one pass runs."""
        return self.row_count - self.time_length + 1

    @property
    def cycle_count(self) -> int:
        """Cycles that the whole task runs; saving and loading run none."""
        if self.kind in {"save", "load"}:
            return 0
        return self.cycles_per_epoch * self.epoch_count

    @property
    def shown_cycle_count(self) -> int:
        """What clients see as ``total_number_of_cycles``: rows times epochs."""
        return self.row_count * self.epoch_count
