"""Training of the segment networks: boundaries on rooms and photographs, then the quality of segments."""
