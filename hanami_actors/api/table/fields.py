"""Types of request fields: the regular expressions and limits of the contract (2.3), by name."""

from typing import Annotated

from msgspec import Meta

__all__ = [
    "PATTERN_RULES",
    "SECRET_FIELDS",
    "USER_ID",
    "Base64Secret",
    "ChecksumText",
    "ColumnName",
    "EndpointPath",
    "PlainSecret",
    "ProjectId",
    "ResourceName",
    "RoleName",
    "UserId",
    "UuidText",
]

# ``$`` also matches before a final line feed; the lookahead closes that gap.
END = r"$(?!\n)"
UUID = r"^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{12}" + END
PROJECT_ID = r"^[a-zA-Z][a-zA-Z_0-9]*" + END
USER_ID = r"^[a-zA-Z][a-zA-Z_0-9@]*" + END
NAME = r"^[a-zA-Z][a-zA-Z_0-9\- ]*" + END
ENDPOINT = r"^[a-zA-Z][a-zA-Z._/0-9]*" + END
CHECKSUM = r"^(?:(?:[sS][hH][aA]256|[bB][lL][aA][kK][eE]2[bB]):)?[a-fA-F0-9]{64}" + END
BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?" + END

PATTERN_RULES = {
    UUID: "a UUID such as 0f8fad5b-d9cb-469f-a165-70867728950e",
    PROJECT_ID: "a letter, then letters, digits and '_'",
    USER_ID: "a letter, then letters, digits, '_' and '@'",
    NAME: "a letter, then letters, digits, '_', '-' and blanks",
    ENDPOINT: "a path without the leading slash such as v1.0alpha/cluster/all",
    CHECKSUM: "64 hexadecimal digits of a SHA-256, or sha256: or blake2b: before the digits",
    BASE64: "base64 of the UTF-8 text",
}
"""What a pattern means, for the texts of errors."""

SECRET_FIELDS = frozenset({"passphrase", "password", "new_passphrase", "new_password"})
"""Fields whose values are never repeated in an answer or a log."""

UuidText = Annotated[str, Meta(pattern=UUID)]
UserId = Annotated[str, Meta(min_length=4, max_length=254, pattern=USER_ID)]
ProjectId = Annotated[str, Meta(min_length=4, max_length=254, pattern=PROJECT_ID)]
RoleName = Annotated[str, Meta(min_length=4, max_length=254, pattern=PROJECT_ID)]
ResourceName = Annotated[str, Meta(min_length=4, max_length=254, pattern=NAME)]
EndpointPath = Annotated[str, Meta(min_length=4, max_length=256, pattern=ENDPOINT)]
ColumnName = Annotated[str, Meta(pattern=NAME)]
ChecksumText = Annotated[str, Meta(pattern=CHECKSUM)]
Base64Secret = Annotated[str, Meta(min_length=8, max_length=4096, pattern=BASE64)]
PlainSecret = Annotated[str, Meta(min_length=8, max_length=4096)]
