"""Readings of the machine that the server runs on."""

import msgspec

from hanami_actors.api.context import Context
from hanami_actors.api.table.endpoint import EVERYBODY, Empty, Endpoint
from hanami_actors.measure.machine import Core, Package
from hanami_actors.measure.series import History

__all__ = ["ROWS"]


class SeriesReply(msgspec.Struct, frozen=True, kw_only=True):
    """60 seconds, 60 minutes, 24 hours and 365 days, oldest first; zeros before the start."""

    seconds: list[float]
    minutes: list[float]
    hours: list[float]
    days: list[float]


class PowerReply(msgspec.Struct, frozen=True, kw_only=True):
    """Watts of all processors together."""

    power: SeriesReply


class TemperatureReply(msgspec.Struct, frozen=True, kw_only=True):
    """Degrees Celsius, mean of the processors."""

    temperature: SeriesReply


class SpeedReply(msgspec.Struct, frozen=True, kw_only=True):
    """Kilohertz, mean of the cores."""

    current_speed: SeriesReply


class ThreadReply(msgspec.Struct, frozen=True, kw_only=True):
    """A hardware thread."""

    id: int


class CoreReply(msgspec.Struct, frozen=True, kw_only=True):
    """A core; speeds in kHz."""

    current_maximum_speed: int
    current_minimum_speed: int
    current_speed: int
    id: int
    maximum_speed: int
    minimum_speed: int
    threads: list[ThreadReply]


class PackageReply(msgspec.Struct, frozen=True, kw_only=True):
    """A processor; power and thermal specification in watts."""

    cores: list[CoreReply]
    id: int
    power: float
    thermal_spec: float


class MachineReply(msgspec.Struct, frozen=True, kw_only=True):
    """The machine."""

    has_hyperthreading: bool
    hostname: str
    packages: list[PackageReply]


class SystemInfoReply(msgspec.Struct, frozen=True, kw_only=True):
    """The machine; zeros for what it does not tell."""

    info: MachineReply


class ThreadingReply(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the server's threads, and the ids of the cores they may run on."""

    thread_map: dict[str, list[int]]


async def get_power(context: Context, _request: Empty) -> PowerReply:
    """Return the power over time."""
    return PowerReply(power=_series(context.services.sampler.measurements().power))


async def get_temperature(context: Context, _request: Empty) -> TemperatureReply:
    """Return the temperature over time."""
    history = context.services.sampler.measurements().temperature
    return TemperatureReply(temperature=_series(history))


async def get_speed(context: Context, _request: Empty) -> SpeedReply:
    """Return the speed over time."""
    return SpeedReply(current_speed=_series(context.services.sampler.measurements().speed))


async def get_system_info(context: Context, _request: Empty) -> SystemInfoReply:
    """Look at the processors."""
    sampler = context.services.sampler
    info = await context.in_pool(sampler.machine.system_info)
    powers_w = dict(enumerate(sampler.measurements().package_powers_w))
    return SystemInfoReply(
        info=MachineReply(
            has_hyperthreading=info.has_hyperthreading,
            hostname=info.hostname,
            packages=[
                _package(package, powers_w.get(index, 0.0))
                for index, package in enumerate(info.packages)
            ],
        )
    )


async def get_threading(context: Context, _request: Empty) -> ThreadingReply:
    """Look at the threads of the server."""
    machine = context.services.sampler.machine
    return ThreadingReply(thread_map=await context.in_pool(machine.thread_map))


def _series(history: History) -> SeriesReply:
    return SeriesReply(
        seconds=list(history.seconds),
        minutes=list(history.minutes),
        hours=list(history.hours),
        days=list(history.days),
    )


def _package(package: Package, power_w: float) -> PackageReply:
    return PackageReply(
        cores=[_core(core) for core in package.cores],
        id=package.id,
        power=power_w,
        thermal_spec=package.thermal_spec_w,
    )


def _core(core: Core) -> CoreReply:
    return CoreReply(
        current_maximum_speed=core.current_maximum_speed_khz,
        current_minimum_speed=core.current_minimum_speed_khz,
        current_speed=core.speed_khz,
        id=core.id,
        maximum_speed=core.maximum_speed_khz,
        minimum_speed=core.minimum_speed_khz,
        threads=[ThreadReply(id=thread_id) for thread_id in core.thread_ids],
    )


ROWS = (
    Endpoint(
        name="get_power_consumption",
        method="GET",
        path="power_consumption",
        summary="Power of the processors over time, in watts.",
        access=EVERYBODY,
        request=Empty,
        reply=PowerReply,
        errors=(),
        handler=get_power,
    ),
    Endpoint(
        name="get_temperature_production",
        method="GET",
        path="temperature_production",
        summary="Temperature of the processors over time, in degrees Celsius.",
        access=EVERYBODY,
        request=Empty,
        reply=TemperatureReply,
        errors=(),
        handler=get_temperature,
    ),
    Endpoint(
        name="get_speed",
        method="GET",
        path="speed",
        summary="Speed of the cores over time, in kHz.",
        access=EVERYBODY,
        request=Empty,
        reply=SpeedReply,
        errors=(),
        handler=get_speed,
    ),
    Endpoint(
        name="get_system_info",
        method="GET",
        path="system_info",
        summary="The processors of the machine.",
        access=EVERYBODY,
        request=Empty,
        reply=SystemInfoReply,
        errors=(),
        handler=get_system_info,
    ),
    Endpoint(
        name="get_threading",
        method="GET",
        path="threading",
        summary="The threads of the server and their cores.",
        access=EVERYBODY,
        request=Empty,
        reply=ThreadingReply,
        errors=(),
        handler=get_threading,
    ),
)
