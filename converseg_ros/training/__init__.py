"""Training: one loop (loop.py) for all tasks (task.py), each in a folder of its own."""
