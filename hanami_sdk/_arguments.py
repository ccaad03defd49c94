"""Arguments that have had several names: every name works, exactly one must be given."""

from base64 import b64encode

__all__ = ["base64_text", "one_of"]


def one_of(function: str, **values: str | None) -> str:
    """Return the one value that is set.

    Raises
    ------
    TypeError
        As Python does for a missing or doubled argument, when none or several are set.
    """
    given = [value for value in values.values() if value is not None]
    names = " / ".join(values)
    if not given:
        raise TypeError(f"{function}() is missing the argument {names}")
    if len(given) > 1:
        raise TypeError(f"{function}() got several of the arguments {names}; give one")
    return given[0]


def base64_text(text: str) -> str:
    """Return the base64 of the UTF-8 bytes of a text."""
    return b64encode(text.encode("utf-8")).decode("ascii")
