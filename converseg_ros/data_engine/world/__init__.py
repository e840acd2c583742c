"""The annotations of an image: entities with exact masks and facts, and their sources."""
