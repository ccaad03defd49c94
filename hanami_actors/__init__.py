"""Growing neural networks as a service: tornado transport, Pykka actors, an event log as database."""

__all__ = ["__version__"]

__version__ = "0.1.0"
