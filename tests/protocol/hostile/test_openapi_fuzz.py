"""Goal: whatever the document allows or forbids, answers are those that the document names."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from tests.protocol.hostile.openapi_fuzz import EXCLUDED_OF_LINKS, OPERATIONS, Target, schema
from tests.server import ServerProcess

EXAMPLES = max(3, settings().max_examples // 20)
SCHEMA = schema()

few = settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Share a server; a wrong passphrase is no crime here, nor are promises of gigabytes."""
    server = ServerProcess(
        tmp_path_factory.mktemp("fuzz") / "data", "--login-failures-max", "0", "--no-access-log"
    )
    try:
        # Until kernels are warm one operation answers 503, as it should.
        yield Target(server.start())
        assert server.terminate() == 0
        assert "Traceback" not in server.log
        assert " ERROR " not in server.log
    finally:
        server.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_operation_answers_as_documented(label, mode, target):
    found = [result for result in SCHEMA.get_all_operations() if isinstance(result, Ok)]
    assert len(found) == len(OPERATIONS), "the fuzzer understands every operation"
    operations = [result.ok() for result in found]
    (operation,) = [each for each in operations if each.label == label]

    @few
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        target.send(case)

    before = target.sent_count
    try:
        send()
    except Unsatisfiable:
        # Without fields there is nothing that could be wrong.
        assert mode is GenerationMode.NEGATIVE
        assert not list(operation.iter_parameters())
        assert not operation.body
        return
    assert target.sent_count > before


def test_what_is_made_can_be_used_until_it_is_deleted(target):
    machine = SCHEMA.as_state_machine()
    arguments: dict[str, Any] = target.arguments

    class Linked(machine):  # type: ignore[misc, valid-type]
        """Follows the links; the checks include that what is deleted stays so."""

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return arguments

        def validate_response(self, response: object, case: Case[Any], **kwargs: object) -> None:
            target.sent_count += 1
            case.validate_response(response, excluded_checks=EXCLUDED_OF_LINKS)

    before = target.sent_count
    run_state_machine_as_test(Linked, settings=settings(few, stateful_step_count=20))
    assert target.sent_count > before
