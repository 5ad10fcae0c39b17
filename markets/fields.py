"""Decoding of what callers send: bodies and query strings become typed structs, or a refusal that names the field."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from markets.errors import DomainError

T = TypeVar("T")
MAX_ECHO = 64
MAX_DIGITS = 18

_PATH = re.compile(r" - at `\$\.?(?P<path>.*)`$", re.DOTALL)
_QUOTED = re.compile(r"[`'](?P<name>.*)[`']", re.DOTALL)


class InvalidField(DomainError):
    """One field of a request is wrong. `data` holds `field`, and where they are known `value` and what would be right."""

    def __init__(self, code: str, message: str, *, field: str, **data: Any) -> None:
        super().__init__(message, field=field, **data)
        self.code = code

    def under(self, prefix: str) -> "InvalidField":
        """Return the same refusal for a field of a nested object."""
        return InvalidField(self.code, self.message, **(self.data | {"field": f"{prefix}.{self.data['field']}"}))


class InvalidJson(DomainError):
    code = "INVALID_JSON"
    message = "The body is not valid JSON."


def echo(value: str) -> str:
    """Return what was given, short enough to send back."""
    return value if len(value) <= MAX_ECHO else value[: MAX_ECHO - 1] + "…"


def whole_number(text: str) -> int | None:
    """Read a number without a sign that fits into 64 bits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


def decode(data: bytes | str | msgspec.Raw, type_: type[T]) -> T:
    """Decode a JSON body; InvalidField or InvalidJson say what is wrong with it."""
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.ValidationError as error:
        raise _invalid_field(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidJson(reason=str(error)) from error
    except RecursionError as error:
        raise InvalidJson(reason="nested too deeply") from error


def convert(values: Mapping[str, str], type_: type[T]) -> T:
    """Convert a query string's values; InvalidField says which is wrong."""
    try:
        return msgspec.convert(values, type_, strict=False)
    except msgspec.ValidationError as error:
        refusal = _invalid_field(str(error))
        value = values.get(refusal.data["field"])
        raise refusal if value is None else _with_value(refusal, value) from error


def _with_value(refusal: InvalidField, value: str) -> InvalidField:
    return InvalidField(refusal.code, refusal.message, **(refusal.data | {"value": echo(value)}))


def _invalid_field(text: str) -> InvalidField:
    """Translate msgspec's message; its texts are pinned by a test, as the exact version is pinned too."""
    found = _PATH.search(text)
    path, problem = (found["path"], text[: found.start()]) if found else ("", text)
    quoted = _QUOTED.search(problem)
    name = quoted["name"] if quoted else ""
    inside = f"{path}.{name}" if path else name
    if problem.startswith("Object contains unknown field"):
        return InvalidField("UNKNOWN_FIELD", f"There is no field {echo(name)} here.", field=echo(inside))
    if problem.startswith("Object missing required field"):
        return InvalidField("FIELD_REQUIRED", f"{name} is required.", field=inside)
    if problem.startswith("Invalid"):
        return InvalidField("INVALID_CHOICE", f"{path} does not have one of its values.", field=path, value=echo(name))
    if "out of range" in problem or any(sign in problem for sign in (">= ", "<= ", "length ", "matching regex")):
        return InvalidField("OUT_OF_RANGE", f"{path or 'The body'}: {problem}.", field=path)
    return InvalidField("WRONG_TYPE", f"{path or 'The body'}: {problem}.", field=path)
