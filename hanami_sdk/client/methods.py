"""Turn flows into methods: of `Client`, which wait, and of `AsyncClient`, which are awaited."""

from collections.abc import Awaitable, Callable
from inspect import signature
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from hanami_sdk.client.flow import Flow
from hanami_sdk.client.session import Session

__all__ = ["AsyncRunner", "Awaited", "Blocking", "Runner"]

P = ParamSpec("P")
T = TypeVar("T")


class Runner(Protocol):
    """Runs flows to their end."""

    session: Session

    def run(self, flow: Flow[T]) -> T:
        """Return what the flow returns."""
        ...


class AsyncRunner(Protocol):
    """Awaits flows."""

    session: Session

    def run(self, flow: Flow[T]) -> Awaitable[T]:
        """Return what the flow returns."""
        ...


class _HasRunner(Protocol):
    runner: Runner


class _HasAsyncRunner(Protocol):
    runner: AsyncRunner


class _Documents:
    """Gives methods the name, the text and the parameters of their flow, without the session."""

    def __init__(self, flow: Callable[..., Any]) -> None:
        self._flow = flow
        whole = signature(flow)
        shown = [parameter for name, parameter in whole.parameters.items() if name != "session"]
        self._signature = whole.replace(parameters=shown)

    def describe(self, method: Callable[..., Any]) -> None:
        method.__name__ = self._flow.__name__
        method.__doc__ = self._flow.__doc__
        method.__signature__ = self._signature  # type: ignore[attr-defined]


class Blocking(Generic[P, T]):
    """A flow as a method that returns when everything is done."""

    def __init__(self, flow: Callable[Concatenate[Session, P], Flow[T]]) -> None:
        self._flow = flow
        self._documents = _Documents(flow)
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...
    @overload
    def __get__(self, owner: _HasRunner, kind: type) -> Callable[P, T]: ...
    def __get__(self, owner: _HasRunner | None, kind: type) -> "Self | Callable[P, T]":
        """Return the method of one object."""
        if owner is None:
            return self
        runner = owner.runner

        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return runner.run(self._flow(runner.session, *args, **kwargs))

        self._documents.describe(method)
        return method


class Awaited(Generic[P, T]):
    """A flow as a method that has to be awaited."""

    def __init__(self, flow: Callable[Concatenate[Session, P], Flow[T]]) -> None:
        self._flow = flow
        self._documents = _Documents(flow)
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> Self: ...
    @overload
    def __get__(self, owner: _HasAsyncRunner, kind: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(
        self, owner: _HasAsyncRunner | None, kind: type
    ) -> "Self | Callable[P, Awaitable[T]]":
        """Return the method of one object."""
        if owner is None:
            return self
        runner = owner.runner

        def method(*args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
            return runner.run(self._flow(runner.session, *args, **kwargs))

        self._documents.describe(method)
        return method
