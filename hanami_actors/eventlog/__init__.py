"""The event log: the database of the server."""
