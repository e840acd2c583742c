"""Rule-based prompts for a world."""
