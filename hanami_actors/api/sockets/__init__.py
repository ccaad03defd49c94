"""Websockets: the handshake, uploads, direct IO."""
