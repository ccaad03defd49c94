"""Settings that bound what clients may take: see docs/security.md for what each protects."""

from dataclasses import dataclass
from typing import Annotated

from hanami_actors.settings_rules import Rule

__all__ = ["GIB", "MIB", "LimitSettings"]

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """The part of the settings that are limits; `Settings` has them too."""

    login_failures_max: Annotated[
        int,
        Rule(
            default=10,
            minimum=0,
            maximum=100_000,
            meaning="Failed logins a minute of one user from one address, and ten times as many of "
            "all users from one address; more are refused with 429. 0 counts nothing.",
        ),
    ]
    connection_count_max: Annotated[
        int,
        Rule(
            default=10_000,
            unit="connections",
            minimum=8,
            maximum=1_000_000,
            meaning="Connections that may be open at the same time, websockets among them; more are "
            "refused with 503. The limit of open files is raised for them.",
        ),
    ]
    connection_idle_timeout_s: Annotated[
        float,
        Rule(
            default=600.0,
            unit="s",
            minimum=0.1,
            maximum=86_400,
            meaning="How long a connection may be idle, and how long the head of a request may take.",
        ),
    ]
    body_timeout_s: Annotated[
        float,
        Rule(
            default=600.0,
            unit="s",
            minimum=0.1,
            maximum=86_400,
            meaning="How long the body of a request may take.",
        ),
    ]
    body_size_max_bytes: Annotated[
        int,
        Rule(
            default=16 * MIB,
            unit="bytes",
            minimum=MIB,
            maximum=GIB,
            meaning="Largest body of a request.",
        ),
    ]
    websocket_message_size_max_bytes: Annotated[
        int,
        Rule(
            default=16 * MIB,
            unit="bytes",
            minimum=MIB,
            maximum=GIB,
            meaning="Largest message of a websocket.",
        ),
    ]
    websocket_count_max: Annotated[
        int,
        Rule(
            default=1024,
            unit="websockets",
            minimum=1,
            maximum=1_000_000,
            meaning="Websockets that may be open at the same time; more are refused with 429.",
        ),
    ]
    websockets_per_user_max: Annotated[
        int,
        Rule(
            default=128,
            unit="websockets",
            minimum=1,
            maximum=1_000_000,
            meaning="Websockets that one user may have open at the same time; more are refused with "
            "429.",
        ),
    ]
    websocket_handshake_timeout_s: Annotated[
        float,
        Rule(
            default=60.0,
            unit="s",
            minimum=0.1,
            maximum=3600,
            meaning="How long a websocket may be open without a valid first message.",
        ),
    ]
    websocket_ping_interval_s: Annotated[
        float,
        Rule(
            default=30.0,
            unit="s",
            minimum=0,
            maximum=3600,
            meaning="Time between two pings; who answers none is closed. 0 sends none.",
        ),
    ]
    client_stall_timeout_s: Annotated[
        float,
        Rule(
            default=300.0,
            unit="s",
            minimum=0.1,
            maximum=86_400,
            meaning="A client that takes nothing of its answer for so long is cut off.",
        ),
    ]
    received_max_bytes: Annotated[
        int,
        Rule(
            default=256 * MIB,
            unit="bytes",
            minimum=MIB,
            maximum=1024 * GIB,
            meaning="Large bodies and chunks of uploads that may be in memory at the same time, of "
            "all clients together; further bodies are refused with 503, uploads wait.",
        ),
    ]
    upload_size_max_bytes: Annotated[
        int,
        Rule(
            default=10_000_000_000,
            unit="bytes",
            minimum=1,
            maximum=10_000_000_000,
            meaning="Largest file that may be uploaded.",
        ),
    ]
    upload_expiry_s: Annotated[
        float,
        Rule(
            default=86_400.0,
            unit="s",
            minimum=0,
            maximum=31_536_000,
            meaning="An upload that gets no bytes for so long is given up; 0 waits for ever.",
        ),
    ]
    project_size_max_bytes: Annotated[
        int,
        Rule(
            default=0,
            unit="bytes",
            minimum=0,
            maximum=1024 * 1024 * GIB,
            meaning="What the datasets and uploads of a project may take; more is refused with 507. 0 "
            "for any size.",
        ),
    ]
    datasets_per_project_max: Annotated[
        int,
        Rule(
            default=10_000,
            unit="data-sets",
            minimum=1,
            maximum=10_000_000,
            meaning="Data-sets that a project may have, results among them; further uploads are "
            "refused with 429.",
        ),
    ]
    clusters_per_project_max: Annotated[
        int,
        Rule(
            default=1000,
            unit="clusters",
            minimum=1,
            maximum=1_000_000,
            meaning="Clusters that a project may have; more are refused with 429.",
        ),
    ]
    checkpoints_per_project_max: Annotated[
        int,
        Rule(
            default=10_000,
            unit="checkpoints",
            minimum=1,
            maximum=10_000_000,
            meaning="Checkpoints that a project may have; more are refused with 429.",
        ),
    ]
    queued_tasks_max: Annotated[
        int,
        Rule(
            default=1000,
            unit="tasks",
            minimum=1,
            maximum=1000,
            meaning="Tasks of one cluster that may wait; more are refused with 429.",
        ),
    ]
    uploads_per_user_max: Annotated[
        int,
        Rule(
            default=256,
            unit="files",
            minimum=2,
            maximum=1_000_000,
            meaning="Files that a user may have announced and not finalized; more are refused with "
            "429.",
        ),
    ]
    upload_share_max: Annotated[
        float,
        Rule(
            default=0.5,
            minimum=0.01,
            maximum=1.0,
            meaning="Share of the free disk space that the announced and unsent bytes of one user "
            "may reserve; more is refused with 507.",
        ),
    ]
    actor_count_max: Annotated[
        int,
        Rule(
            default=2000,
            unit="actors",
            minimum=8,
            maximum=100_000,
            meaning="Clusters and uploads that may be in use at the same time, a thread each; more "
            "are refused with 503. Those that rest, and tasks that wait, do not count.",
        ),
    ]
    disk_free_min_bytes: Annotated[
        int,
        Rule(
            default=256 * MIB,
            unit="bytes",
            minimum=0,
            maximum=1024 * 1024 * GIB,
            meaning="Disk space that uploads leave free for everything else.",
        ),
    ]
    inbox_len_max: Annotated[
        int,
        Rule(
            default=1024,
            unit="messages",
            minimum=8,
            maximum=1_000_000,
            meaning="Messages that may wait at an actor; more are refused with 503.",
        ),
    ]
