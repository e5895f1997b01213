"""The protocol without I/O: what to send, when to send it again, what a response means. Pure, private."""
