"""One file a node: wiring only."""
