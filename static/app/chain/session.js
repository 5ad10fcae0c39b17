// The wallet of this browser, as the wallet page uses it: found, connected, and whether it is the linked one.

import { setText } from "../dom.js";
import { connect, discover } from "./wallets.js";

const REMEMBERED = "qd-wallet";
const part = (id) => document.getElementById(id);

/** `owner` is the linked wallet's address, or empty; `chosen(wallet)` is called when somebody presses a wallet's button. */
export class Session extends EventTarget {
  constructor({ owner, chosen }) {
    super();
    this.owner = owner;
    this.chosen = chosen;
    this.connection = null;
  }

  start() {
    discover((wallets) => this.#found(wallets));
    this.#show();
  }

  /** Connect to a wallet and remember it; with an owner, ask for that account. */
  async connect(wallet, { silent = false } = {}) {
    const connection = await connect(wallet, { wanted: this.owner, silent });
    this.connection = connection;
    connection.onChange(() => connection === this.connection && this.#left());
    localStorage.setItem(REMEMBERED, wallet.name);
    this.#show();
    return connection;
  }

  /** Whether the wallet that owns the account can sign here. */
  get ready() {
    return this.connection !== null && this.connection.address === this.owner;
  }

  #found(wallets) {
    const choices = part("wallet-choices");
    choices.replaceChildren(...wallets.map((wallet) => this.#button(wallet)));
    part("wallet-none").hidden = wallets.length > 0;
    this.#show();
    const known = wallets.find(({ name }) => name === localStorage.getItem(REMEMBERED));
    if (known && this.owner && !this.connection) this.connect(known, { silent: true }).catch(() => this.#show());
  }

  #button(wallet) {
    const button = part("wallet-choice").content.firstElementChild.cloneNode(true);
    if (wallet.icon?.startsWith("data:image/")) button.querySelector("img").src = wallet.icon;
    else button.querySelector("img").remove();
    setText(button.querySelector("span"), this.owner ? `Connect ${wallet.name}` : wallet.name);
    button.addEventListener("click", () => this.chosen(wallet));
    return button;
  }

  #left() {
    this.connection = null;
    this.#show();
  }

  #show() {
    const other = this.connection !== null && this.owner !== "" && !this.ready;
    setText(part("wallet-state"), this.ready ? `Connected by ${this.connection.wallet.name}` : "Not connected");
    if (part("wallet-other")) {
      part("wallet-other").hidden = !other;
      setText(part("wallet-other"), other ? `This browser’s wallet shows ${this.connection.address}. Switch to the linked address in it, then connect again.` : "");
      part("wallet-choices").hidden = this.ready;
      part("wallet-ready").hidden = !this.ready;
    }
    for (const button of document.querySelectorAll("[data-needs-wallet]")) button.disabled = !this.ready;
    const said = this.ready ? "Your wallet asks you to confirm." : "Connect your wallet to sign.";
    for (const text of document.querySelectorAll("[data-needs-wallet-text]")) setText(text, said);
    this.dispatchEvent(new CustomEvent("change"));
  }
}
