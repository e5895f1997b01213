"""Server-sent events as the standard of the WHATWG has them, written to be compared with it and not to be fast.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""


def lines_of(stream):
    """Return the lines of a stream, which end with a CRLF pair, a single LF or a single CR; the last may not end."""
    text = stream.decode("utf-8", "replace")
    text = text.removeprefix("\ufeff")
    lines, line, place = [], "", 0
    while place < len(text):
        if text[place] == "\r":
            lines, line = [*lines, line], ""
            if text[place + 1 : place + 2] == "\n":
                place += 1
        elif text[place] == "\n":
            lines, line = [*lines, line], ""
        else:
            line += text[place]
        place += 1
    return lines


def standard_events(stream):
    """Return the type and the data of each event that a stream dispatches; an unfinished event is discarded."""
    events, data, kind = [], "", ""
    for line in lines_of(stream):
        if line == "":
            if data != "":
                events.append((kind or "message", data.removesuffix("\n")))
            data, kind = "", ""
        elif line.startswith(":"):
            pass
        else:
            field, value = line, ""
            if ":" in line:
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
            if field == "event":
                kind = value
            elif field == "data":
                data += value + "\n"
            # "id" and "retry" change the connection and not the event, any other field is ignored.
    return events
