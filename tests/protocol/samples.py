"""A good request for every row of the endpoint table, and what is wrong with bad ones."""

import base64
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec
from msgspec.inspect import (
    BoolType,
    IntType,
    ListType,
    NoneType,
    StrType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from hanami_actors.api.table.endpoint import Endpoint
from hanami_actors.domain.base import Who
from hanami_actors.domain.project.events import ProjectCreated
from tests.fakes import FakeGateway
from tests.protocol.api_server import ADMIN, ServedApi
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE

__all__ = ["bad_values", "good_requests", "required_fields", "send"]


class HasGateway(Protocol):
    """All that the samples need: where to put what they are about."""

    @property
    def gateway(self) -> FakeGateway: ...


TASK_UUID = "00000000-0000-4000-8000-00000000aaaa"


def good_requests(api: HasGateway) -> dict[str, dict[str, Any]]:
    """Create what the requests need, return the fields by the name of the row."""
    gateway = api.gateway
    cluster = gateway.add_cluster(ADMIN)
    gateway.add_host()
    waiting_mnist, waiting_csv = gateway.add_dataset(ADMIN), gateway.add_dataset(ADMIN, "csv")
    filled, doomed = gateway.add_dataset(ADMIN), gateway.add_dataset(ADMIN)
    doomed_cluster = gateway.add_cluster(ADMIN, "doomed")
    gateway.fill(filled, [[1.0, 0.5], [0.25, 0.75]])
    source = {"hexagon_name": "in", "dataset_uuid": filled.uuid, "dataset_column": "picture"}
    task = {"uuid": TASK_UUID, "cluster_uuid": cluster}
    new_task = {"name": "some_task", "cluster_uuid": cluster, "inputs": [source]}
    rows = {"column_name": "picture", "row_offset": 0, "number_of_rows": 2}
    return {
        "create_token": {
            "id": ADMIN_ID,
            "passphrase": base64.b64encode(ADMIN_PASSPHRASE.encode()).decode(),
        },
        **_account_requests(api),
        "get_dataset": {"uuid": filled.uuid},
        "list_datasets": {},
        "delete_dataset": {"uuid": doomed.uuid},
        "get_dataset_content": {"uuid": filled.uuid} | rows,
        "check_dataset": {"uuid": filled.uuid, "reference_uuid": filled.uuid},
        "create_mnist_dataset": {"name": "digits", "input_data_size": 10, "label_data_size": 5},
        "finalize_mnist_dataset": {
            "uuid": waiting_mnist.uuid,
            "uuid_input_file": waiting_mnist.upload_uuids[0],
            "uuid_label_file": waiting_mnist.upload_uuids[1],
        },
        "create_csv_dataset": {"name": "digits", "input_data_size": 10},
        "finalize_csv_dataset": {
            "uuid": waiting_csv.uuid,
            "uuid_input_file": waiting_csv.upload_uuids[0],
        },
        "get_dataset_progress": {"uuid": filled.uuid},
        "get_upload": {"uuid": waiting_mnist.upload_uuids[0]},
        "download_dataset": {"uuid": filled.uuid, "format": "csv"},
        "report_dataset": {"uuid": filled.uuid, "reference_uuid": filled.uuid},
        "create_cluster": {"name": "new_cluster", "template": ""},
        "get_cluster": {"uuid": cluster},
        "list_clusters": {},
        "delete_cluster": {"uuid": doomed_cluster},
        **_cluster_requests(gateway, cluster, task),
        "create_train_task": new_task | {"outputs": [source]},
        "create_request_task": new_task
        | {"results": [{"hexagon_name": "out", "dataset_column": "label"}]},
        "get_task": task,
        "list_tasks": {"cluster_uuid": cluster},
        "delete_task": task,
        "list_hosts": {},
        "get_openapi": {},
        "get_documentation_page": {},
        "get_metrics": {},
        "get_power_consumption": {},
        "get_temperature_production": {},
        "get_speed": {},
        "get_system_info": {},
        "get_threading": {},
        "get_audit_log": {"page": 0},
        "get_error_log": {"page": 0},
        "get_health_live": {},
        "get_health_ready": {},
    }


def _cluster_requests(
    gateway: FakeGateway, cluster: str, task: dict[str, str]
) -> dict[str, dict[str, Any]]:
    checkpoint, doomed = gateway.add_checkpoint(ADMIN), gateway.add_checkpoint(ADMIN, "doomed")
    number = len(gateway.tables.clusters)
    return {
        "save_cluster": {"cluster_uuid": cluster, "name": "saved"},
        "load_cluster": {"cluster_uuid": cluster, "checkpoint_uuid": checkpoint},
        "copy_cluster": {"cluster_uuid": cluster, "name": f"copy {number}"},
        "set_cluster_mode": {"uuid": cluster, "new_state": "DIRECT"},
        "switch_cluster_host": {"cluster_uuid": cluster, "host_uuid": cluster, "hexagon_id": 0},
        "rename_cluster": {"uuid": cluster, "name": f"renamed {number}"},
        "get_cluster_stats": {"uuid": cluster},
        "get_cluster_history": {"uuid": cluster},
        "pause_task": task,
        "resume_task": task,
        "abort_task": task,
        "get_checkpoint": {"uuid": checkpoint},
        "list_checkpoints": {},
        "download_checkpoint": {"uuid": checkpoint},
        "upload_checkpoint": {
            "name": "uploaded",
            "data": base64.b64encode(b"file of state").decode(),
        },
        "delete_checkpoint": {"uuid": doomed},
    }


def _account_requests(api: HasGateway) -> dict[str, dict[str, Any]]:
    gateway = api.gateway
    number = len(gateway.tables.users) + len(gateway.tables.projects)
    user, doomed = f"user_{number}", f"doomed_user_{number}"
    project, doomed_project = f"project_{number}", f"doomed_project_{number}"
    for user_id in (user, doomed):
        gateway.add_user(user_id, is_admin=False)
    for project_id in (project, doomed_project):
        event = ProjectCreated(id=project_id, name="Some", creator_id=ADMIN_ID)
        gateway.record(f"project/{project_id}", event)
    gateway.assign(Who(user_id=user, project_id="old_project"))
    secret = {"passphrase": base64.b64encode(ADMIN_PASSPHRASE.encode()).decode()}
    return {
        "renew_token": {"project_id": "admin"},
        "check_token": {"endpoint": "v1.0alpha/cluster/all", "http_type": 2},
        "create_user": {"id": f"new_{user}", "name": "New User", "is_admin": False} | secret,
        "get_user": {"id": user},
        "list_users": {},
        "delete_user": {"id": doomed},
        "change_passphrase": {f"new_{name}": text for name, text in secret.items()} | secret,
        "assign_project": {
            "id": user,
            "project_id": "some_project",
            "role": "member",
            "is_project_admin": False,
        },
        "remove_project_of_user": {"id": user, "project_id": "old_project"},
        "list_projects_of_user": {"user_id": user},
        "create_project": {"id": f"new_{project}", "name": "New Project"},
        "get_project": {"id": project},
        "list_projects": {},
        "delete_project": {"id": doomed_project, "force": False},
    }


def send(
    api: ServedApi, row: Endpoint, values: dict[str, Any], token: str, path: str | None = None
) -> Any:
    """Send the values where the method has them: in the body or in the query."""
    where = {"json": values} if row.method in {"POST", "PUT"} else {"params": values}
    return api.request(row.method, path or f"/{row.canonical_path}", token=token, **where)


def required_fields(row: Endpoint) -> list[str]:
    return [field.name for field in msgspec.structs.fields(row.request) if field.required]


def bad_values(row: Endpoint) -> Iterator[tuple[str, Any]]:
    """Every field with values that its type, pattern or limits forbid."""
    in_query = row.method not in {"POST", "PUT"}
    for field in msgspec.structs.fields(row.request):
        declared = _plain(type_info(field.type))
        # In a query everything is a text, so a text field takes numbers too.
        allowed = str if isinstance(declared, StrType) else str | int | float
        for value in _bad(declared):
            if not in_query or isinstance(value, allowed):
                yield field.name, value


def _plain(declared: Type) -> Type:
    # An optional field: what it is when it is sent.
    if isinstance(declared, UnionType):
        return next(part for part in declared.types if not isinstance(part, NoneType))
    return declared


def _bad(declared: Type) -> Iterator[Any]:
    yield from (None, {})
    yield 7 if isinstance(declared, BoolType) else True
    if isinstance(declared, StrType):
        yield 7
        if declared.min_length:
            yield "x" * (declared.min_length - 1)
        if declared.max_length:
            yield "x" * (declared.max_length + 1)
        if declared.pattern:
            yield from ("", "ä b ?", "a" * 36 + "\n")
    elif isinstance(declared, IntType):
        yield from ("text", 1.5, 10**30, -(10**30), 2**63)
        if declared.ge is not None:
            yield declared.ge - 1
        if declared.le is not None:
            yield declared.le + 1
    elif isinstance(declared, ListType | VarTupleType):
        yield from ("text", [], [7], [{}], [{"nonsense": 1}], ["text"])
