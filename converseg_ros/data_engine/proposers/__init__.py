"""The proposers: regions to mask candidates."""
