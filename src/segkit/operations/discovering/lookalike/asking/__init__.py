"""What the card may ask of customers: which columns, and where their values are cut."""
