"""Streamer studio: brand kits, Twitch artwork and coaching tips, small enough to read in one sitting."""

__version__ = "1.0.0"
