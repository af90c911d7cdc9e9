# pyarrow ships no types, and the stubs on PyPI are of a much older version and refuse calls that are right.
from typing import Any

def __getattr__(name: str) -> Any: ...
