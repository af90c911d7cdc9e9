"""Batches and contexts for the tests of the decisions: a few cells, the standard profile, a day in November 2026."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import yaml

from sluice.batch import Batch, empty_rejects, empty_set_asides
from sluice.normalization import Context, NormalizationRules
from sluice.rules import Rules, SourceRules
from sluice.schema import Fields
from sluice.validation import ValidationRules

_STANDARD = Path(__file__).parents[2] / "config" / "profiles" / "standard"
_Model = TypeVar("_Model", bound=Rules)


@cache
def _load(name: str, model: type[_Model]) -> _Model:
    return model.model_validate(yaml.safe_load((_STANDARD / name).read_text("utf-8")))


def fields(*switched_on: str) -> Fields:
    """The standard fields, some of the optional ones switched on."""
    known = _load("fields.yml", Fields)
    on = {
        name: rules.model_copy(update={"enabled": True}) for name, rules in known.fields.items() if name in switched_on
    }
    return known.model_copy(update={"fields": {**known.fields, **on}})


def normalization_rules() -> NormalizationRules:
    """The standard profile's normalization.yml."""
    return _load("normalization.yml", NormalizationRules)


def validation_rules() -> ValidationRules:
    """The standard profile's validation.yml."""
    return _load("validation.yml", ValidationRules)


def context(*switched_on: str, source: Mapping[str, Any] | None = None, **known: Any) -> Context:
    """A context of the standard profile: 22 November 2026, Berlin."""
    rules = SourceRules.model_validate({"name": "fair", **(source or {})})
    stated: dict[str, Any] = {
        "as_of": datetime(2026, 11, 22, 12, tzinfo=UTC),
        "business_timezone": "Europe/Berlin",
        **known,
    }
    return Context(fields=fields(*switched_on), rules=normalization_rules(), source=rules, **stated)


def batch(**columns: Sequence[str | None]) -> Batch:
    """A batch as `read` delivers it: one column of raw cells per field."""
    count = max((len(cells) for cells in columns.values()), default=0)
    leads = pd.DataFrame({"row": range(1, count + 1), "line": range(2, count + 2)}, dtype="int64")
    records = [[cells[place] or "" for cells in columns.values()] for place in range(count)]
    leads["record"] = pd.Series(records, index=leads.index, dtype=object)
    leads["raw"] = pd.Series([None] * count, index=leads.index, dtype=object)
    leads["extra"] = pd.Series(None, index=leads.index, dtype="str")
    leads["warnings"] = pd.Series([""] * count, index=leads.index, dtype="str")
    for name, cells in columns.items():
        leads[f"raw_{name}"] = pd.Series([cell or None for cell in cells], index=leads.index, dtype="str")
    return Batch(leads, empty_rejects(), empty_set_asides())


def shown(value: Any) -> Any:
    """A cell for comparing: None for every kind of missing."""
    return value if isinstance(value, list) else None if pd.isna(value) else value
