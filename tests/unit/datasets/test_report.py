"""The figures of a report, against those counted by hand or by another library."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from hanami_actors.datasets import report as report_module
from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.datasets.report import CLASS_COUNT_MAX, compare
from hanami_actors.datasets.result import ResultWriter
from hanami_actors.errors import BadRequestError, NotFoundError


@pytest.fixture
def make(blobs):
    def make(columns, values):
        with ResultWriter(blobs, columns) as writer:
            writer.write(np.array(values, dtype=np.float32))
            return writer.finish()

    return make


def test_every_figure_equals_that_of_scikit_learn(make, blobs, monkeypatch):
    monkeypatch.setattr(report_module, "BLOCK_VALUES_MAX", 100)
    random = np.random.default_rng(1)
    actual = random.integers(0, 4, 500)
    scores = random.random((500, 4)).astype(np.float32)
    scores[np.arange(500), actual] += random.random(500).astype(np.float32)
    predicted = scores.argmax(axis=1)
    found = compare(blobs.path, make([("out", 4)], scores), make([("label", 4)], np.eye(4)[actual]))
    assert found.row_count == 500
    assert found.accuracy == pytest.approx(100 * accuracy_score(actual, predicted))
    assert found.confusion == tuple(map(tuple, confusion_matrix(actual, predicted).tolist()))
    precision, recall, f1, support = precision_recall_fscore_support(actual, predicted)
    for index, figures in enumerate(found.classes):
        assert figures.support == support[index]
        assert figures.precision == pytest.approx(precision[index])
        assert figures.recall == pytest.approx(recall[index])
        assert figures.f1 == pytest.approx(f1[index])
    assert found.mean_absolute_error is None


def test_a_reference_of_one_value_is_the_number_of_the_class(make, blobs):
    result = make([("out", 3)], [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    found = compare(blobs.path, result, make([("class", 1)], [[0], [2], [2]]))
    assert found.confusion == ((1, 0, 0), (0, 0, 0), (0, 1, 1))
    assert found.accuracy == pytest.approx(200 / 3)
    assert found.classes[1] == (0, 0.0, None, 0.0)


@pytest.mark.parametrize("wrong", [3, -1, 0.5, np.nan])
def test_a_number_that_is_no_class_is_refused_with_its_row(make, blobs, wrong):
    result = make([("out", 3)], [[1, 0, 0], [0, 0, 1]])
    with pytest.raises(BadRequestError, match=r"row 1 .* 0 to 2"):
        compare(blobs.path, result, make([("class", 1)], [[0], [wrong]]))


def test_single_values_have_errors_and_no_classes(make, blobs):
    found = compare(
        blobs.path, make([("out", 1)], [[1.0], [2.0], [4.0]]), make([("y", 1)], [[1], [3], [2]])
    )
    assert found.mean_absolute_error == 1.0
    assert found.root_mean_square_error == pytest.approx((5 / 3) ** 0.5)
    assert (found.accuracy, found.confusion, found.classes) == (None, (), ())


def test_single_values_against_yes_and_no_are_classes_too(make, blobs):
    found = compare(
        blobs.path,
        make([("out", 1)], [[0.5], [0.4], [0.9], [0.1]]),
        make([("y", 1)], [[1], [1], [1], [0]]),
    )
    assert found.accuracy == 75.0
    assert found.confusion == ((1, 0), (1, 2))
    assert found.mean_absolute_error == pytest.approx(0.325)


def test_rows_without_a_class_are_counted_and_left_out(make, blobs):
    found = compare(
        blobs.path,
        make([("out", 2)], [[1, 0], [0, 1], [1, 0]]),
        make([("label", 2)], [[1, 0], [0, 0], [0, 1]]),
    )
    assert (found.unclassified_count, found.accuracy) == (1, 50.0)


def test_the_first_of_equal_values_counts_and_what_is_no_number_never_does(make, blobs):
    result = make([("out", 3)], [[0.5, 0.5, 0.1], [np.nan, 0.1, 0.2]])
    found = compare(blobs.path, result, make([("class", 1)], [[0], [2]]))
    assert found.accuracy == 100.0


def test_the_reference_column_is_found_by_name_or_by_place(make, blobs, tmp_path):
    path = tmp_path / "iris.csv"
    path.write_text("length,a,b\n5,1,0\n6,0,1\n")
    iris = import_csv(path, blobs)
    result = make([("x", 1), ("out", 2)], [[0, 1, 0], [0, 1, 0]])
    assert compare(blobs.path, result, iris, "out").accuracy == 50.0
    found = compare(blobs.path, result, iris, "x", "length")
    assert found.mean_absolute_error == 5.5
    with pytest.raises(NotFoundError, match="'length', 'a', 'b'"):
        compare(blobs.path, result, iris, "out", "c")
    with pytest.raises(BadRequestError, match=r"'x', 'out'.*'column'"):
        compare(blobs.path, result, iris)


def test_what_does_not_fit_together_is_refused(make, blobs):
    three = make([("out", 3)], [[1, 0, 0]])
    with pytest.raises(BadRequestError, match="1 rows and the reference 2"):
        compare(blobs.path, three, make([("label", 3)], [[1, 0, 0]] * 2))
    with pytest.raises(BadRequestError, match="3 values per row, the reference's 2"):
        compare(blobs.path, three, make([("label", 2)], [[1, 0]]))
    with pytest.raises(BadRequestError, match="reference_column"):
        compare(blobs.path, three, make([("a", 1), ("b", 1)], [[1, 0]]))
    many = make([("out", CLASS_COUNT_MAX + 1)], np.zeros((1, CLASS_COUNT_MAX + 1)))
    with pytest.raises(BadRequestError, match="at most 1024 classes"):
        compare(blobs.path, many, many)
