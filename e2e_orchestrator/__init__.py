"""Runs pytest and Playwright suites in phases against a real stack, and says go or no go."""

__version__ = "0.1.0"
