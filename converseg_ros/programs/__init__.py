"""The program language: what an instruction asks for, as a typed syntax tree that a person can read."""
