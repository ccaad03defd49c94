"""Client library of hanami_actors; talks HTTP and websockets only."""

__version__ = "0.5.0"
