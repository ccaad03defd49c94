"""The endpoint table, one module per resource."""
