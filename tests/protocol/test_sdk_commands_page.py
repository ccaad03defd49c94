"""The commands of the original's documentation, with the tables it shows for them.

Uuids and times are masked by texts of the same length, so that the tables compare as wholes.
"""

import json
import re

import pytest

from hanami_sdk.cli.main import main
from tests.journey import write_idx
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, ServerProcess

UUID = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
TIME = "YYYY-MM-DD HH:MM:SS"
ROWS = 120


UUID_PATTERN = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def first_uuid(text):
    return str(re.findall(UUID_PATTERN, text)[0])


def masked(text):
    text = re.sub(UUID_PATTERN, UUID, text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", TIME, text)


def table(*lines):
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A server of its own: lists are compared as wholes."""
    server = ServerProcess(tmp_path_factory.mktemp("commands") / "data")
    yield server.start()
    server.close()


@pytest.fixture
def hanamictl(own_server, monkeypatch, capfd):
    """Run a command that must succeed and return what it prints."""
    monkeypatch.setenv("HANAMI_ADDRESS", own_server.address)
    monkeypatch.setenv("HANAMI_USER", ADMIN_ID)
    monkeypatch.setenv("HANAMI_PW", ADMIN_PASSPHRASE)
    for name in ("PASSPHRASE", "TOKEN", "PROJECT"):
        monkeypatch.delenv(f"HANAMI_{name}", raising=False)

    def run(*words):
        capfd.readouterr()
        status = main(words)
        out, err = capfd.readouterr()
        assert (status, err) == (0, ""), out
        return out

    return run


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("idx")
    template = directory / "cluster_template"
    template.write_text(
        "version: 1\nsettings:\n    neuron_cooldown: 10000000.0\nhexagons:\n    1,1,1\n    2,1,1\n"
        "    3,1,1\ninputs:\n    picture_hexagon: 1,1,1\noutputs:\n    label_hexagon: 3,1,1\n"
    )
    images, labels = write_idx(directory, ROWS)
    return str(images), str(labels), str(template)


def test_project_commands_print_the_tables_of_the_page(hanamictl):
    one = table(
        "+------------+---------------------+",
        "| ID         | cli_test_project    |",
        "| NAME       | cli test project    |",
        "| CREATOR ID | asdf                |",
        f"| CREATED AT | {TIME} |",
        "+------------+---------------------+",
    )
    created = hanamictl("project", "create", "-n", "cli test project", "cli_test_project")
    assert masked(created) == one
    assert masked(hanamictl("project", "get", "cli_test_project")) == one
    assert masked(hanamictl("project", "list")) == table(
        "+------------------+------------------+------------+---------------------+",
        "|        ID        |       NAME       | CREATOR ID |     CREATED AT      |",
        "+------------------+------------------+------------+---------------------+",
        f"| cli_test_project | cli test project | asdf       | {TIME} |",
        "+------------------+------------------+------------+---------------------+",
    )
    assert hanamictl("project", "delete", "cli_test_project") == (
        "successfully deleted project 'cli_test_project'\n"
    )


def test_user_commands_print_the_tables_of_the_page(hanamictl):
    one = table(
        "+------------+---------------------+",
        "| ID         | cli_test_user       |",
        "| NAME       | cli test user       |",
        "| IS ADMIN   | false               |",
        "| PROJECTS   | []                  |",
        "| CREATOR ID | asdf                |",
        f"| CREATED AT | {TIME} |",
        "+------------+---------------------+",
    )
    created = hanamictl(
        "user", "create", "-n", "cli test user", "-p", "asdfasdfasdf", "cli_test_user"
    )
    assert masked(created) == one
    assert masked(hanamictl("user", "get", "cli_test_user")) == one
    assert masked(hanamictl("user", "list")) == table(
        "+---------------+---------------+----------+----------+-------------+---------------------+",
        "|      ID       |     NAME      | IS ADMIN | PROJECTS | CREATOR ID  |     CREATED AT      |",
        "+---------------+---------------+----------+----------+-------------+---------------------+",
        f"| asdf          | Admin         | true     | []       | HANAMI_INIT | {TIME} |",
        f"| cli_test_user | cli test user | false    | []       | asdf        | {TIME} |",
        "+---------------+---------------+----------+----------+-------------+---------------------+",
    )
    # The page shows the text for a project here; the program itself says it right.
    assert hanamictl("user", "delete", "cli_test_user") == (
        "successfully deleted user 'cli_test_user'\n"
    )


def rows_of(text, name):
    """Return header and the row with the name; other tests may have left things behind."""
    lines = masked(text).split("\n")
    return [re.sub(r" +", " ", line) for line in lines[1:2] + [x for x in lines if name in x]]


LIST_HEADER = "| UUID | NAME | VISIBILITY | OWNER ID | PROJECT ID | CREATED AT |"


def list_row(name):
    return [LIST_HEADER, f"| {UUID} | {name} | private | asdf | admin | {TIME} |"]


def test_dataset_commands_print_the_tables_of_the_page(hanamictl, files, tmp_path):
    images, labels, _ = files
    created = hanamictl(
        "dataset", "create", "mnist", "-i", images, "-l", labels, "cli_test_dataset"
    )
    description = (
        '{"label":{"column_end":46,"column_start":36},"picture":{"column_end":36,"column_start":0}}'
    )
    border = f"+-------------------+-{'-' * len(description)}-+"
    values = {
        "UUID": UUID,
        "NAME": "cli_test_dataset",
        "VERSION": "v1.0alpha",
        "NUMBER OF COLUMNS": "46",
        "NUMBER OF ROWS": str(ROWS),
        "DESCRIPTION": description,
        "VISIBILITY": "private",
        "OWNER ID": "asdf",
        "PROJECT ID": "admin",
        "CREATED AT": TIME,  # the page shows <nil> here
    }
    width = len(description)
    rows = [f"| {title:17} | {value:{width}} |" for title, value in values.items()]
    assert masked(created) == table(border, *rows, border)
    uuid = first_uuid(created)
    assert hanamictl("dataset", "get", uuid) == created
    assert rows_of(hanamictl("dataset", "list"), "cli_test_dataset") == list_row("cli_test_dataset")
    csv_path = tmp_path / "test.csv"
    csv_path.write_text("test_input,test_output\n1.0,2.0\n")
    of_csv = hanamictl("dataset", "create", "csv", "-i", str(csv_path), "test_csv", "-j")
    for dataset_uuid in (uuid, json.loads(of_csv)["uuid"]):
        assert hanamictl("dataset", "delete", dataset_uuid) == (
            f"successfully deleted dataset '{dataset_uuid}'\n"
        )


def test_cluster_and_checkpoint_commands_print_the_tables_of_the_page(hanamictl, files):
    one = table(
        "+------------+--------------------------------------+",
        f"| UUID       | {UUID} |",
        "| NAME       | cli_test_cluster                     |",
        "| VISIBILITY | private                              |",
        "| OWNER ID   | asdf                                 |",
        "| PROJECT ID | admin                                |",
        f"| CREATED AT | {TIME}                  |",
        "+------------+--------------------------------------+",
    )
    created = hanamictl("cluster", "create", "-t", files[2], "cli_test_cluster")
    assert masked(created) == one
    uuid = first_uuid(created)
    # The figures are those of the newer original.
    shown = masked(hanamictl("cluster", "get", uuid)).split("\n")
    assert [line for line in shown if "NUMBER OF" in line] == [
        "| NUMBER OF BLOCKS   | 0                                    |",
        "| NUMBER OF SECTIONS | 0                                    |",
    ]
    assert rows_of(hanamictl("cluster", "list"), "cli_test_cluster") == list_row("cli_test_cluster")
    saved = hanamictl("cluster", "save", "-n", "cli_test_checkpoint", uuid)
    assert masked(saved) == table(
        "+------+--------------------------------------+",
        f"| UUID | {UUID} |",
        "| NAME | cli_test_checkpoint                  |",
        "+------+--------------------------------------+",
    )
    checkpoint = first_uuid(saved)
    listed = rows_of(hanamictl("checkpoint", "list"), "cli_test_checkpoint")
    assert listed == list_row("cli_test_checkpoint")
    assert masked(hanamictl("cluster", "restore", "-c", checkpoint, uuid)) == table(
        "+------+--------------------------------------+",
        f"| UUID | {UUID} |",
        "+------+--------------------------------------+",
    )
    for kind, name in (("checkpoint", checkpoint), ("cluster", uuid)):
        assert hanamictl(kind, "delete", name) == f"successfully deleted {kind} '{name}'\n"


def test_task_commands_print_the_tables_of_the_page(hanamictl, files):
    images, labels, template = files

    def created(*words):
        return str(json.loads(hanamictl(*words, "-j"))["uuid"])

    data = created("dataset", "create", "mnist", "-i", images, "-l", labels, "task_page_data")
    cluster = created("cluster", "create", "-t", template, "task_page_cluster")
    links = ["-i", f"{data}:picture:picture_hexagon", "-o", f"{data}:label:label_hexagon"]
    # With -j, as on the page, JSON is printed; the page shows the table.
    train = created("task", "create", "train", *links, "-c", cluster, "cli_train_test_task")
    hanamictl("task", "wait", train, "-c", cluster)
    assert masked(hanamictl("task", "get", "-c", cluster, train)) == table(
        "+------------------------+--------------------------------------+",
        f"| UUID                   | {UUID} |",
        "| STATE                  | finished                             |",
        "| CURRENT CYCLE          | 120                                  |",
        "| TOTAL NUMBER OF CYCLES | 120                                  |",
        f"| QUEUE TIMESTAMP        | {TIME}                  |",
        f"| START TIMESTAMP        | {TIME}                  |",
        f"| END TIMESTAMP          | {TIME}                  |",
        "+------------------------+--------------------------------------+",
    )
    asked = ["-i", f"{data}:picture:picture_hexagon", "-r", "label_hexagon:output_data"]
    request = created("task", "create", "request", *asked, "-c", cluster, "cli_request_test_task")
    hanamictl("task", "wait", request, "-c", cluster)
    assert masked(hanamictl("task", "list", "-c", cluster)) == table(
        "+--------------------------------------+----------+",
        "|                 UUID                 |  STATE   |",
        "+--------------------------------------+----------+",
        f"| {UUID} | finished |",
        f"| {UUID} | finished |",
        "+--------------------------------------+----------+",
    )
    checked = hanamictl("dataset", "check", "-r", data, request)
    assert re.fullmatch(r"\+-+\+-+\+\n\| ACCURACY \| [\d.]+ +\|\n\+-+\+-+\+\n", checked)
    content = hanamictl("dataset", "content", "-c", "output_data", "-o", "100", "-n", "10", request)
    lines = content.split("\n")
    assert lines[1] == "|     |" + "".join(f"    {index}     |" for index in range(10))
    assert [line[:6] for line in lines[3:13]] == [f"| {row} " for row in range(100, 110)]
    assert all(re.fullmatch(r"\| \d+ \|( \d\.\d{6} \|){10}", line) for line in lines[3:13])
    deleted = hanamictl("task", "delete", "-c", cluster, train)
    assert deleted == f"successfully deleted task '{train}'\n"
    for kind, uuid in (("dataset", request), ("dataset", data), ("cluster", cluster)):
        hanamictl(kind, "delete", uuid)


def test_hosts_are_the_table_of_the_page(hanamictl):
    assert masked(hanamictl("host", "list")) == table(
        "+--------------------------------------+------+",
        "|                 UUID                 | TYPE |",
        "+--------------------------------------+------+",
        f"| {UUID} | cpu  |",
        "+--------------------------------------+------+",
    )
