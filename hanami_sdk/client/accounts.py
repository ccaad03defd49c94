"""Flows for users, projects and logs."""

from collections.abc import Callable

from hanami_sdk._arguments import base64_text
from hanami_sdk.client.flow import Call, Flow, nothing, object_of, rows_of
from hanami_sdk.client.results import (
    AuditEntry,
    ErrorEntry,
    Project,
    ProjectRole,
    ProjectRoles,
    User,
)
from hanami_sdk.client.session import Session

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
    "remove_project",
]

_user: Callable[[bytes], User] = object_of(User)
_users = rows_of(User)
_project = object_of(Project)
_projects = rows_of(Project)
_roles = object_of(ProjectRoles)
_audit = rows_of(AuditEntry)
_errors = rows_of(ErrorEntry)


def create_user(
    session: Session, user_id: str, name: str, passphrase: str, *, is_admin: bool = False
) -> Flow[User]:
    """Create a user; admins only."""
    body = {
        "id": user_id,
        "name": name,
        "passphrase": base64_text(passphrase),
        "is_admin": is_admin,
    }
    return (yield from session.do(Call(method="POST", path="user", decode=_user, body=body)))


def get_user(session: Session, user_id: str) -> Flow[User]:
    """Return one user; admins only."""
    call = Call(method="GET", path="user", decode=_user, query={"id": user_id})
    return (yield from session.do(call))


def list_users(session: Session) -> Flow[list[User]]:
    """Return all users; admins only."""
    return (yield from session.do(Call(method="GET", path="user/all", decode=_users)))


def change_passphrase(session: Session, passphrase: str, new_passphrase: str) -> Flow[None]:
    """Change the own passphrase; all other tokens of this user end."""
    yield from session.change_passphrase(passphrase, new_passphrase)


def delete_user(session: Session, user_id: str) -> Flow[None]:
    """Delete a user; nobody can delete himself."""
    call = Call(method="DELETE", path="user", decode=nothing, query={"id": user_id})
    yield from session.do(call)


def add_project(
    session: Session,
    user_id: str,
    project_id: str,
    role: str = "member",
    *,
    is_project_admin: bool = False,
) -> Flow[User]:
    """Let a user work in a project; a project admin sees what all its members have."""
    body = {
        "id": user_id,
        "project_id": project_id,
        "role": role,
        "is_project_admin": is_project_admin,
    }
    call = Call(method="POST", path="user/project", decode=_user, body=body)
    return (yield from session.do(call))


def remove_project(session: Session, user_id: str, project_id: str) -> Flow[User]:
    """Take a project away from a user."""
    query = {"id": user_id, "project_id": project_id}
    call = Call(method="DELETE", path="user/project", decode=_user, query=query)
    return (yield from session.do(call))


def list_user_projects(session: Session, user_id: str | None = None) -> Flow[list[ProjectRole]]:
    """Return the projects of this user, or, for an admin, of another one."""
    call = Call(method="GET", path="user/project", decode=_roles, query={"user_id": user_id})
    return (yield from session.do(call)).projects


def create_project(session: Session, project_id: str, name: str) -> Flow[Project]:
    """Create an empty project; admins only."""
    body = {"id": project_id, "name": name}
    call = Call(method="POST", path="project", decode=_project, body=body)
    return (yield from session.do(call))


def get_project(session: Session, project_id: str) -> Flow[Project]:
    """Return one project; admins only."""
    call = Call(method="GET", path="project", decode=_project, query={"id": project_id})
    return (yield from session.do(call))


def list_projects(session: Session) -> Flow[list[Project]]:
    """Return all projects; admins only."""
    return (yield from session.do(Call(method="GET", path="project/all", decode=_projects)))


def delete_project(session: Session, project_id: str, *, force: bool = False) -> Flow[None]:
    """Delete a project; one with resources only with ``force``, which deletes them as well."""
    query = {"id": project_id, "force": True if force else None}
    call = Call(method="DELETE", path="project", decode=nothing, query=query)
    yield from session.do(call)


def audit_log(
    session: Session, page: int = 0, user_id: str | None = None
) -> Flow[list[AuditEntry]]:
    """Return a page of 100 calls, oldest first; only admins may name another user."""
    query = {"page": page, "user_id": user_id}
    return (yield from session.do(Call(method="GET", path="audit_log", decode=_audit, query=query)))


def error_log(
    session: Session, page: int = 0, user_id: str | None = None
) -> Flow[list[ErrorEntry]]:
    """Return a page of 100 internal errors; admins only."""
    query = {"page": page, "user_id": user_id}
    return (
        yield from session.do(Call(method="GET", path="error_log", decode=_errors, query=query))
    )
