"""One cluster: its stream, its queue of tasks, its connections."""
