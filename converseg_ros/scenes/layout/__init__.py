"""Build a scene from its seed: room, furniture, objects, interactions, light and cameras."""
