"""The proposers: mask candidates for regions."""
