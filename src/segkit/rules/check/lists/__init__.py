"""What `[output]` says about lists that are made for other programs: a header, a platform."""
