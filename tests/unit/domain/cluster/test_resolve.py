"""From the names of a request to bytes, and everything that is refused on the way."""

import pytest
from msgspec.structs import replace

from hanami_actors.domain.cluster.messages import (
    CreateRequestTask,
    CreateTrainTask,
    InputBinding,
    OutputBinding,
)
from hanami_actors.domain.cluster.resolve import (
    INPUT_WIDTH_MAX,
    resolve_request,
    resolve_train,
)
from hanami_actors.domain.cluster.template_parser import default_template, parse_template
from hanami_actors.domain.dataset.aggregate import DatasetPhase
from hanami_actors.errors import BadRequestError, ConflictError, NotFoundError
from tests.unit.domain.builders import filled_dataset, stamp, uuid

TEMPLATE = parse_template(default_template())
DATASETS = {
    uuid(100): filled_dataset(100),
    uuid(101): filled_dataset(101, row_count=7, answer=3),
    uuid(102): filled_dataset(102, row_count=0),
    uuid(103): replace(filled_dataset(103), phase=DatasetPhase.WAITING, content=None),
    uuid(104): replace(
        filled_dataset(104), phase=DatasetPhase.FAILED, content=None, failure="bad magic"
    ),
    uuid(105): replace(
        filled_dataset(105), phase=DatasetPhase.WAITING, content=None, kind="result"
    ),
    uuid(106): filled_dataset(106, picture=2000, label=1),
}


def bind(hexagon, column, dataset=100):
    return InputBinding(dataset_uuid=uuid(dataset), dataset_column=column, hexagon_name=hexagon)


TRAIN = CreateTrainTask(
    name="learn", inputs=(bind("input", "picture"),), outputs=(bind("output", "label"),)
)
ASK = CreateRequestTask(
    name="ask",
    inputs=(bind("input", "picture"),),
    results=(OutputBinding(dataset_column="answer", hexagon_name="output"),),
)


def train(template=TEMPLATE, **changes):
    return resolve_train(replace(TRAIN, **changes), template, DATASETS.get, stamp())


def ask(template=TEMPLATE, *, known=("output",), width=INPUT_WIDTH_MAX, **changes):
    request = replace(ASK, **changes)
    sizes = ({"input": width}, dict.fromkeys(known, 2))
    return resolve_request(request, template, DATASETS.get, sizes, stamp())


def test_a_training_knows_the_bytes_it_needs():
    task = train(epoch_count=2, time_length=3)
    assert (task.uuid, task.kind, task.user_id, task.project_id) == (
        uuid(1),
        "train",
        "alice",
        "lab",
    )
    assert (task.row_count, task.cycle_count, task.shown_cycle_count) == (10, 16, 20)
    (label,) = task.outputs
    assert (label.file.width, label.start, label.end) == (2, 0, 2)


def test_the_smallest_dataset_counts():
    task = train(outputs=(bind("output", "answer", 101),))
    assert task.row_count == 7


def test_a_request_names_its_result_columns():
    task = ask()
    assert (task.kind, task.row_count, task.epoch_count) == ("request", 10, 1)
    assert [(item.hexagon_name, item.dataset_column) for item in task.results] == [
        ("output", "answer")
    ]


@pytest.mark.parametrize("field", ["inputs", "outputs"])
def test_a_training_without_inputs_or_outputs_is_a_bad_request(field):
    with pytest.raises(BadRequestError, match=f"'{field}' is empty"):
        train(**{field: ()})


@pytest.mark.parametrize("field", ["inputs", "results"])
def test_a_request_without_inputs_or_results_is_a_bad_request(field):
    with pytest.raises(BadRequestError, match=f"'{field}' is empty"):
        ask(**{field: ()})


def test_a_name_is_bound_once():
    with pytest.raises(BadRequestError, match="'input' twice"):
        train(inputs=(bind("input", "picture"), bind("input", "label")))
    with pytest.raises(BadRequestError, match="'output' twice"):
        train(outputs=(bind("output", "picture"), bind("output", "label")))
    with pytest.raises(BadRequestError, match="column 'answer' twice"):
        ask(results=ASK.results * 2)


def test_one_output_can_become_two_columns():
    more = OutputBinding(dataset_column="again", hexagon_name="output")
    assert len(ask(results=(*ASK.results, more)).results) == 2


