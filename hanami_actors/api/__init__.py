"""The transport: one table of endpoints, one HTTP handler, one websocket handler, no state of its own."""
