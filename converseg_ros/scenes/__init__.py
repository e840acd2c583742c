"""Procedural rooms with exact labels: assets -> layout -> physics -> rendering -> scene folders."""
