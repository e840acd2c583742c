"""Messages made from plain types and back."""
