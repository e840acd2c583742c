"""The task `segments`: boundaries on rooms and photographs, then the quality of segments."""
