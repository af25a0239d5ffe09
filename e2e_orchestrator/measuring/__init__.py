"""What all attempts of a run reached together."""
