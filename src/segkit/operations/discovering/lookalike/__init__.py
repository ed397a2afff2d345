"""`segkit lookalike`: the picture of a segment as a card of points, and who resembles its members."""
