"""The task `names`: the head of the namer on cached features of labelled objects."""
