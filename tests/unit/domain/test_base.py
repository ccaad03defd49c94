from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.domain.base import format_timestamp


@pytest.mark.parametrize(
    ("time_us", "shown"),
    [
        (0, "1970-01-01 00:00:00"),
        (951_782_399_999_999, "2000-02-28 23:59:59"),
        (951_782_400_000_000, "2000-02-29 00:00:00"),
        (1_700_000_000_000_000, "2023-11-14 22:13:20"),
    ],
)
def test_times_are_shown_as_the_contract_writes_them(time_us, shown):
    assert format_timestamp(time_us) == shown


@given(st.integers(0, 250_000_000_000_000_000))
def test_shown_times_agree_with_the_calendar(time_us):
    moment = datetime.fromtimestamp(time_us // 1_000_000, UTC)
    assert format_timestamp(time_us) == moment.strftime("%Y-%m-%d %H:%M:%S")
