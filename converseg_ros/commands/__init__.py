"""The commands of `converseg`, a module each: `configure(parser)` adds arguments, `run(args)` gives the exit code."""
