"""The page that shows runs to people, live."""
