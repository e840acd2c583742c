"""The data engine: generation of prompt-mask pairs without human labels in five stages."""
