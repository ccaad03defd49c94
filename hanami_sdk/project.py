"""Projects separate the resources of users. Only admins may manage them."""

from hanami_sdk.calls import accounts
from hanami_sdk.hanami_request import send_call

__all__ = ["create_project", "delete_project", "get_project", "list_projects"]


def create_project(
    token: str, address: str, project_id: str, project_name: str, verify_connection: bool = True
) -> bytes:
    """Create an empty project; return it as JSON."""
    return send_call(
        token, address, accounts.create_project(project_id, project_name), verify_connection
    )


def get_project(token: str, address: str, project_id: str, verify_connection: bool = True) -> bytes:
    """Return one project as JSON."""
    return send_call(token, address, accounts.get_project(project_id), verify_connection)


def list_projects(token: str, address: str, verify_connection: bool = True) -> bytes:
    """Return all projects as JSON with ``header`` and ``body``."""
    return send_call(token, address, accounts.list_projects(), verify_connection)


def delete_project(
    token: str,
    address: str,
    project_id: str,
    verify_connection: bool = True,
    *,
    force: bool = False,
) -> bytes:
    """Delete a project; one with resources only with ``force``, which deletes them as well."""
    return send_call(token, address, accounts.delete_project(project_id, force), verify_connection)
