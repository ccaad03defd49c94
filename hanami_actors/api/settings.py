"""Settings of the transport."""

from dataclasses import dataclass

__all__ = ["ApiSettings"]

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """Limits and times of the transport.

    Attributes
    ----------
    token_expire_s : int
        How long a login holds.
    token_cache_s : float
        How long a verified token is remembered.
    body_size_max_bytes : int
        Larger bodies are answered with 413.
    websocket_message_size_max_bytes : int
        A larger message closes the socket with 1009.
    websocket_count_max : int
        Further ones are refused with 429.
    websockets_per_user_max : int
        Further ones are refused in their handshake.
    websocket_ping_interval_s : float
        0 sends no pings.
    websocket_handshake_timeout_s : float
        How long a socket may be open without a valid first message.
    upload_chunks_in_flight_max, upload_bytes_in_flight_max : int
        What one upload socket may have on its way to the disk.
    upload_size_max_bytes : int
        Larger files are refused when they are announced.
    direct_steps_in_flight_max : int
        Steps that one direct session may have on their way before nothing more is read.
    direct_values_max : int
        Values of one message of direct IO.
    received_max_bytes : int
        What bodies and chunks of all clients together may take in memory.
    enforce_admin_rules : bool
        Whether rows for admins stay so whatever the policy file says.
    login_failures_max : int
        Failed logins a minute of one user from one address; 0 for any number.
    access_log : bool
    disk_thread_count : int
        Threads that read content for answers.
    download_stall_timeout_s : float
        A client that reads nothing of its answer for so long is cut off.
    """

    token_expire_s: int = 3600
    token_cache_s: float = 5.0
    body_size_max_bytes: int = 16 * MIB
    websocket_message_size_max_bytes: int = 16 * MIB
    websocket_count_max: int = 1024
    websockets_per_user_max: int = 128
    websocket_ping_interval_s: float = 30.0
    websocket_handshake_timeout_s: float = 60.0
    upload_chunks_in_flight_max: int = 32
    upload_bytes_in_flight_max: int = 16 * MIB
    upload_size_max_bytes: int = 10_000_000_000
    direct_steps_in_flight_max: int = 1024
    direct_values_max: int = 1_000_000
    received_max_bytes: int = 256 * MIB
    enforce_admin_rules: bool = True
    login_failures_max: int = 10
    access_log: bool = True
    disk_thread_count: int = 4
    download_stall_timeout_s: float = 300.0
