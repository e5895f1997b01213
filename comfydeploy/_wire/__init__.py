"""The protocol without I/O: what to send, when to send it again, what an answer means. Pure, private."""
