"""What comes from outside, byte by byte: messages, tokens, policies, templates, files."""
