"""Who is calling: passphrases are checked once, tokens on every request."""
