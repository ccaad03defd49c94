"""Hosts: the places where networks are computed."""
