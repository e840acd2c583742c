"""The parts of the segmenter node."""
