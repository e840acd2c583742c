"""Recording and output of `converseg demo`."""
