"""The five stages, each a module."""
