"""What a connection trained, on its way into the log: encoded and stored in a thread of its own."""

import logging
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from hanami_actors.datasets.samples import Sample, encode_samples, sizes_of_samples
from hanami_actors.domain.cluster.source import Figures
from hanami_actors.errors import FaultError, HanamiError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.ports import Clock
from hanami_actors.runtime.error_boundary import Boundary

__all__ = ["SampleBatchReady", "SampleLog", "SampleWatch"]

logger = logging.getLogger(__name__)

DELAY_S = 0.015
"""How long samples may gather before they are stored; with the writing itself less than 20 ms."""

INLINE_MAX_BYTES = 4096
"""Smaller batches stand in the event itself: a file for each would be a waste."""


WAITING_MAX_BYTES = 64 * 2**20
"""Samples that may wait for a slow disk; beyond it training waits."""


class SampleBatchReady(NamedTuple):
    """Samples that are stored, ready to be recorded."""

    start: int
    step_count: int
    blob: str
    data: bytes
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]
    figures: Figures


class SampleWatch(NamedTuple):
    """What happens with the samples; all are called in the log's thread.

    Attributes
    ----------
    record : callable
        Makes a batch durable in the stream of the cluster; waits until it is, or raises.
    on_durable : callable
        Gets the number of steps that are durable.
    on_end : callable
        Called once everything is recorded, or with the error that stopped it.
    """

    record: Callable[[SampleBatchReady], Any]
    on_durable: Callable[[int], None]
    on_end: Callable[[HanamiError | None], None]


class SampleLog:
    """Takes samples from the thread that trains them, and never lets it wait.

    Parameters
    ----------
    blobs : BlobStore
    clock : Clock
    watch : SampleWatch
    is_eager : bool
        Whether somebody waits for the disk, so that nothing gathers on purpose.
    """

    def __init__(
        self, blobs: BlobStore, clock: Clock, watch: SampleWatch, *, is_eager: bool
    ) -> None:
        self._blobs = blobs
        self._clock = clock
        self._watch = watch
        self._delay_s = 0.0 if is_eager else DELAY_S
        self._changed = threading.Condition()
        self._samples: list[Sample] = []
        self._figures: Figures = ()
        self._size_bytes = 0
        self._since_s = 0.0
        self._is_ending = False
        self._is_dropped = False
        self._is_over = False
        self._logged = 0
        self._thread = threading.Thread(target=self._run, name="samples", daemon=True)
        self._thread.start()

    @property
    def is_full(self) -> bool:
        """Whether the next sample has to wait for the disk."""
        return self._size_bytes > WAITING_MAX_BYTES

    def add(self, sample: Sample, size_bytes: int) -> None:
        """Take a sample that has just been trained; waits only while too much waits for the disk."""
        with self._changed:
            if self._size_bytes > WAITING_MAX_BYTES:
                self._changed.wait_for(self._has_room)
            self._samples.append(sample)
            self._size_bytes += size_bytes
            if len(self._samples) == 1:
                self._since_s = self._clock.monotonic_s()
                self._changed.notify_all()

    def note(self, figures: Figures) -> None:
        """Have figures recorded with the next batch."""
        with self._changed:
            self._figures = figures

    def finish(self) -> None:
        """Store what is left; ``on_end`` follows."""
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()

    def drop(self) -> None:
        """Forget what is left; nothing more is called."""
        with self._changed:
            self._is_dropped = True
            self._samples.clear()
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return self._size_bytes <= WAITING_MAX_BYTES or self._is_dropped or self._is_over

    def _run(self) -> None:
        error: HanamiError | None = FaultError("internal error; the log of the server says more")
        with Boundary("recording the samples of a connection"):
            error = self._record_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        if not self._is_dropped:
            self._watch.on_end(error)

    def _record_all(self) -> HanamiError | None:
        """Store what comes until the end; return what stopped it before that."""
        try:
            while self._wait():
                self._store()
        except HanamiError as problem:
            logger.warning("samples of a connection are not recorded: %s", problem)
            return problem
        return None

    def _wait(self) -> bool:
        """Wait until there is something to store; return whether there is."""
        with self._changed:
            while not self._samples and not self._is_ending and not self._is_dropped:
                self._changed.wait()
            left_s = self._since_s + self._delay_s - self._clock.monotonic_s()
            if self._samples and left_s > 0 and not self._is_ending:
                self._changed.wait_for(lambda: self._is_ending or self._is_dropped, left_s)
            return bool(self._samples)

    def _store(self) -> None:
        with self._changed:
            samples, self._samples = self._samples, []
            self._size_bytes = 0
            figures, self._figures = self._figures, ()
            self._changed.notify_all()
        data = encode_samples(samples)
        is_small = len(data) <= INLINE_MAX_BYTES
        inputs, outputs = sizes_of_samples(data)
        batch = SampleBatchReady(
            start=self._logged,
            step_count=len(samples),
            blob="" if is_small else self._blobs.put(data),
            data=data if is_small else b"",
            inputs=inputs,
            outputs=outputs,
            figures=figures,
        )
        self._watch.record(batch)
        self._logged += len(samples)
        self._watch.on_durable(self._logged)
