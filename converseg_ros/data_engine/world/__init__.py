"""What is known of an image without looking at it: entities with exact masks and facts, and where they come from."""
