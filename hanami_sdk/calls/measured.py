"""What the clients return about the server and its machine."""

import msgspec

__all__ = [
    "Caller",
    "Core",
    "HardwareThread",
    "Machine",
    "Package",
    "PowerSeries",
    "Series",
    "SpeedSeries",
    "SystemInfo",
    "TemperatureSeries",
    "Threads",
]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Whose token it is, and what it may do where."""

    id: str
    name: str
    is_admin: bool
    project_id: str
    role: str
    is_project_admin: bool


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Means of 60 seconds, 60 minutes, 24 hours and 365 days, oldest first."""

    seconds: list[float]
    minutes: list[float]
    hours: list[float]
    days: list[float]


class PowerSeries(msgspec.Struct, frozen=True, kw_only=True):
    """Watts."""

    power: Series


class SpeedSeries(msgspec.Struct, frozen=True, kw_only=True):
    """Kilohertz."""

    current_speed: Series


class TemperatureSeries(msgspec.Struct, frozen=True, kw_only=True):
    """Degrees Celsius."""

    temperature: Series


class HardwareThread(msgspec.Struct, frozen=True, kw_only=True):
    """A hardware thread."""

    id: int


class Core(msgspec.Struct, frozen=True, kw_only=True):
    """A core; speeds in kHz, 0 where the machine does not tell."""

    id: int
    current_speed: float = 0
    current_minimum_speed: float = 0
    current_maximum_speed: float = 0
    minimum_speed: float = 0
    maximum_speed: float = 0
    threads: list[HardwareThread] = []


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A processor; power in watts."""

    id: int
    cores: list[Core]
    power: float = 0.0
    thermal_spec: float = 0.0


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine of the server."""

    hostname: str
    has_hyperthreading: bool
    packages: list[Package]


class SystemInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The machine of the server."""

    info: Machine


class Threads(msgspec.Struct, frozen=True, kw_only=True):
    """Names of threads, and the cores they may run on."""

    thread_map: dict[str, list[int]]
