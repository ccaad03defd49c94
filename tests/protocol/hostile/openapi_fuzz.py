"""Our OpenAPI document as a fuzzer reads it, and the server that it is sent to."""

import json
from typing import Any

from schemathesis import Case
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.openapi import from_dict
from schemathesis.schemas import BaseSchema

from hanami_actors.api.endpoints.all import ENDPOINTS
from hanami_actors.api.table.openapi import openapi_document
from tests.server import ServerProcess

__all__ = ["EXCLUDED", "EXCLUDED_OF_LINKS", "OPERATIONS", "Target", "schema"]

OPERATIONS = [f"{row.method} /{row.path}" for row in ENDPOINTS]

# It wants everything to be taken that the schema allows. A schema cannot say that two fields belong
# together, that a text is a template, or that ``5.0`` is no whole number.
EXCLUDED = [positive_data_acceptance]

# A link puts a good value where a bad one was generated, and the token is always added, so a request
# may be right after all. Requests without links show that what is wrong is refused.
EXCLUDED_OF_LINKS = [*EXCLUDED, negative_data_rejection]

# What an operation makes, and who can do something with it: operation and parameter, from the
# field of the answer.
LINKS = {
    "create_cluster": [("get_cluster", "uuid", "uuid"), ("delete_cluster", "uuid", "uuid")],
    "create_csv_dataset": [
        ("get_dataset", "uuid", "uuid"),
        ("get_dataset_progress", "uuid", "uuid"),
        ("get_upload", "uuid", "uuid_input_file"),
        ("download_dataset", "uuid", "uuid"),
        ("delete_dataset", "uuid", "uuid"),
    ],
    "create_mnist_dataset": [
        ("get_dataset", "uuid", "uuid"),
        ("get_upload", "uuid", "uuid_label_file"),
        ("delete_dataset", "uuid", "uuid"),
    ],
    "create_project": [("get_project", "id", "id"), ("delete_project", "id", "id")],
    "create_user": [("get_user", "id", "id"), ("delete_user", "id", "id")],
}


def schema() -> BaseSchema:
    """Return the document, with links from what is made to what can be done with it."""
    document = json.loads(json.dumps(openapi_document(ENDPOINTS)))
    _without_tuples(document)
    for path in document["paths"].values():
        for operation in path.values():
            links = LINKS.get(operation["operationId"], [])
            operation["responses"]["200"]["links"] = {
                f"{target} {parameter}": {
                    "operationId": target,
                    "parameters": {parameter: f"$response.body#/{field}"},
                }
                for target, parameter, field in links
            }
    return from_dict(document)


def _without_tuples(part: Any) -> None:
    """Pairs as plain arrays: the fuzzer takes ``items: false`` beside ``prefixItems`` for a fault."""
    if isinstance(part, dict):
        if "prefixItems" in part:
            part["items"] = part.pop("prefixItems")[0]
        for value in part.values():
            _without_tuples(value)
    elif isinstance(part, list):
        for value in part:
            _without_tuples(value)


class Target:
    """A server with a user's token; sends cases and checks what comes back."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.token = server.token()
        self.sent_count = 0

    @property
    def arguments(self) -> dict[str, Any]:
        """For everything that sends."""
        return {
            "base_url": f"{self.server.address}/v1.0alpha",
            "headers": {"X-Auth-Token": self.token},
        }

    def send(self, case: Case[Any]) -> None:
        """Send it; every check of the fuzzer must pass but `EXCLUDED`."""
        self.sent_count += 1
        answer = case.call(**self.arguments)
        assert "Traceback" not in answer.text
        case.validate_response(answer, excluded_checks=EXCLUDED)
