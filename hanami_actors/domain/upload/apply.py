"""What an event makes of an upload."""

from typing import assert_never

from msgspec.structs import replace

from hanami_actors.domain.transitions import next_phase
from hanami_actors.domain.upload.events import (
    UploadClosed,
    UploadCompleted,
    UploadDiscarded,
    UploadEvent,
    UploadOpened,
    UploadRangeStored,
)
from hanami_actors.domain.upload.ranges import merge
from hanami_actors.domain.upload.state import TRANSITIONS, UploadState
from hanami_actors.types import TimestampUs

__all__ = ["apply"]


def apply(state: UploadState, event: UploadEvent, time_us: TimestampUs) -> UploadState:
    """Return the state after the event, which happened at ``time_us``."""
    phase = next_phase(TRANSITIONS, state.phase, event)
    match event:
        case UploadOpened():
            return UploadState(
                phase=phase,
                uuid=event.uuid,
                dataset_uuid=event.dataset_uuid,
                role=event.role,
                size_bytes=event.size_bytes,
                owner_id=event.owner_id,
                project_id=event.project_id,
                created_us=time_us,
                checksum=event.checksum,
                active_us=time_us,
            )
        case UploadRangeStored():
            ranges = merge(state.ranges, event.ranges)
            return replace(state, phase=phase, ranges=ranges, active_us=time_us)
        case UploadDiscarded():
            return replace(state, phase=phase, ranges=(), active_us=time_us)
        case UploadCompleted() | UploadClosed():
            return replace(state, phase=phase, active_us=time_us)
        case _:
            assert_never(event)
