"""The parser: from an English instruction to a program, by a small transformer with grammar-constrained output."""
