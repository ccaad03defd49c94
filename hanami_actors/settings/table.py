"""Every setting of the server, in one table: the fields of ``Settings``.

The configuration file, the environment variables, the flags, ``--help`` and ``docs/settings.md``
follow from it, in its order. To add a setting, add a field, read it where it is needed and run
``scripts/generate``.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from hanami_actors import __version__
from hanami_actors.settings.setting import (
    Setting,
    choice,
    computed,
    limit,
    number,
    rows_of,
    value,
)

__all__ = ["SETTINGS", "Settings"]

MIB = 1024 * 1024
GIB = 1024 * MIB
TIB = 1024 * GIB
DAY_S = 86_400
YEAR_S = 365 * DAY_S


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0))


def _kernel_cache_dir() -> Path:
    # One cache per user and version, not per data directory: compiling takes ten seconds and more.
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hanami_actors" / f"kernels-{__version__}"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a running server; made by `load`, in tests by `defaults`."""

    data_dir: Path = value(Path("hanami-data"), "Directory of everything the server keeps.")
    host: str = value("127.0.0.1", "Address to listen on; 0.0.0.0 for all of them.")
    port: int = number(11418, "Port; 0 takes a free one.", 0, 65535)
    tls_certificate: Path | None = value(
        None,
        "Certificate (PEM, with those between it and the root) for https and wss. Without it "
        "plain http.",
    )
    tls_key: Path | None = value(None, "Key of the certificate (PEM, without a passphrase).")
    token_expire_s: int = number(3600, "How long a login holds.", 1, YEAR_S, "s")
    policy_file: Path | None = value(
        None, "Which role may call what. Without it the built-in policy."
    )
    enforce_admin_rules: bool = value(
        default=True,
        meaning="Whether users and projects are managed by admins only, whatever the policy says. With "
        "no, the policy alone decides; the built-in one lets members assign projects.",
    )
    slice_ms: int = number(
        15, "How long a cluster trains before the next one has its turn.", 1, 1000, "ms"
    )
    cleanup_interval_s: float = number(
        3600.0,
        "How often files are removed that nothing living names, and old snapshots.",
        0.1,
        YEAR_S,
        "s",
    )
    cleanup_grace_s: float = number(
        3600.0,
        "How old such a file must be, and for how long it must have been unneeded: what was "
        "deleted since, or found by the first look only, stays.",
        60.0,
        YEAR_S,
        "s",
    )
    snapshot_interval_s: float = number(
        10.0,
        "Time of training between two snapshots; after a crash this much is computed again.",
        0.1,
        DAY_S,
        "s",
    )
    progress_interval_s: float = number(
        1.0,
        "Time of training between two records of its progress and running error; the first ones "
        "come sooner, so that a short training has a curve, too.",
        0.1,
        DAY_S,
        "s",
    )
    host_threads: int = computed(
        _usable_cores,
        "one per usable core",
        "Worker threads of all CPU hosts; each trains one cluster at a time.",
        1,
        1024,
    )
    cpu_hosts: int = number(
        1, "CPU hosts that the cores and threads are split between; their uuids stay.", 1, 256
    )
    network_memory_max_bytes: int = number(
        GIB,
        "Networks kept in memory; beyond it the longest unused ones are put away.",
        16 * MIB,
        TIB,
        "bytes",
    )
    map_size_bytes: int = number(
        16 * GIB,
        "Address space of the event log at the start, not disk space; it grows.",
        MIB,
        16 * TIB,
        "bytes",
    )
    kernel_cache_dir: Path = computed(
        _kernel_cache_dir,
        "~/.cache/hanami_actors/kernels-VERSION",
        "Directory of the compiled kernels; may be shared by servers of one user.",
    )
    log_level: str = choice(
        "info", "What is written to standard error.", ("debug", "info", "warning", "error")
    )
    access_log: bool = value(
        default=True, meaning="Whether every request is written to standard error."
    )
    audit_retention_days: int = number(
        90, "How long the audit and the errors are kept.", 1, 36_500, "days"
    )
    audit_size_max_bytes: int = number(
        GIB,
        "What they may take on the disk; beyond it the oldest go before their time.",
        16 * MIB,
        TIB,
        "bytes",
    )
    shutdown_timeout_s: float = number(
        10.0, "How long a stop waits for running requests and slices.", 0.1, 3600, "s"
    )

    # What clients may take: docs/security.md tells what each of these protects.
    login_failures_max: int = limit(
        10,
        "Failed logins a minute of one user from one address, and ten times as many of all users "
        "from one address; more are refused with 429. 0 counts nothing.",
        0,
        100_000,
    )
    connection_count_max: int = limit(
        10_000,
        "Connections that may be open at the same time, websockets among them; more are refused "
        "with 503. The limit of open files is raised for them.",
        8,
        1_000_000,
        "connections",
    )
    connection_idle_timeout_s: float = limit(
        600.0,
        "How long a connection may be idle, and how long the head of a request may take.",
        0.1,
        DAY_S,
        "s",
    )
    body_timeout_s: float = limit(
        600.0, "How long the body of a request may take.", 0.1, DAY_S, "s"
    )
    body_size_max_bytes: int = limit(16 * MIB, "Largest body of a request.", MIB, GIB, "bytes")
    websocket_message_size_max_bytes: int = limit(
        16 * MIB, "Largest message of a websocket.", MIB, GIB, "bytes"
    )
    websocket_count_max: int = limit(
        1024,
        "Websockets that may be open at the same time; more are refused with 429.",
        1,
        1_000_000,
        "websockets",
    )
    websockets_per_user_max: int = limit(
        128,
        "Websockets that one user may have open at the same time; more are refused with 429.",
        1,
        1_000_000,
        "websockets",
    )
    websocket_handshake_timeout_s: float = limit(
        60.0, "How long a websocket may be open without a valid first message.", 0.1, 3600, "s"
    )
    websocket_ping_interval_s: float = limit(
        30.0, "Time between two pings; who answers none is closed. 0 sends none.", 0, 3600, "s"
    )
    client_stall_timeout_s: float = limit(
        300.0, "A client that takes nothing of its answer for so long is cut off.", 0.1, DAY_S, "s"
    )
    received_max_bytes: int = limit(
        256 * MIB,
        "Large bodies and chunks of uploads that may be in memory at the same time, of all "
        "clients together; further bodies are refused with 503, uploads wait.",
        MIB,
        TIB,
        "bytes",
    )
    upload_size_max_bytes: int = limit(
        10_000_000_000, "Largest file that may be uploaded.", 1, 10_000_000_000, "bytes"
    )
    upload_expiry_s: float = limit(
        86_400.0,
        "An upload that gets no bytes for so long is given up; 0 waits for ever.",
        0,
        YEAR_S,
        "s",
    )
    project_size_max_bytes: int = limit(
        0,
        "What the datasets and uploads of a project may take; more is refused with 507. 0 for any "
        "size.",
        0,
        1024 * TIB,
        "bytes",
    )
    datasets_per_project_max: int = limit(
        10_000,
        "Data-sets that a project may have, results among them; further uploads are refused with "
        "429.",
        1,
        10_000_000,
        "data-sets",
    )
    clusters_per_project_max: int = limit(
        1000,
        "Clusters that a project may have; more are refused with 429.",
        1,
        1_000_000,
        "clusters",
    )
    checkpoints_per_project_max: int = limit(
        10_000,
        "Checkpoints that a project may have; more are refused with 429.",
        1,
        10_000_000,
        "checkpoints",
    )
    queued_tasks_max: int = limit(
        1000, "Tasks of one cluster that may wait; more are refused with 429.", 1, 1000, "tasks"
    )
    uploads_per_user_max: int = limit(
        256,
        "Files that a user may have announced and not finalized; more are refused with 429.",
        2,
        1_000_000,
        "files",
    )
    upload_share_max: float = limit(
        0.5,
        "Share of the free disk space that the announced and unsent bytes of one user may "
        "reserve; more is refused with 507.",
        0.01,
        1.0,
    )
    actor_count_max: int = limit(
        2000,
        "Clusters and uploads that may be in use at the same time, a thread each; more are "
        "refused with 503. Those that rest, and tasks that wait, do not count.",
        8,
        100_000,
        "actors",
    )
    disk_free_min_bytes: int = limit(
        256 * MIB, "Disk space that uploads leave free for everything else.", 0, 1024 * TIB, "bytes"
    )
    inbox_len_max: int = limit(
        1024,
        "Messages that may wait at an actor; more are refused with 503.",
        8,
        1_000_000,
        "messages",
    )

    def shown(self) -> dict[str, str]:
        """Return all values as text, secret ones hidden; for the log."""
        return {
            setting.name: "(secret)" if setting.rule.secret else str(getattr(self, setting.name))
            for setting in SETTINGS
        }


SETTINGS: tuple[Setting, ...] = rows_of(Settings)
"""All settings, in the order of the help and the documentation."""
