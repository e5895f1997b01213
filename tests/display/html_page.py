"""A parser of HTML pages for tests."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """The tags, the texts and the addresses of a page; every tag is closed."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.texts, self.parents, self.addresses = [], [], [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("href", "src")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("img", "input", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def of(self, tag):
        """Return the texts in all elements of a kind."""
        return [text for text, parent in zip(self.texts, self.parents, strict=True) if parent == tag]

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.texts.append(data)
            self.parents.append(self.open[-1] if self.open else "")
