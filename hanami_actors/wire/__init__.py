"""Bytes on the websocket: generated protobuf messages and their conversion."""
