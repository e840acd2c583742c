"""Training of the parser (network/parser) from texts that programs.phrasing makes: no picture is needed."""
