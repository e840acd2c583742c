"""Samples, masks and images of data sets, and their readers."""
