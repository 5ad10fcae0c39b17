// Wallets in this browser, by the Wallet Standard: each announces itself, before or after the page has loaded. Only those are listed
// that can connect, sign messages and sign transactions on Solana. What a wallet says of itself is shown as text and image, never as HTML.

const CONNECT = "standard:connect";
const EVENTS = "standard:events";
const SIGN_MESSAGE = "solana:signMessage";
const SIGN_TRANSACTION = "solana:signTransaction";

/** The wallet was closed, refused, or has no account to use; its own words are the message. */
export class WalletRefused extends Error {
  constructor(cause, message = "The wallet refused.") {
    super(cause?.message || message, { cause });
    this.name = "WalletRefused";
  }
}

function usable(wallet) {
  const { features = {}, chains = [] } = wallet;
  return chains.some((chain) => chain.startsWith("solana:")) && [CONNECT, SIGN_MESSAGE, SIGN_TRANSACTION].every((name) => name in features);
}

/** Follow the wallets that announce themselves; `found(list)` is called with all of them whenever that changes. */
export function discover(found) {
  const wallets = new Set();
  const register = (...announced) => {
    for (const wallet of announced) if (usable(wallet)) wallets.add(wallet);
    found([...wallets]);
    return () => {
      for (const wallet of announced) wallets.delete(wallet);
      found([...wallets]);
    };
  };
  const api = Object.freeze({ register });
  addEventListener("wallet-standard:register-wallet", ({ detail }) => detail(api));
  dispatchEvent(new CustomEvent("wallet-standard:app-ready", { detail: api }));
  found([...wallets]);
}

/** One account of a connected wallet: its address, and what it signs. */
export class Connection {
  constructor(wallet, account) {
    this.wallet = wallet;
    this.account = account;
    this.address = account.address;
  }

  /** Return the signature (64 bytes) of a message, as UTF-8. */
  async signMessage(text) {
    const message = new TextEncoder().encode(text);
    const [{ signature }] = await asked(() => this.wallet.features[SIGN_MESSAGE].signMessage({ account: this.account, message }));
    return signature;
  }

  /** Return the transaction (bytes) with the wallet's signature in its place. */
  async signTransaction(transaction, chain) {
    const [{ signedTransaction }] = await asked(() =>
      this.wallet.features[SIGN_TRANSACTION].signTransaction({ account: this.account, transaction, chain }),
    );
    return signedTransaction;
  }

  /** Call back when the wallet goes to another account, or away. */
  onChange(changed) {
    this.wallet.features[EVENTS]?.on("change", ({ accounts }) => {
      if (accounts && !accounts.some(({ address }) => address === this.address)) changed();
    });
  }
}

/** Connect; with `wanted` the account of that address where the wallet offers it. Silently: only if the wallet knows this page. */
export async function connect(wallet, { wanted = "", silent = false } = {}) {
  const { accounts } = await asked(() => wallet.features[CONNECT].connect({ silent }));
  const account = accounts.find(({ address }) => address === wanted) ?? accounts[0];
  if (!account) throw new WalletRefused(null, "The wallet offered no account.");
  return new Connection(wallet, account);
}

async function asked(action) {
  try {
    return await action();
  } catch (error) {
    throw new WalletRefused(error);
  }
}
