"""The real server beside a model of plain Python values."""
