"""The task `parser`: instructions to programs, on texts from programs.phrasing and of people, without images."""
