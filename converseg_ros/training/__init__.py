"""Data sets, losses, curriculum and the training loop."""
