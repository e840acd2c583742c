"""The operator's page: what it knows, how it is drawn, and its server."""
