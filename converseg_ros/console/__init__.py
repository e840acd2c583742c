"""The operator's page: its state, its drawing, and its server."""
