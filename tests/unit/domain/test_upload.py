import pytest

from hanami_actors.domain.upload.apply import apply
from hanami_actors.domain.upload.checksum import normalize
from hanami_actors.domain.upload.decide import check_range, decide
from hanami_actors.domain.upload.events import UploadClosed
from hanami_actors.domain.upload.messages import (
    CloseUpload,
    CompleteUpload,
    DiscardUpload,
    OpenUpload,
    RecordRanges,
)
from hanami_actors.domain.upload.ranges import covered_bytes, format_ranges, merge, missing
from hanami_actors.domain.upload.state import UploadPhase, initial, invariants
from hanami_actors.errors import BadRequestError, ConflictError, NotFoundError
from tests.unit.domain.builders import NOW_US, stamp, uuid

ANNOUNCED = "sha256:" + "ab" * 32

OPEN = OpenUpload(uuid=uuid(2), dataset_uuid=uuid(1), role="input", size_bytes=100)


def after(*messages):
    state = initial()
    for message in messages:
        for event in decide(state, message, stamp()):
            state = apply(state, event, NOW_US)
        invariants(state)
    return state


def record(*ranges):
    return RecordRanges(ranges=ranges)


def test_ranges_in_any_order_with_repeats_end_as_one():
    state = after(OPEN, record((50, 100)), record((0, 10), (10, 20)), record((15, 60), (50, 60)))
    assert state.ranges == ((0, 100),)
    assert covered_bytes(state.ranges) == 100


def test_known_ranges_give_no_event():
    state = after(OPEN, record((0, 50)))
    assert decide(state, record((10, 20)), stamp()) == ()
    assert decide(state, record(), stamp()) == ()


@pytest.mark.parametrize("wrong", [(90, 101), (-1, 5), (5, 5), (7, 3)])
def test_bytes_outside_the_announced_size_are_refused_with_the_size(wrong):
    state = after(OPEN)
    with pytest.raises(BadRequestError, match="100 bytes"):
        decide(state, record((0, 1), wrong), stamp())
    with pytest.raises(BadRequestError):
        check_range(state, *wrong)


def test_completion_needs_every_byte_and_names_the_missing_ones():
    with pytest.raises(ConflictError, match=r"missing bytes 0\.\.9, 90\.\.99 of 100"):
        after(OPEN, record((10, 90)), CompleteUpload())


def test_a_complete_upload_takes_repeats_and_completes_once():
    state = after(OPEN, record((0, 100)), CompleteUpload())
    assert state.phase is UploadPhase.COMPLETE
    assert decide(state, CompleteUpload(), stamp()) == ()
    assert decide(state, record((3, 9)), stamp()) == ()


def test_an_upload_closes_from_open_and_from_complete_and_is_then_gone():
    closed = after(OPEN, CloseUpload(reason="expired"))
    assert not closed.alive
    assert not after(OPEN, record((0, 100)), CompleteUpload(), CloseUpload(reason="imported")).alive
    for message in (record((0, 1)), CompleteUpload(), CloseUpload(reason="deleted")):
        with pytest.raises(NotFoundError):
            decide(closed, message, stamp())


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (OpenUpload(uuid="u", dataset_uuid="d", role="extra", size_bytes=1), "'extra'"),
        (OpenUpload(uuid="u", dataset_uuid="d", role="label", size_bytes=0), "size_bytes"),
    ],
)
def test_an_upload_with_a_wrong_role_or_no_size_is_not_opened(message, named):
    with pytest.raises(BadRequestError, match=named):
        after(message)


def test_an_upload_opens_once_and_closes_only_for_a_known_reason():
    with pytest.raises(ConflictError):
        after(OPEN, OPEN)
    with pytest.raises(BadRequestError, match="imported, failed, deleted, expired"):
        after(OPEN, CloseUpload(reason="boredom"))


def test_merge_joins_touching_ranges_and_drops_empty_ones():
    assert merge(((0, 4),), [(8, 9), (4, 8), (20, 20)]) == ((0, 9),)
    assert missing(((2, 4),), 6) == ((0, 2), (4, 6))
    assert missing((), 3) == ((0, 3),)
    assert missing(((0, 3), (9, 12)), 3) == ()


def test_many_missing_ranges_are_cut_for_people():
    ranges = tuple((start, start + 1) for start in range(0, 20, 2))
    assert format_ranges(ranges) == "0..0, 2..2, 4..4, 6..6, 8..8 and 5 more"


def test_bytes_with_another_checksum_are_all_missing_again():
    announced = OpenUpload(
        uuid=uuid(2), dataset_uuid=uuid(1), role="input", size_bytes=100, checksum=ANNOUNCED
    )
    discard = DiscardUpload(checksum="sha256:" + "cd" * 32)
    state = after(announced, record((0, 100)), CompleteUpload(), discard)
    assert (state.phase, state.ranges, state.checksum) == (UploadPhase.OPEN, (), ANNOUNCED)
    again = after(
        announced, record((0, 100)), CompleteUpload(), discard, record((0, 100)), CompleteUpload()
    )
    assert again.phase is UploadPhase.COMPLETE
    with pytest.raises(ConflictError, match="not complete"):
        after(announced, discard)
    with pytest.raises(ConflictError, match="they stay"):
        after(announced, record((0, 100)), CompleteUpload(), DiscardUpload(checksum=ANNOUNCED))
    with pytest.raises(ConflictError, match="they stay"):
        after(OPEN, record((0, 100)), CompleteUpload(), discard)


def test_a_closed_upload_says_which_checksum_was_found():
    state = after(OPEN, record((0, 100)), CompleteUpload())
    closing = CloseUpload(reason="imported", checksum=ANNOUNCED)
    assert decide(state, closing, stamp()) == (UploadClosed(reason="imported", checksum=ANNOUNCED),)


@pytest.mark.parametrize("wrong", ["md5:" + "0" * 32, "sha256:xyz", "0" * 63, "sha512:" + "0" * 64])
def test_a_checksum_of_another_kind_is_refused(wrong):
    with pytest.raises(BadRequestError, match="sha256 or blake2b"):
        normalize(wrong)
    with pytest.raises(BadRequestError, match="sha256 or blake2b"):
        after(OpenUpload(uuid="u", dataset_uuid="d", role="label", size_bytes=1, checksum=wrong))


def test_a_checksum_is_kept_in_lower_case_with_its_algorithm():
    assert normalize("AB" * 32) == ANNOUNCED
    assert normalize("Blake2b:" + "0" * 64) == "blake2b:" + "0" * 64
