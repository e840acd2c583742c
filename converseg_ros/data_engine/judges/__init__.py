"""The judges: exact ones that use facts, and vision-language models."""
