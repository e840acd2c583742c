"""Prompts that a world supports, written by rules."""
