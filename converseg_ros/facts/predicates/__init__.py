"""Degrees of statements about regions: states, relations, actions, colours, order."""
