"""Discoveries as JSON."""
