"""The HTTP interface, one module per feature."""
