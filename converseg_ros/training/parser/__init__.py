"""The task `parser`: instructions to programs, on texts from programs.phrasing, without images."""
