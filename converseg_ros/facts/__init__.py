"""Facts about a view, computed on arrays: geometry, relations, and the execution of programs on them."""
