"""Camera input of a node: subscriptions, synchronisation, transforms and replay."""
