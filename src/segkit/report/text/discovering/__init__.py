"""Discoveries as tables."""
