"""The context of the listening socket, and the settings that cannot make one."""

import ssl

import pytest

from hanami_actors import settings
from hanami_actors.errors import SettingsError
from hanami_actors.tls import server_context
from tests.certificates import CERTIFICATE, ENCRYPTED_KEY, KEY, OTHER_KEY


def context_of(certificate, key):
    return server_context(settings.defaults(tls_certificate=certificate, tls_key=key))


def test_without_a_certificate_there_is_no_tls():
    assert context_of(None, None) is None


def test_certificate_and_key_make_a_context_without_old_versions():
    context = context_of(CERTIFICATE, KEY)
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("certificate", "key", "text"),
    [
        (CERTIFICATE, None, "tls_certificate is set, but tls_key is not"),
        (None, KEY, "tls_key is set, but tls_certificate is not"),
        (CERTIFICATE.with_name("nothing"), KEY, "tls_certificate: .*nothing cannot be read"),
        (CERTIFICATE, KEY.with_name("nothing"), "tls_key: .*nothing cannot be read"),
        (CERTIFICATE, OTHER_KEY, "must be PEM files that belong together"),
        (CERTIFICATE, ENCRYPTED_KEY, "the key without a passphrase"),
        (KEY, KEY, "must be PEM files that belong together"),
    ],
)
def test_settings_that_make_no_context_are_refused_with_their_names(certificate, key, text):
    with pytest.raises(SettingsError, match=text):
        context_of(certificate, key)