@pytest.mark.parametrize("name", ["", "x" * 255])
def test_a_result_column_needs_a_name_of_bounded_length(name):
    with pytest.raises(BadRequestError, match=r"1\.\.254"):
        ask(results=(OutputBinding(dataset_column=name, hexagon_name="output"),))


def test_unknown_inputs_and_outputs_are_answered_with_the_known_ones():
    with pytest.raises(NotFoundError, match=r"no input with name 'eye'; its inputs are: input\."):
        train(inputs=(bind("eye", "picture"),))
    with pytest.raises(NotFoundError, match=r"no output with name 'input'; .* are: output\."):
        train(outputs=(bind("input", "label"),))
    with pytest.raises(NotFoundError, match="no input"):
        ask(inputs=(bind("eye", "picture"),))
    with pytest.raises(NotFoundError, match="no output"):
        ask(results=(OutputBinding(dataset_column="a", hexagon_name="mouth"),))


@pytest.mark.parametrize("resolve", [train, ask])
def test_unknown_datasets_and_columns_are_not_found(resolve):
    with pytest.raises(NotFoundError, match=uuid(999)):
        resolve(inputs=(bind("input", "picture", 999),))
    with pytest.raises(NotFoundError, match=r"'sound'; its columns are: picture, label\."):
        resolve(inputs=(bind("input", "sound"),))


def test_a_long_list_of_known_columns_is_cut():
    wide = {uuid(100): filled_dataset(100, **{f"c{index:02}": 1 for index in range(25)})}
    with pytest.raises(NotFoundError, match=r"c19 and 5 more\."):
        resolve_train(TRAIN, TEMPLATE, wide.get, stamp())


@pytest.mark.parametrize(
    ("number", "named"), [(103, "finalize"), (104, "bad magic"), (105, "task is finished")]
)
def test_a_dataset_without_content_is_a_conflict_that_says_what_to_do(number, named):
    with pytest.raises(ConflictError, match=named):
        train(inputs=(bind("input", "picture", number),))


def test_a_deleted_dataset_is_not_found():
    gone = replace(filled_dataset(100), phase=DatasetPhase.DELETED)
    with pytest.raises(NotFoundError):
        resolve_train(TRAIN, TEMPLATE, lambda _: gone, stamp())


def test_a_dataset_without_rows_is_a_bad_request():
    with pytest.raises(BadRequestError, match="no rows"):
        train(inputs=(bind("input", "picture", 102),))


@pytest.mark.parametrize("time_length", [0, -1, 1001])
def test_time_length_has_limits(time_length):
    for resolve in (train, ask):
        with pytest.raises(BadRequestError, match=r"1\.\.1000"):
            resolve(time_length=time_length)


def test_time_length_fits_into_the_rows():
    assert train(time_length=10).cycle_count == 1
    with pytest.raises(BadRequestError, match="only 10 rows"):
        train(time_length=11)


@pytest.mark.parametrize("epoch_count", [0, 1_000_001])
def test_epochs_have_limits(epoch_count):
    with pytest.raises(BadRequestError, match="number_of_epochs"):
        train(epoch_count=epoch_count)


def test_an_input_has_a_largest_width():
    big = {uuid(100): filled_dataset(100, row_count=1000, picture=2000, label=1)}
    with pytest.raises(BadRequestError, match="2000000 values"):
        resolve_train(replace(TRAIN, time_length=1000), TEMPLATE, big.get, stamp())


def test_a_cluster_without_hexagons_has_no_tasks():
    for resolve in (train, ask):
        with pytest.raises(ConflictError, match="no hexagons"):
            resolve(parse_template(""))


def test_a_request_for_an_output_that_never_learned_is_a_conflict():
    with pytest.raises(ConflictError, match="Output 'output' has no size yet"):
        ask(known=())


def test_an_input_wider_than_what_was_learned_is_a_conflict():
    content = DATASETS[uuid(100)].content
    assert content is not None
    width = content.columns[0].end
    assert ask(width=width).row_count == 10
    with pytest.raises(ConflictError, match=rf"{2 * width} values .* learned {width};"):
        ask(width=width, time_length=2)
