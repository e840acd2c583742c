"""The task `parser`: instructions to programs, on texts from programs.phrasing and from files, without images."""
