"""The server's own TLS: a context from the certificate and the key that the settings name."""

import ssl
from typing import TYPE_CHECKING

from hanami_actors.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from hanami_actors.settings import Settings

__all__ = ["server_context"]


def server_context(settings: "Settings") -> ssl.SSLContext | None:
    """Return the context of the listening socket, None for plain HTTP.

    Parameters
    ----------
    settings : Settings
        ``tls_certificate`` and ``tls_key``: both or none.

    Raises
    ------
    SettingsError
        When one of them is missing, cannot be read, or they do not belong together.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        given, missing = ("tls_key", "tls_certificate") if key else ("tls_certificate", "tls_key")
        raise SettingsError(f"{given} is set, but {missing} is not; TLS needs both")
    for name, path in (("tls_certificate", certificate), ("tls_key", key)):
        _require_readable(name, path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password OpenSSL would ask at the terminal for that of an encrypted key.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise SettingsError(
            f"the certificate {certificate} and the key {key} cannot be used: "
            f"{error.reason or error}; both must be PEM files that belong together, the key"
            " without a passphrase"
        ) from error
    return context


def _require_readable(name: str, path: "Path") -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error.strerror}") from error
