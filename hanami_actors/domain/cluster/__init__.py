"""Clusters: a template, a queue of tasks and the history of the network they trained."""
