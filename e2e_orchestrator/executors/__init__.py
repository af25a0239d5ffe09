"""Execute attempts: on this machine, later on others."""
