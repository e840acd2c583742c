"""Build a scene from its seed: room, furniture, things, interactions, light and cameras."""
