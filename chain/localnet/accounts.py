"""Accounts as each commitment level sees them: the versions that are not yet final, and the last final one."""

from collections.abc import Callable, Iterator

from solders.account import Account
from solders.pubkey import Pubkey

Version = tuple[int, Account | None]  # the slot that wrote it, and the account; None when it was closed


class AccountStore:
    """`original` gives an account that no transaction has touched: the built-in programs and sysvars."""

    def __init__(self, original: Callable[[Pubkey], Account | None]) -> None:
        self._versions: dict[Pubkey, list[Version]] = {}
        self._original = original

    def write(self, key: Pubkey, account: Account | None, *, slot: int, final_slot: int) -> None:
        versions = self._versions.setdefault(key, [(-1, self._original(key))])
        if versions[-1][0] == slot:
            versions.pop()
        versions.append((slot, account))
        while len(versions) > 1 and versions[1][0] <= final_slot:
            versions.pop(0)

    def remember_original(self, key: Pubkey) -> None:
        """Call this before a transaction writes: afterwards the original cannot be asked for any more."""
        if key not in self._versions:
            self._versions[key] = [(-1, self._original(key))]

    def at(self, key: Pubkey, slot: int) -> Account | None:
        for written, account in reversed(self._versions.get(key, ())):
            if written <= slot:
                return account
        return None if key in self._versions else self._original(key)

    def latest(self) -> Iterator[tuple[Pubkey, Account | None]]:
        """Return every account that was ever written, as it is now."""
        for key, versions in self._versions.items():
            yield key, versions[-1][1]

    def owned_by(self, owner: Pubkey, slot: int) -> Iterator[tuple[Pubkey, Account]]:
        for key in self._versions:
            account = self.at(key, slot)
            if account is not None and account.owner == owner:
                yield key, account

    def written_after(self, slot: int) -> list[Pubkey]:
        return [key for key, versions in self._versions.items() if versions[-1][0] > slot]

    def roll_back(self, key: Pubkey, slot: int) -> Account | None:
        """Forget what blocks after `slot` wrote; returns what is left."""
        versions = self._versions[key]
        while len(versions) > 1 and versions[-1][0] > slot:
            versions.pop()
        return versions[-1][1]
