"""Steps of connections, computed between the slices of tasks."""
