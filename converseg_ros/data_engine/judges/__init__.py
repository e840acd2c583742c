"""The judges: exact ones over facts, and a vision-language model."""
