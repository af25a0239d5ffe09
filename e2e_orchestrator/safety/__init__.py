"""What keeps a run from doing harm: secrets masked once, files written whole."""
