"""The network of kind `things`: parts, programs of texts, execution, and the existence of a target."""
