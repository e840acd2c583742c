"""The commands of `converseg`, one module each, with `configure(parser)` and `run(args)`, the exit status."""
