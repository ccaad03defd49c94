"""A self-signed certificate for localhost, of use in tests only."""

from pathlib import Path

FOLDER = Path(__file__).parent

CERTIFICATE = FOLDER / "self-signed.pem"
KEY = FOLDER / "self-signed-key.pem"
OTHER_KEY = FOLDER / "other-key.pem"
ENCRYPTED_KEY = FOLDER / "encrypted-key.pem"
