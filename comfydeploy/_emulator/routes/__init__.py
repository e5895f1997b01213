"""The routes of the server: what is asked, and how it is answered."""
