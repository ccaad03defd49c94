"""What was called and what failed; kept for a while, apart from what the server is made of."""
