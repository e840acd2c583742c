"""Geometry of a view: planes, measures of regions, their neighbours and contacts."""
