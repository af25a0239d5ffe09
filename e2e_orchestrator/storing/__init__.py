"""Puts what attempts leave into a bucket, beside the tests: whatever becomes of it, no verdict changes."""
