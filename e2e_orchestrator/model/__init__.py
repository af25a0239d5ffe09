"""The frozen vocabulary of a run: no input, no output, no policy."""
