"""Calls about the server itself and its machine."""

from hanami_sdk.calls.call import Call, object_of
from hanami_sdk.calls.measured import (
    Caller,
    PowerSeries,
    SpeedSeries,
    SystemInfo,
    TemperatureSeries,
    Threads,
)

__all__ = ["get_caller", "get_info", "get_power", "get_speed", "get_temperature", "get_threads"]


def get_caller() -> Call[Caller]:
    """Look at whose token this is."""
    return Call("GET", "auth", object_of(Caller))


def get_info() -> Call[SystemInfo]:
    """Look at the processors of the machine."""
    return Call("GET", "system_info", object_of(SystemInfo))


def get_threads() -> Call[Threads]:
    """Look at the threads of the server."""
    return Call("GET", "threading", object_of(Threads))


def get_power() -> Call[PowerSeries]:
    """Look at the power of the processors over time."""
    return Call("GET", "power_consumption", object_of(PowerSeries))


def get_speed() -> Call[SpeedSeries]:
    """Look at the speed of the cores over time."""
    return Call("GET", "speed", object_of(SpeedSeries))


def get_temperature() -> Call[TemperatureSeries]:
    """Look at the temperature of the processors over time."""
    return Call("GET", "temperature_production", object_of(TemperatureSeries))
