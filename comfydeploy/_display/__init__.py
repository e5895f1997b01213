"""How values show themselves: short texts, cards for notebooks, live progress, and the contact sheet of a map.

Nothing of it is loaded before a value is shown.
"""
