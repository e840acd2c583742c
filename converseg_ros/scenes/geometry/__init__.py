"""Meshes, shapes and ray casting."""
