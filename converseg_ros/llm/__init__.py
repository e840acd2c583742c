"""Language models behind one interface: over HTTP or in a local folder, with a cache and a budget."""
