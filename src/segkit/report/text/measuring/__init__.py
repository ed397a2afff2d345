"""What came of customers and runs, as text."""
