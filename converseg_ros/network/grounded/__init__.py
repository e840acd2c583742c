"""Networks that search for the nouns of a program: a detector or a vision-language model, and SAM 2."""
