"""A running segmenter node as tools of language-model agents: Python functions, and an MCP server."""
