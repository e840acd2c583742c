"""The camera side of a node: subscriptions, synchronisation, transforms and replay."""
