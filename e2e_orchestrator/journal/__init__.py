"""The append-only event log of a run: the only truth; every report is a fold over it."""
