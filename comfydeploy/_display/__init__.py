"""The display of values: short texts, cards for notebooks, live progress, and the contact sheet of a map.

It is loaded when the first value is shown.
"""
