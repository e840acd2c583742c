"""The five stages, one module each."""
