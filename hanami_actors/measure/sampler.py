"""Reads the machine once a second, in a thread of its own."""

import threading
from typing import NamedTuple

from hanami_actors.measure.machine import Machine
from hanami_actors.measure.series import History, Series
from hanami_actors.ports import Clock

__all__ = ["Measurements", "Sampler"]

INTERVAL_S = 1.0


class Measurements(NamedTuple):
    """What was measured; also per package the power of the last second, in watts.

    Attributes
    ----------
    power : History
        Watts of all packages together.
    temperature : History
        Degrees Celsius, mean of the processors.
    speed : History
        Kilohertz, mean of the cores.
    package_powers_w : tuple of float
    """

    power: History
    temperature: History
    speed: History
    package_powers_w: tuple[float, ...]


class Sampler:
    """Keeps a year of means in memory; it begins anew with the server. Thread-safe.

    Parameters
    ----------
    clock : Clock
    machine : Machine, optional
        This one by default.
    """

    def __init__(self, clock: Clock, machine: Machine | None = None) -> None:
        self.machine = machine or Machine()
        self._clock = clock
        self._lock = threading.Lock()
        self._power, self._temperature, self._speed = Series(), Series(), Series()
        self._energies = self.machine.energies_uj()
        self._read_s = clock.monotonic_s()
        self._package_powers_w = (0.0,) * len(self._energies)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to sample."""
        self._thread = threading.Thread(target=self._run, name="measure", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it; idempotent."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def sample(self) -> None:
        """Take one sample of everything."""
        now_s = self._clock.monotonic_s()
        energies = self.machine.energies_uj()
        elapsed_s = now_s - self._read_s
        powers_w = tuple(
            _power_w(before, after, elapsed_s)
            for before, after in zip(self._energies, energies, strict=True)
        )
        self._energies, self._read_s = energies, now_s
        temperature_c, speed_khz = self.machine.temperature_c(), self.machine.speed_khz()
        with self._lock:
            self._package_powers_w = powers_w
            self._power.add(sum(powers_w))
            self._temperature.add(temperature_c)
            self._speed.add(speed_khz)

    def measurements(self) -> Measurements:
        """Return a copy of what was measured."""
        with self._lock:
            return Measurements(
                self._power.history(),
                self._temperature.history(),
                self._speed.history(),
                self._package_powers_w,
            )

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL_S):
            self.sample()


def _power_w(before: tuple[int, int], after: tuple[int, int], elapsed_s: float) -> float:
    if elapsed_s <= 0:
        return 0.0
    used_uj = after[0] - before[0]
    # The counter starts again at its end.
    if used_uj < 0:
        used_uj += after[1]
    return max(used_uj, 0) / 1e6 / elapsed_s
