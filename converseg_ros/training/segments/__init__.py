"""Training of the segments' networks: boundaries on rooms and photographs, then the quality of segments."""
