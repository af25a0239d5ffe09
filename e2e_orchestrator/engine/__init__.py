"""Decides: what may start, what is tried again, when it is over. Knows no process and no report."""
