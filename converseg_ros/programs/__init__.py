"""The program language: the meaning of an instruction as a typed, readable syntax tree."""
