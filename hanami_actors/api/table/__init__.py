"""The table of endpoints, and what derives from it: routes, decoding, policy, documentation."""
