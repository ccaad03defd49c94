"""Users and their projects. Only admins may manage users."""

from hanami_sdk._arguments import one_of
from hanami_sdk.calls import accounts
from hanami_sdk.hanami_request import send_call

__all__ = [
    "add_project_to_user",
    "add_roject_to_user",
    "change_passphrase",
    "create_user",
    "delete_user",
    "get_user",
    "list_projects_of_user",
    "list_users",
    "remove_project_fromUser",
    "remove_project_from_user",
    "switch_project",
]


def create_user(
    token: str,
    address: str,
    user_id: str,
    user_name: str,
    passphrase: str | None = None,
    is_admin: bool = False,
    verify_connection: bool = True,
    *,
    passwort: str | None = None,
    password: str | None = None,
) -> bytes:
    """Create a user; return it as JSON. The passphrase may have any one of the three names."""
    secret = one_of("create_user", passphrase=passphrase, passwort=passwort, password=password)
    call = accounts.create_user(user_id, user_name, secret, is_admin)
    return send_call(token, address, call, verify_connection)


def get_user(token: str, address: str, user_id: str, verify_connection: bool = True) -> bytes:
    """Return one user as JSON."""
    return send_call(token, address, accounts.get_user(user_id), verify_connection)


def list_users(token: str, address: str, verify_connection: bool = True) -> bytes:
    """Return all users as JSON with ``header`` and ``body``."""
    return send_call(token, address, accounts.list_users(), verify_connection)


def change_passphrase(
    token: str,
    address: str,
    passphrase: str,
    new_passphrase: str,
    verify_connection: bool = True,
) -> bytes:
    """Change the own passphrase; return JSON with a new ``token``, all others end."""
    call = accounts.change_passphrase(passphrase, new_passphrase)
    return send_call(token, address, call, verify_connection)


def delete_user(token: str, address: str, user_id: str, verify_connection: bool = True) -> bytes:
    """Delete a user; nobody can delete himself."""
    return send_call(token, address, accounts.delete_user(user_id), verify_connection)


def add_project_to_user(
    token: str,
    address: str,
    user_id: str,
    project_id: str,
    role: str,
    is_project_admin: bool,
    verify_connection: bool = True,
) -> bytes:
    """Assign a project to a user; return the user as JSON.

    Parameters
    ----------
    token, address : str
        As everywhere.
    user_id, project_id : str
        Who gets what.
    role : str
        The role in that project; the policy file of the server decides what it may do.
    is_project_admin : bool
        True lets the user see the resources of all members of the project.
    verify_connection : bool
        False accepts any certificate of a https server.
    """
    call = accounts.add_project(user_id, project_id, role, is_project_admin)
    return send_call(token, address, call, verify_connection)


def remove_project_from_user(
    token: str, address: str, user_id: str, project_id: str, verify_connection: bool = True
) -> bytes:
    """Take a project away from a user; return the user as JSON."""
    return send_call(
        token, address, accounts.remove_project(user_id, project_id), verify_connection
    )


def list_projects_of_user(
    token: str,
    address: str,
    verify_connection: bool = True,
    *,
    user_id: str | None = None,
) -> bytes:
    """Return the projects of the user of the token, or, for an admin, of another user."""
    return send_call(
        token, address, accounts.list_user_projects(user_id or None), verify_connection
    )


def switch_project(
    token: str, address: str, project_id: str, verify_connection: bool = True
) -> bytes:
    """Return JSON with a new ``token`` that works in another project of the same user."""
    return send_call(token, address, accounts.switch_project(project_id), verify_connection)


# The spellings of the original SDK.
add_roject_to_user = add_project_to_user
remove_project_fromUser = remove_project_from_user  # noqa: N816
