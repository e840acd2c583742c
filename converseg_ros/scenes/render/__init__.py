"""Render scenes to folders and bags."""
