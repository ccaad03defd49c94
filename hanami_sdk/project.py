"""Projects separate the resources of users. Only admins may manage them."""

from hanami_sdk.hanami_request import (
    API_PREFIX,
    send_delete_request,
    send_get_request,
    send_post_request,
)

__all__ = ["create_project", "delete_project", "get_project", "list_projects"]

PATH = f"{API_PREFIX}project"


def create_project(
    token: str, address: str, project_id: str, project_name: str, verify_connection: bool = True
) -> bytes:
    """Create an empty project; return it as JSON."""
    body = {"id": project_id, "name": project_name}
    return send_post_request(token, address, PATH, body, verify_connection)


def get_project(token: str, address: str, project_id: str, verify_connection: bool = True) -> bytes:
    """Return one project as JSON."""
    return send_get_request(token, address, PATH, {"id": project_id}, verify_connection)


def list_projects(token: str, address: str, verify_connection: bool = True) -> bytes:
    """Return all projects as JSON with ``header`` and ``body``."""
    return send_get_request(token, address, f"{PATH}/all", None, verify_connection)


def delete_project(
    token: str,
    address: str,
    project_id: str,
    verify_connection: bool = True,
    *,
    force: bool = False,
) -> bytes:
    """Delete a project; one with resources only with ``force``, which deletes them as well."""
    values = {"id": project_id} | ({"force": "true"} if force else {})
    return send_delete_request(token, address, PATH, values, verify_connection)
