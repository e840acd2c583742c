"""The parser: an English instruction to a program, by a small transformer whose output the grammar constrains."""
