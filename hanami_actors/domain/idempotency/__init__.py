"""Keys by which clients repeat a call without doing twice what it does."""
