"""Object models: catalogue models and procedural ones, their categories, colours and textures."""
