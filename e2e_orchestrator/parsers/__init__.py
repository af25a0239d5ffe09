"""From evidence to cases: one file per format, no policy."""
