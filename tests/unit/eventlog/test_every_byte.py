"""A flipped bit anywhere in the file of a snapshot, a blob or a checkpoint is noticed."""

from collections.abc import Callable
from pathlib import Path

from hanami_actors.compute import KERNEL_VERSION, Network, NetworkSpec, encode_image
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.cluster.template_parser import parse_template
from hanami_actors.errors import BadRequestError, FaultError, SnapshotDamagedError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.replay.checkpoint_file import decode_checkpoint, encode_checkpoint
from hanami_actors.replay.segment_data import network_spec
from hanami_actors.types import StreamId
from tests.replay.history import TEMPLATE

STREAM, NAME = StreamId("cluster/a"), "task-b-00000000000000000007"
SIZE_MAX_BYTES = 2**24


def flips(data: bytes, count: int):
    """Yield copies with one other bit each: of every byte, or of so many evenly spread ones."""
    for number, at in enumerate(range(0, len(data), max(1, len(data) // count))):
        flipped = bytearray(data)
        flipped[at] ^= 1 << number % 8
        yield at, bytes(flipped)


def is_refused(error: type[Exception], read: Callable[..., object], *args, **kwargs) -> bool:
    try:
        read(*args, **kwargs)
    except error:
        return True
    return False


def image() -> bytes:
    spec: NetworkSpec = network_spec(parse_template(TEMPLATE), 7)
    return encode_image(Network.create(spec).image())


def test_of_a_snapshot(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.put(STREAM, NAME, image())
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    original = file.read_bytes()
    for at, flipped in flips(original, 2_000):
        file.write_bytes(flipped)
        assert is_refused(SnapshotDamagedError, store.load, STREAM, NAME), (
            f"byte {at} was not noticed"
        )
    file.write_bytes(original)
    assert store.load(STREAM, NAME) == original[-len(image()) :]


def test_of_a_blob(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    digest = store.put(bytes(range(256)) * 2)
    file = store.path(digest)
    for at, flipped in flips(file.read_bytes(), 512):
        file.write_bytes(flipped)
        assert is_refused(FaultError, store.check, digest), f"byte {at} was not noticed"


def test_of_a_checkpoint_file() -> None:
    template = parse_template(TEMPLATE)
    source = Source(template_text=TEMPLATE, template=template, seed=7)
    named = Source(template_text=TEMPLATE, template=template, seed=7, kernel_version=KERNEL_VERSION)
    data = encode_checkpoint("saved", named, image())
    assert decode_checkpoint(data, size_max_bytes=SIZE_MAX_BYTES).source.seed == source.seed
    for at, flipped in flips(data, 2_000):
        assert is_refused(
            BadRequestError, decode_checkpoint, flipped, size_max_bytes=SIZE_MAX_BYTES
        ), f"byte {at} was not noticed"
