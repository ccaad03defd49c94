import numpy as np
import pytest

from hanami_actors.datasets import check
from hanami_actors.datasets.check import accuracy
from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.datasets.idx import import_mnist
from hanami_actors.datasets.result import ResultWriter
from hanami_actors.domain.dataset.events import DatasetContent
from hanami_actors.errors import BadRequestError
from tests.unit.datasets.fakes import FakeBlobs
from tests.unit.datasets.idx_files import image_bytes, label_bytes, some_pixels


@pytest.fixture
def reference(tmp_path, blobs: FakeBlobs):
    def make(labels: list[int], side: int) -> DatasetContent:
        (tmp_path / "i").write_bytes(image_bytes(some_pixels(len(labels), side, side)))
        (tmp_path / "l").write_bytes(label_bytes(labels))
        return import_mnist(tmp_path / "i", tmp_path / "l", blobs)

    return make


@pytest.fixture
def table(tmp_path, blobs: FakeBlobs):
    def make(names: str, rows: list[list[float]]) -> DatasetContent:
        lines = [names, *(",".join(map(str, row)) for row in rows)]
        (tmp_path / "t.csv").write_text("\n".join(lines))
        return import_csv(tmp_path / "t.csv", blobs)

    return make


@pytest.fixture
def answer(blobs: FakeBlobs):
    def make(rows: np.ndarray, columns: list[tuple[str, int]] | None = None) -> DatasetContent:
        with ResultWriter(blobs, columns or [("out", rows.shape[1])]) as writer:
            writer.write(rows.astype(np.float32))
            return writer.finish()

    return make


def answers_for(labels: list[int], width: int = 10) -> np.ndarray:
    """Rows whose largest value is at the label."""
    rows = np.linspace(0.0, 0.5, width)[None, :].repeat(len(labels), axis=0)
    rows[np.arange(len(labels)), labels] = 0.75
    return rows


LABELS = [row * 7 % 10 for row in range(10_003)]


@pytest.mark.parametrize(
    ("wrong_count", "expected"),
    [(798, 92.0199966430664), (0, 100.0), (10_000, 0.0), (9_999, 0.009999999776482582)],
)
def test_28_by_28_data_is_compared_as_the_contract_says(
    blobs, reference, answer, wrong_count, expected
) -> None:
    answered = [(label + (row < wrong_count)) % 10 for row, label in enumerate(LABELS)]
    rows = answers_for(answered)
    rows[10_000:] = 0  # behind what is compared
    assert accuracy(blobs.path, answer(rows), reference(LABELS, 28)) == expected


def test_28_by_28_result_may_be_wider_than_ten(blobs, reference, answer) -> None:
    rows = np.hstack((answers_for(LABELS), np.ones((len(LABELS), 2))))
    result = answer(rows, [("out", 10), ("more", 2)])
    assert accuracy(blobs.path, result, reference(LABELS, 28)) == 100.0


@pytest.mark.parametrize(
    ("row_count", "width", "what"),
    [
        (9_999, 10, "result dataset has 9999 rows.*needs 10000"),
        (10_000, 9, "result dataset has 9 columns.*needs 10"),
    ],
)
def test_28_by_28_result_that_is_too_short_is_named(
    blobs, reference, answer, row_count, width, what
) -> None:
    result = answer(np.zeros((row_count, width)))
    with pytest.raises(BadRequestError, match=what):
        accuracy(blobs.path, result, reference(LABELS, 28))


def test_28_by_28_reference_needs_ten_thousand_rows(blobs, reference, answer) -> None:
    with pytest.raises(BadRequestError, match=r"reference dataset has 5 rows.*needs 10000"):
        accuracy(blobs.path, answer(answers_for(LABELS)), reference(LABELS[:5], 28))


def test_other_pictures_compare_all_rows(blobs, reference, answer) -> None:
    labels = LABELS[:397]
    answered = [(label + (row < 40)) % 10 for row, label in enumerate(labels)]
    expected = 100.0 * 357 / 397
    assert accuracy(blobs.path, answer(answers_for(answered)), reference(labels, 8)) == expected


