"""The data set folder, its exports and its pages."""
