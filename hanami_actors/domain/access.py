"""Who may see and use which resource."""

from hanami_actors.domain.base import Who

__all__ = ["ADMIN_PROJECT_ID", "visible"]

ADMIN_PROJECT_ID = "admin"
"""The project that admins start in; it exists without a row and belongs to them alone."""


def visible(who: Who, owner_id: str, project_id: str) -> bool:
    """Tell whether the caller sees, may use and may delete a resource.

    Parameters
    ----------
    who : Who
        Admins see everything, project admins everything of their project, others what they own
        in the project they are in.
    owner_id, project_id : str
        Of the resource.
    """
    if who.is_admin:
        return True
    if who.project_id != project_id:
        return False
    return who.is_project_admin or who.user_id == owner_id
