"""Metrics, benchmarks, bag replay and reports."""
