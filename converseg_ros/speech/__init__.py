"""Speech recognition: from audio to text."""
