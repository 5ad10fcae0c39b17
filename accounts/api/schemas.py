"""The shapes of API keys."""

from typing import Annotated

import msgspec


class CreateKey(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    label: str
    can_trade: bool = False
    account_id: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)] | None = None


class Key(msgspec.Struct, frozen=True):
    key_id: str
    account_id: int
    label: str
    can_trade: bool
    created_ms: int
    expires_ms: int | None
    last_used_ms: int | None


class CreatedKey(msgspec.Struct, frozen=True):
    """The only answer that ever holds the secret."""

    key_id: str
    account_id: int
    label: str
    can_trade: bool
    created_ms: int
    expires_ms: int | None
    last_used_ms: int | None
    secret: str


class KeyList(msgspec.Struct, frozen=True):
    results: list[Key]
