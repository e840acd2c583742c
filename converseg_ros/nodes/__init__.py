"""The nodes, one module each; they connect topics, services and parameters to functions."""
