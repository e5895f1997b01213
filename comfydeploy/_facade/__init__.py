"""The groups of the raising facade: one class each, one line a method."""
