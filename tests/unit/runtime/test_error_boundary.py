"""Where errors end: faults with their trace, refusals in a line."""

import logging

import pytest

from hanami_actors.errors import ConflictError, FaultError
from hanami_actors.runtime.error_boundary import Boundary


def test_a_fault_is_kept_and_logged_with_its_trace(caplog):
    with Boundary("some work") as boundary:
        raise FaultError("broken")
    assert isinstance(boundary.error, FaultError)
    (line,) = caplog.records
    assert (line.levelno, line.exc_info is not None) == (logging.ERROR, True)


def test_a_refusal_is_the_caller_s_and_fills_no_log_with_traces(caplog):
    caplog.set_level(logging.INFO)
    with Boundary("some work") as boundary:
        raise ConflictError("too wide")
    assert isinstance(boundary.error, ConflictError)
    (line,) = caplog.records
    assert (line.levelno, line.exc_info) == (logging.INFO, None)
    assert "too wide" in line.getMessage()


def test_an_exit_passes_through():
    with pytest.raises(KeyboardInterrupt), Boundary("some work"):
        raise KeyboardInterrupt
