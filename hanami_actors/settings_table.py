"""Every setting of the server, in one table: the annotated fields of ``Settings``.

The configuration file, the environment variables, the flags, ``--help`` and ``docs/settings.md``
are derived from it. To add a setting, add a field and run ``scripts/generate``.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, get_args, get_type_hints

from hanami_actors import __version__
from hanami_actors.settings_limits import GIB, MIB, LimitSettings
from hanami_actors.settings_rules import Rule, Setting, Value

__all__ = ["SETTINGS", "Settings"]


def _usable_cores(_: Mapping[str, Value]) -> Value:
    return len(os.sched_getaffinity(0))


def _kernel_cache_dir(_: Mapping[str, Value]) -> Value:
    # One cache per user and version, not per data directory: compiling takes ten seconds and more.
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hanami_actors" / f"kernels-{__version__}"


@dataclass(frozen=True, kw_only=True)
class Settings(LimitSettings):
    """The settings of a running server; made by `load`, in tests by `defaults`."""

    data_dir: Annotated[
        Path, Rule(default=Path("hanami-data"), meaning="Directory of everything the server keeps.")
    ]
    host: Annotated[
        str, Rule(default="127.0.0.1", meaning="Address to listen on; 0.0.0.0 for all of them.")
    ]
    port: Annotated[
        int, Rule(default=11418, minimum=0, maximum=65535, meaning="Port; 0 takes a free one.")
    ]
    tls_certificate: Annotated[
        Path | None,
        Rule(
            default=None,
            meaning="Certificate (PEM, with those between it and the root) for https and wss. "
            "Without it plain http.",
        ),
    ]
    tls_key: Annotated[
        Path | None,
        Rule(default=None, meaning="Key of the certificate (PEM, without a passphrase)."),
    ]
    token_expire_s: Annotated[
        int,
        Rule(
            default=3600, unit="s", minimum=1, maximum=31_536_000, meaning="How long a login holds."
        ),
    ]
    policy_file: Annotated[
        Path | None,
        Rule(default=None, meaning="Which role may call what. Without it the built-in policy."),
    ]
    enforce_admin_rules: Annotated[
        bool,
        Rule(
            default=True,
            meaning="Whether users and projects are managed by admins only, whatever the policy says. "
            "With no, the policy alone decides; the built-in one lets members assign projects.",
        ),
    ]
    slice_ms: Annotated[
        int,
        Rule(
            default=15,
            unit="ms",
            minimum=1,
            maximum=1000,
            meaning="How long a cluster trains before the next one has its turn.",
        ),
    ]
    cleanup_interval_s: Annotated[
        float,
        Rule(
            default=3600.0,
            unit="s",
            minimum=0.1,
            maximum=31_536_000,
            meaning="How often files are removed that nothing living names, and old snapshots.",
        ),
    ]
    cleanup_grace_s: Annotated[
        float,
        Rule(
            default=3600.0,
            unit="s",
            minimum=60.0,
            maximum=31_536_000,
            meaning="How old such a file must be, and for how long it must have been unneeded: what"
            " was deleted since, or found by the first look only, stays.",
        ),
    ]
    snapshot_interval_s: Annotated[
        float,
        Rule(
            default=10.0,
            unit="s",
            minimum=0.1,
            maximum=86_400,
            meaning="Time of training between two snapshots; after a crash this much is computed again.",
        ),
    ]
    progress_interval_s: Annotated[
        float,
        Rule(
            default=1.0,
            unit="s",
            minimum=0.1,
            maximum=86_400,
            meaning="Time of training between two records of its progress and running error; the first "
            "ones come sooner, so that a short training has a curve, too.",
        ),
    ]
    host_threads: Annotated[
        int,
        Rule(
            default=_usable_cores,
            default_text="one per usable core",
            minimum=1,
            maximum=1024,
            meaning="Worker threads of all CPU hosts; each trains one cluster at a time.",
        ),
    ]
    cpu_hosts: Annotated[
        int,
        Rule(
            default=1,
            minimum=1,
            maximum=256,
            meaning="CPU hosts that the cores and threads are split between; their uuids stay.",
        ),
    ]
    network_memory_max_bytes: Annotated[
        int,
        Rule(
            default=GIB,
            unit="bytes",
            minimum=16 * MIB,
            maximum=1024 * GIB,
            meaning="Networks kept in memory; beyond it the longest unused ones are put away.",
        ),
    ]
    map_size_bytes: Annotated[
        int,
        Rule(
            default=16 * GIB,
            unit="bytes",
            minimum=MIB,
            maximum=16 * 1024 * GIB,
            meaning="Address space of the event log at the start, not disk space; it grows.",
        ),
    ]
    kernel_cache_dir: Annotated[
        Path,
        Rule(
            default=_kernel_cache_dir,
            default_text="~/.cache/hanami_actors/kernels-VERSION",
            meaning="Directory of the compiled kernels; may be shared by servers of one user.",
        ),
    ]
    log_level: Annotated[
        str,
        Rule(
            default="info",
            choices=("debug", "info", "warning", "error"),
            meaning="What is written to standard error.",
        ),
    ]
    access_log: Annotated[
        bool, Rule(default=True, meaning="Whether every request is written to standard error.")
    ]
    audit_retention_days: Annotated[
        int,
        Rule(
            default=90,
            unit="days",
            minimum=1,
            maximum=36_500,
            meaning="How long the audit and the errors are kept.",
        ),
    ]
    audit_size_max_bytes: Annotated[
        int,
        Rule(
            default=GIB,
            unit="bytes",
            minimum=16 * MIB,
            maximum=1024 * GIB,
            meaning="What they may take on the disk; beyond it the oldest go before their time.",
        ),
    ]
    shutdown_timeout_s: Annotated[
        float,
        Rule(
            default=10.0,
            unit="s",
            minimum=0.1,
            maximum=3600,
            meaning="How long a stop waits for running requests and slices.",
        ),
    ]

    def shown(self) -> dict[str, str]:
        """Return all values as text, secret ones hidden; for the log."""
        return {
            setting.name: "(secret)" if setting.rule.secret else str(getattr(self, setting.name))
            for setting in SETTINGS
        }


def _table() -> tuple[Setting, ...]:
    rows = []
    hints = get_type_hints(Settings, include_extras=True)
    own = Settings.__annotations__
    for field in sorted(fields(Settings), key=lambda field: field.name not in own):
        kind, rule = get_args(hints[field.name])
        kinds = [part for part in get_args(kind) or (kind,) if part is not type(None)]
        rows.append(Setting(name=field.name, kind=kinds[0], rule=rule))
    return tuple(rows)


SETTINGS: tuple[Setting, ...] = _table()
"""All settings, in the order of the help and the documentation."""
