"""Flows for what the server says about itself and its machine."""

from hanami_sdk.calls.measured import (
    Caller,
    Machine,
    PowerSeries,
    Series,
    SpeedSeries,
    SystemInfo,
    TemperatureSeries,
    Threads,
)
from hanami_sdk.client.flow import Call, Flow, object_of
from hanami_sdk.client.session import Session

__all__ = ["caller", "power", "speed", "system_info", "temperature", "threads"]

_caller = object_of(Caller)
_info = object_of(SystemInfo)
_threads = object_of(Threads)
_power = object_of(PowerSeries)
_speed = object_of(SpeedSeries)
_temperature = object_of(TemperatureSeries)


def caller(session: Session) -> Flow[Caller]:
    """Return whose token this is, and what he may do in which project."""
    return (yield from session.do(Call(method="GET", path="auth", decode=_caller)))


def system_info(session: Session) -> Flow[Machine]:
    """Return the processors of the machine."""
    call = Call(method="GET", path="system_info", decode=_info)
    return (yield from session.do(call)).info


def threads(session: Session) -> Flow[dict[str, list[int]]]:
    """Return the threads of the server, and the cores they may run on."""
    call = Call(method="GET", path="threading", decode=_threads)
    return (yield from session.do(call)).thread_map


def power(session: Session) -> Flow[Series]:
    """Return the power of all processors together over time, in watts."""
    call = Call(method="GET", path="power_consumption", decode=_power)
    return (yield from session.do(call)).power


def speed(session: Session) -> Flow[Series]:
    """Return the mean speed of the cores over time, in kHz."""
    call = Call(method="GET", path="speed", decode=_speed)
    return (yield from session.do(call)).current_speed


def temperature(session: Session) -> Flow[Series]:
    """Return the mean temperature of the processors over time, in degrees Celsius."""
    call = Call(method="GET", path="temperature_production", decode=_temperature)
    return (yield from session.do(call)).temperature
