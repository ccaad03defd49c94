"""What Linux tells about the machine, read from ``/proc`` and ``/sys``; zeros where it tells nothing."""

import os
import re
import socket
import threading
from pathlib import Path
from typing import NamedTuple

__all__ = ["Core", "Machine", "Package", "SystemInfo"]

# Reading the speed of a processor may interrupt it: a part of a large machine is enough for a mean.
SPEED_SOURCES_MAX = 16
CPUINFO_SIZE_MAX_BYTES = 16_384

CPU_ZONES = re.compile(r"x86_pkg_temp|cpu|soc|pkg|core", re.IGNORECASE)
CPU_SENSORS = frozenset({"coretemp", "k10temp", "zenpower", "cpu_thermal"})

_MHZ = re.compile(rb"^cpu MHz\s*:\s*([0-9.]+)", re.MULTILINE)


class Core(NamedTuple):
    """A core; speeds in kHz."""

    id: int
    thread_ids: tuple[int, ...]
    speed_khz: int
    minimum_speed_khz: int
    maximum_speed_khz: int
    current_minimum_speed_khz: int
    current_maximum_speed_khz: int


class Package(NamedTuple):
    """A processor in its socket; ``thermal_spec_w`` is what it may draw for long."""

    id: int
    cores: tuple[Core, ...]
    thermal_spec_w: float


class SystemInfo(NamedTuple):
    """The processors of the machine."""

    hostname: str
    has_hyperthreading: bool
    packages: tuple[Package, ...]


class Machine:
    """Reads the machine. Its places are looked up once, so that a reading is a few small files.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._proc = root / "proc"
        self._cpus = root / "sys/devices/system/cpu"
        speeds = sorted(self._cpus.glob("cpufreq/policy*/scaling_cur_freq"))
        step = -(-len(speeds) // SPEED_SOURCES_MAX) or 1
        self._speeds = speeds[::step]
        zones = [
            path.with_name("temp")
            for path in sorted(root.glob("sys/class/thermal/thermal_zone*/type"))
            if CPU_ZONES.search(_text(path))
        ]
        sensors = [
            path.with_name("temp1_input")
            for path in sorted(root.glob("sys/class/hwmon/hwmon*/name"))
            if _text(path) in CPU_SENSORS
        ]
        self._temperatures = zones or sensors
        self._packages = [
            path.parent
            for path in sorted(root.glob("sys/class/powercap/intel-rapl:*/name"))
            if _text(path).startswith("package")
        ]

    def energies_uj(self) -> tuple[tuple[int, int], ...]:
        """Return what each package has drawn so far and where its counter starts again."""
        return tuple(
            (_number(path / "energy_uj"), _number(path / "max_energy_range_uj"))
            for path in self._packages
        )

    def temperature_c(self) -> float:
        """Return the mean temperature of the processors."""
        return _mean([_number(path) / 1000 for path in self._temperatures])

    def speed_khz(self) -> float:
        """Return the mean speed of the cores."""
        if self._speeds:
            return _mean([_number(path) for path in self._speeds])
        # Only its beginning: the file is made while it is read.
        try:
            with (self._proc / "cpuinfo").open("rb") as file:
                found = _MHZ.findall(file.read(CPUINFO_SIZE_MAX_BYTES))
        except OSError:
            return 0.0
        return _mean([float(mhz) * 1000 for mhz in found])

    def system_info(self) -> SystemInfo:
        """Return the processors; without any word of the system one core for each usable thread."""
        places: dict[int, dict[int, list[int]]] = {}
        for thread_id in self._thread_ids():
            topology = self._cpus / f"cpu{thread_id}" / "topology"
            package_id = max(0, _number(topology / "physical_package_id"))
            core_path = topology / "core_id"
            core_id = _number(core_path) if core_path.exists() else thread_id
            places.setdefault(package_id, {}).setdefault(core_id, []).append(thread_id)
        packages = tuple(
            Package(
                id=package_id,
                cores=tuple(
                    self._core(core_id, tuple(sorted(thread_ids)))
                    for core_id, thread_ids in sorted(cores.items())
                ),
                thermal_spec_w=self._thermal_spec_w(package_id),
            )
            for package_id, cores in sorted(places.items())
        )
        shared = any(len(core.thread_ids) > 1 for package in packages for core in package.cores)
        return SystemInfo(socket.gethostname(), shared, packages)

    def thread_map(self) -> dict[str, list[int]]:
        """Return the names of the threads of this process and the cores they may run on."""
        known = {thread.native_id: thread.name for thread in threading.enumerate()}
        cores: dict[str, list[int]] = {}
        for path in sorted((self._proc / "self/task").iterdir(), key=lambda entry: int(entry.name)):
            thread_id = int(path.name)
            try:
                affinity = sorted(os.sched_getaffinity(thread_id))
            except OSError:
                continue  # it has just ended
            name = known.get(thread_id) or _text(path / "comm") or "thread"
            cores[f"{name}_{thread_id}" if name in cores else name] = affinity
        return cores

    def _thread_ids(self) -> list[int]:
        names = [path.name for path in self._cpus.glob("cpu[0-9]*")]
        found = sorted(int(name.removeprefix("cpu")) for name in names)
        return found or sorted(os.sched_getaffinity(0))

    def _core(self, core_id: int, thread_ids: tuple[int, ...]) -> Core:
        speeds = self._cpus / f"cpu{thread_ids[0]}" / "cpufreq"
        return Core(
            id=core_id,
            thread_ids=thread_ids,
            speed_khz=_number(speeds / "scaling_cur_freq"),
            minimum_speed_khz=_number(speeds / "cpuinfo_min_freq"),
            maximum_speed_khz=_number(speeds / "cpuinfo_max_freq"),
            current_minimum_speed_khz=_number(speeds / "scaling_min_freq"),
            current_maximum_speed_khz=_number(speeds / "scaling_max_freq"),
        )

    def _thermal_spec_w(self, package_id: int) -> float:
        for path in self._packages:
            if _text(path / "name") == f"package-{package_id}":
                return _number(path / "constraint_0_power_limit_uw") / 1e6
        return 0.0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        # Not there, or not for us: the same as a machine that does not tell.
        return ""


def _number(path: Path) -> int:
    text = _text(path)
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else 0


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
