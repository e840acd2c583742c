"""Networks that look for what a program names: a detector or a vision-language model, and SAM 2."""
