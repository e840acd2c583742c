"""Model folders: read, write, fetch, convert and check them."""
