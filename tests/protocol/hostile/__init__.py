"""Clients that want to harm, or that are broken."""
