"""What answers are worth, fitted to customers, and how well that tells members from others."""
