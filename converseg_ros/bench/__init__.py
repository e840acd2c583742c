"""Benchmarks of `converseg bench`, one module for each part."""
