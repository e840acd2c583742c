"""Training of the parser (network/parser) on texts from programs.phrasing, without images."""
