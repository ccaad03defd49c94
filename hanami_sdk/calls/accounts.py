"""Calls about logins, users, projects and logs."""

from hanami_sdk._arguments import base64_text
from hanami_sdk.calls.call import Call, as_nothing, given, object_of, rows_of
from hanami_sdk.calls.results import (
    AuditEntry,
    ErrorEntry,
    Login,
    Project,
    ProjectRoles,
    User,
)

__all__ = [
    "add_project",
    "audit_log",
    "change_passphrase",
    "create_project",
    "create_user",
    "delete_project",
    "delete_user",
    "error_log",
    "get_project",
    "get_user",
    "list_projects",
    "list_user_projects",
    "list_users",
    "log_in",
    "remove_project",
    "switch_project",
]


def log_in(user_id: str, passphrase: str) -> Call[Login]:
    """Get a token; the one call that needs none."""
    body = {"id": user_id, "passphrase": base64_text(passphrase)}
    return Call("POST", "token", object_of(Login), body=body)


def switch_project(project_id: str) -> Call[Login]:
    """Get a token for another project of the same user."""
    return Call("PUT", "token", object_of(Login), body={"project_id": project_id})


def change_passphrase(passphrase: str, new_passphrase: str) -> Call[Login]:
    """Change the own passphrase; get a new token, all others end."""
    body = {
        "passphrase": base64_text(passphrase),
        "new_passphrase": base64_text(new_passphrase),
    }
    return Call("PUT", "user/passphrase", object_of(Login), body=body)


def create_user(user_id: str, name: str, passphrase: str, is_admin: bool) -> Call[User]:
    """Create a user."""
    body = {
        "id": user_id,
        "name": name,
        "passphrase": base64_text(passphrase),
        "is_admin": is_admin,
    }
    return Call("POST", "user", object_of(User), body=body)


def get_user(user_id: str) -> Call[User]:
    """Look at a user."""
    return Call("GET", "user", object_of(User), query={"id": user_id})


def list_users() -> Call[list[User]]:
    """Look at all users."""
    return Call("GET", "user/all", rows_of(User))


def delete_user(user_id: str) -> Call[None]:
    """Delete a user."""
    return Call("DELETE", "user", as_nothing, query={"id": user_id})


def add_project(user_id: str, project_id: str, role: str, is_project_admin: bool) -> Call[User]:
    """Let a user work in a project."""
    body = {
        "id": user_id,
        "project_id": project_id,
        "role": role,
        "is_project_admin": is_project_admin,
    }
    return Call("POST", "user/project", object_of(User), body=body)


def remove_project(user_id: str, project_id: str) -> Call[User]:
    """Take a project away from a user."""
    query = {"project_id": project_id, "id": user_id}
    return Call("DELETE", "user/project", object_of(User), query=query)


def list_user_projects(user_id: str | None) -> Call[ProjectRoles]:
    """Look at the projects of a user; of the caller, if none is named."""
    return Call("GET", "user/project", object_of(ProjectRoles), query=given(user_id=user_id))


def create_project(project_id: str, name: str) -> Call[Project]:
    """Create a project."""
    return Call("POST", "project", object_of(Project), body={"id": project_id, "name": name})


def get_project(project_id: str) -> Call[Project]:
    """Look at a project."""
    return Call("GET", "project", object_of(Project), query={"id": project_id})


def list_projects() -> Call[list[Project]]:
    """Look at all projects."""
    return Call("GET", "project/all", rows_of(Project))


def delete_project(project_id: str, force: bool) -> Call[None]:
    """Delete a project, with ``force`` also what is in it."""
    query = {"id": project_id} | given(force="true" if force else None)
    return Call("DELETE", "project", as_nothing, query=query)


def audit_log(user_id: str | None, page: int) -> Call[list[AuditEntry]]:
    """Look at a page of calls."""
    query = given(user_id=user_id) | {"page": page}
    return Call("GET", "audit_log", rows_of(AuditEntry), query=query)


def error_log(user_id: str | None, page: int) -> Call[list[ErrorEntry]]:
    """Look at a page of internal errors."""
    query = given(user_id=user_id) | {"page": page}
    return Call("GET", "error_log", rows_of(ErrorEntry), query=query)
