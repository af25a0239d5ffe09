"""Puts the runs of the shards of one plan together: proves that they are the whole, and makes one run of them."""
