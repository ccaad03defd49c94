"""What all workers have in common: they do things, remember what was acknowledged, and compare."""

import random
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from tests.crash.soak.api import Api, CutOffError, RefusedError
from tests.server import ServerProcess

__all__ = ["Ledger", "Worker"]

PAUSE_S = 0.02


@dataclass
class Ledger:
    """What all workers write into; thread-safe.

    Attributes
    ----------
    lost : list of str
        What was acknowledged and is not there, or is something else.
    digests : dict
        State of a network by everything it has learned: the same for everybody, for ever.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    acknowledged: int = 0
    unknown: int = 0
    checked: int = 0
    lost: list[str] = field(default_factory=list)
    digests: dict[Any, Any] = field(default_factory=dict)

    def count(self, name: str) -> None:
        with self.lock:
            setattr(self, name, getattr(self, name) + 1)

    def report(self, text: str) -> None:
        with self.lock:
            self.lost.append(text)

    def compare(self, key: Any, value: Any, what: str) -> None:
        """Report a value that differs from what the same history gave before."""
        with self.lock:
            known = self.digests.setdefault(key, value)
            self.checked += 1
        if known != value:
            self.report(f"{what}: {value} instead of {known} for {key}")


class Worker(ABC):
    """A client in a thread of its own; only it touches what it has made.

    After every restart of the server it compares everything it knows with what is there.
    """

    def __init__(self, name: str, server: ServerProcess, token: str, ledger: Ledger) -> None:
        self.name = name
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.api = Api(server, token)
        self.ledger = ledger
        self.source = random.Random(name)
        self.ending = threading.Event()
        self.is_up = threading.Event()
        self._must_compare = True
        self._pause = threading.Event()
        self.failure: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; return whether it has come."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self.ending.is_set():
                self.is_up.wait()
                self._live()
            self._finish()
        except (AssertionError, RefusedError, KeyError, ValueError) as error:
            self.failure = error
            self.ledger.report(f"{self.name} failed: {type(error).__name__}: {error}")
        finally:
            self.api.close()

    def seed(self, number: int) -> None:
        """Begin with other choices."""
        self.source = random.Random(f"{number} {self.name}")

    @abstractmethod
    def step(self) -> None:
        """Do something; remember it once it is acknowledged."""

    @abstractmethod
    def compare(self) -> None:
        """Compare all that is known with what is there; settle what was unknown."""

    @abstractmethod
    def settle(self) -> None:
        """Wait until nothing is going on any more."""

    def acknowledged(self) -> None:
        """Count a change that the server has answered."""
        self.ledger.count("acknowledged")

    def pause(self) -> None:
        """Give the server a moment."""
        self._pause.wait(PAUSE_S)

    def _live(self) -> None:
        try:
            if self._must_compare:
                self.compare()
                self._must_compare = False
            self.step()
        except CutOffError:
            self.ledger.count("unknown")
            self._must_compare = True
            self.pause()

    def _finish(self) -> None:
        """The server lives now: compare for the last time."""
        for _ in range(3):
            try:
                self.compare()
                self.settle()
                self.compare()
            except CutOffError:
                self.pause()
            else:
                return
        self.ledger.report(f"{self.name} could not finish: the connection broke again and again")
