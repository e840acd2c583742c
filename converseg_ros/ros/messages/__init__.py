"""Conversion between messages and plain types."""
