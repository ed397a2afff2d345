"""What is counted of customers for `check --data`."""
