"""The task `intents`: the property that a text asks for, on sentences of people and of programs.phrasing."""
