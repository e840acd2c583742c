"""Execution of a program on facts: degrees, areas, the decision and its explanation."""
