"""Strategies of JSON as the service might send it: any values under the names that the models know."""

import importlib
import json
import pkgutil
from pathlib import Path

from attrs import fields, has
from hypothesis import settings
from hypothesis import strategies as st

from comfydeploy import funcs, models
from comfydeploy.models.document import Document
from comfydeploy.models.secret import Secret

CORPUS = json.loads((Path(__file__).with_name("corpus.json")).read_text(encoding="utf-8"))
"""What failed once, or is of interest: by test, each with its reason."""

MODELS = sorted(
    {
        one
        for module in pkgutil.iter_modules(models.__path__)
        for one in vars(importlib.import_module(f"comfydeploy.models.{module.name}")).values()
        if has(one) and issubclass(one, Document) and one is not Document
    },
    key=lambda model: model.__name__,
)
OPERATIONS = sorted(
    {
        module.OPERATION.id: module.OPERATION
        for module in (
            importlib.import_module(f"comfydeploy.funcs.{one.name}") for one in pkgutil.iter_modules(funcs.__path__)
        )
        if hasattr(module, "OPERATION")
    }.values(),
    key=lambda operation: operation.id,
)

FEWER = settings(max_examples=max(settings.default.max_examples // 5, 5))
"""A fifth of the examples of any profile, since these take long."""

TEXTS = st.text(max_size=8) | st.sampled_from(
    [
        "success",
        "failed",
        "running",
        "2026-03-14T09:26:53Z",
        "2026-03-14T09:26Z",
        "1.5",
        "https://h/f.png?a=b",
        "\ud800",
        "\0",
    ]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, 1, -1, 2**63, 10**30, 1e308])
NAMES = st.sampled_from(sorted({one.name for model in MODELS for one in fields(model)} | {"images", "error", "url"}))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=5),
    max_leaves=12,
)


@st.composite
def documents(draw, model):
    """Draw an object with the fields of a model: each with a value of its kind, or with any value."""
    document = draw(st.dictionaries(TEXTS, VALUES, max_size=2))
    for one in fields(model):
        if one.name != "raw" and draw(st.integers(0, 3)):
            document[one.name] = draw(
                TEXTS if "str" in str(one.type) else NUMBERS if "float" in str(one.type) else VALUES
            )
    return document


def plain(value):
    """Return a value with what a secret hides, in a form in which 1 is not True and NaN equals NaN."""
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else repr(value)
