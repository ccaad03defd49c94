"""Actors over Pykka: bounded inboxes, futures with callbacks, what happens when something fails."""
