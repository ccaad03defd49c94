"""Every call of the REST interface, stated once: what is sent and what the answer means."""