def test_blocks_do_not_change_the_answer(blobs, reference, answer, monkeypatch) -> None:
    monkeypatch.setattr(check, "BLOCK_VALUES_MAX", 70)
    answered = [3] * 101
    expected = 100.0 * LABELS[:101].count(3) / 101
    assert (
        accuracy(blobs.path, answer(answers_for(answered)), reference(LABELS[:101], 8)) == expected
    )


@pytest.mark.parametrize(
    ("row", "label"),
    [
        ([0.5, 0.7, 0.7, 0.1], 1),  # the first of equal values
        ([-0.05, -0.2, -0.01, -3.0], 2),  # only values above -0.1 count
        ([-0.1, -0.5, -0.2, -0.3], 0),  # none does
        ([-0.2, -0.15, -0.5, -0.3], 0),
        ([np.nan, 0.1, 0.2, np.nan], 2),  # no number is larger than nothing
        ([0.0, np.inf, 1.0, 0.0], 1),
    ],
)
def test_class_is_the_first_largest_value_above_the_start(blobs, table, answer, row, label) -> None:
    for place in range(4):
        right = table("x,a,b,c,d", [[9, *(float(place == k) for k in range(4))]])
        expected = 100.0 if place == label else 0.0
        assert accuracy(blobs.path, answer(np.array([row])), right) == expected


def test_csv_reference_has_its_classes_in_the_last_columns(blobs, table, answer) -> None:
    right = table("x,y,red,blue", [[1, 0, 1, 0], [0, 1, 0, 1], [5, 5, 1, 0]])
    assert accuracy(blobs.path, answer(answers_for([0, 1, 1], 2)), right) == 100.0 * 2 / 3


def test_reference_row_must_be_one_hot_to_be_hit(blobs, table, answer) -> None:
    right = table("a,b", [[1, 1], [0.5, 0], [1, 0]])
    assert accuracy(blobs.path, answer(answers_for([0, 0, 0], 2)), right) == 100.0 / 3


def test_first_of_several_results_is_compared_with_the_labels(blobs, reference, answer) -> None:
    rows = np.hstack((answers_for(LABELS[:20]), np.ones((20, 3))))
    result = answer(rows, [("out", 10), ("more", 3)])
    assert accuracy(blobs.path, result, reference(LABELS[:20], 8)) == 100.0


def test_every_row_needs_its_counterpart(blobs, reference, answer) -> None:
    with pytest.raises(BadRequestError, match=r"result dataset has 4 rows.*needs 5"):
        accuracy(blobs.path, answer(np.zeros((4, 10))), reference(LABELS[:5], 8))
    with pytest.raises(BadRequestError, match=r"reference dataset has 5 rows.*needs 6"):
        accuracy(blobs.path, answer(np.zeros((6, 10))), reference(LABELS[:5], 8))


def test_missing_columns_are_named(blobs, reference, table, answer) -> None:
    with pytest.raises(BadRequestError, match=r"result dataset has 9 columns.*needs 10"):
        accuracy(blobs.path, answer(np.zeros((5, 9))), reference(LABELS[:5], 8))
    with pytest.raises(BadRequestError, match=r"reference dataset has 2 columns.*needs 3"):
        accuracy(blobs.path, answer(np.zeros((1, 3))), table("a,b", [[1, 2]]))


def test_one_column_has_no_classes(blobs, table, answer) -> None:
    with pytest.raises(BadRequestError, match="needs at least 2"):
        accuracy(blobs.path, answer(np.zeros((1, 1))), table("a,b", [[1, 2]]))


def test_empty_result_is_refused(blobs, table, answer) -> None:
    with pytest.raises(BadRequestError, match="result dataset has 0 rows"):
        accuracy(blobs.path, answer(np.zeros((0, 2))), table("a,b", [[1, 2]]))
