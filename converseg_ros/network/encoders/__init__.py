"""Image encoders, language encoders and detectors."""
