"""A running segmenter node as tools of language-model agents: plain verbs, and an MCP server of them."""
