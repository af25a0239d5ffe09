"""What earlier runs teach, derived from their journals: may be deleted at any time, and is made again."""
