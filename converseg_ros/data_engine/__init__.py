"""The five stages that make prompt-mask pairs without human labels."""
