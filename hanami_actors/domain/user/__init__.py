"""Users: identity, passphrase hash, projects they are assigned to."""
