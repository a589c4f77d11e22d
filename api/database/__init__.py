"""The Trove-shaped v1.0 API."""
