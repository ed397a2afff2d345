"""Tests that segkit has not drawn: a file says who was in which group."""
