"""The command ``hanami-log``: looks at the data directory of a server, also while it runs."""
