"""The driver of maps: one loop, which makes its calls in the colour of the caller."""
