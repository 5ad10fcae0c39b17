"""A wallet for tests: announces itself by the Wallet Standard as an extension would, and signs with a key that the test knows.

wallet = TestWallet.install(visitor.context)
wallet.refuse(page)          # the person presses Reject from now on
"""

import json
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page
from solders.keypair import Keypair

NAME = "Test Wallet"
PKCS8 = "302e020100300506032b657004220420"
SCRIPT = """
(() => {
  const given = __GIVEN__;
  const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const key = crypto.subtle?.importKey("pkcs8", bytes(given.pkcs8), "Ed25519", false, ["sign"]);
  const sign = async (data) => new Uint8Array(await crypto.subtle.sign("Ed25519", await key, data));
  const chains = ["solana:localnet", "solana:devnet"];
  const account = { address: given.address, publicKey: bytes(given.publicKey), chains, features: ["solana:signTransaction"] };
  const asked = () => { if (globalThis.walletRefuses) throw new Error("User rejected the request."); };
  let accounts = [];
  const features = {
    "standard:connect": { version: "1.0.0", connect: async ({ silent } = {}) => {
      if (silent && !sessionStorage.getItem("test-wallet")) return { accounts };
      asked();
      sessionStorage.setItem("test-wallet", "known");
      accounts = [account];
      return { accounts };
    } },
    "standard:events": { version: "1.0.0", on: () => () => {} },
    "solana:signMessage": { version: "1.0.0", signMessage: async (...inputs) => {
      asked();
      return Promise.all(inputs.map(async ({ message }) => ({ signedMessage: message, signature: await sign(message) })));
    } },
    "solana:signTransaction": { version: "1.0.0", supportedTransactionVersions: ["legacy", 0], signTransaction: async (...inputs) => {
      asked();
      return Promise.all(inputs.map(async ({ transaction }) => {
        const signed = Uint8Array.from(transaction);
        signed.set(await sign(transaction.subarray(65)), 1);
        return { signedTransaction: signed };
      }));
    } },
  };
  const icon = "data:image/gif;base64,R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=";
  const wallet = { version: "1.0.0", name: given.name, icon, chains, features, get accounts() { return accounts; } };
  const register = ({ register: take }) => take(wallet);
  addEventListener("wallet-standard:app-ready", ({ detail }) => register(detail));
  dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail: register }));
})();
"""


@dataclass(frozen=True, kw_only=True)
class TestWallet:
    __test__ = False

    key: Keypair
    name: str = NAME

    @classmethod
    def install(cls, context: BrowserContext, key: Keypair | None = None) -> "TestWallet":
        """Put a wallet into every page that the context opens from now on."""
        wallet = cls(key=key or Keypair())
        context.add_init_script(SCRIPT.replace("__GIVEN__", json.dumps(wallet.given)))
        return wallet

    @property
    def address(self) -> str:
        return str(self.key.pubkey())

    @property
    def given(self) -> dict[str, str]:
        seed = bytes(self.key)[:32]
        return {"name": self.name, "address": self.address, "publicKey": bytes(self.key.pubkey()).hex(), "pkcs8": PKCS8 + seed.hex()}

    def refuse(self, page: Page) -> None:
        page.evaluate("globalThis.walletRefuses = true")

    def agree(self, page: Page) -> None:
        page.evaluate("globalThis.walletRefuses = false")
