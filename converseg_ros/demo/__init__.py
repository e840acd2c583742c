"""What `converseg demo` records and writes."""
