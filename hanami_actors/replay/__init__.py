"""Computing a network again: the way to any moment of a cluster, shared by the server and its tools."""
