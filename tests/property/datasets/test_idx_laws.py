"""IDX: no pair of files whatsoever raises anything unforeseen or leaves anything behind."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hanami_actors.datasets.columns import open_column
from hanami_actors.datasets.idx import import_mnist
from hanami_actors.errors import DatasetFormatError
from tests.unit.datasets.fakes import FakeBlobs
from tests.unit.datasets.idx_files import image_bytes, label_bytes, some_pixels

laws = settings(deadline=None, max_examples=200, derandomize=True)

IMAGES = image_bytes(some_pixels(5))
LABELS = label_bytes([0, 9, 4, 1, 1])


@st.composite
def mutated(draw, data: bytes) -> bytes:
    for _ in range(draw(st.integers(0, 3))):
        # Most changes hit the header, where the rules are.
        start = draw(st.integers(0, 16) | st.integers(0, len(data)))
        end = draw(st.integers(start, start + 4))
        data = data[:start] + draw(st.binary(max_size=4)) + data[end:]
    return data[: draw(st.integers(0, len(data)) | st.just(len(data)))]


@laws
@given(mutated(IMAGES), mutated(LABELS))
def test_no_pair_of_files_raises_anything_but_a_refusal(tmp_path_factory, images, labels) -> None:
    directory = tmp_path_factory.mktemp("idx")
    blobs = FakeBlobs(directory / "blobs")
    (directory / "images").write_bytes(images)
    (directory / "labels").write_bytes(labels)
    content = error = None
    try:
        content = import_mnist(directory / "images", directory / "labels", blobs)
    except DatasetFormatError as refusal:
        error = refusal
    if content is None:
        assert error is not None
        assert error.message.isprintable()
        assert blobs.names == []
        assert (directory / "images").read_bytes() == images
        return
    assert open_column(blobs.path, content, "picture").tobytes() == images[16:]
    one_hot = open_column(blobs.path, content, "label")
    assert one_hot.argmax(axis=1).tolist() == list(labels[8:])
    assert one_hot.sum() == content.row_count
