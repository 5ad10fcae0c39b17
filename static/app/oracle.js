// The oracle's panel: what the index is made of, live while the panel is open.

import { api } from "./api.js";
import { setText } from "./dom.js";

const ASK_EVERY_MS = 2000;
const TICK_MS = 1000;

const STATES = {
  valid: ["Valid", "Sources agree."],
  single: ["One source", "It moves the index by one per cent at a time at most."],
  uncertain: ["Uncertain", "Not sure enough to trade on: positions can be reduced, and orders rest."],
  disputed: ["Disputed", "Sources disagree: the mark stands still, and positions can only be reduced."],
  stale: ["Stale", "No source is fresh: the mark stands still, and positions can only be reduced."],
  halted: ["Halted", "The price is not used: orders can only be cancelled."],
};
const VERDICTS = {
  counted: "Counts",
  not_counted: "Shown only",
  too_old: "Too old",
  unknown_source: "Not a known source",
  not_positive: "Not a positive price",
  from_the_future: "From the future",
  not_newer: "Older than the last",
  too_uncertain: "Too uncertain",
  jump_unconfirmed: "A jump that nothing confirms",
};
const NAMES = {
  pyth: "Pyth",
  pyth_solana: "Pyth on Solana",
  pyth_legacy: "Pyth, first layout",
  coingecko: "CoinGecko",
  hermes: "Pyth Hermes",
  replay: "Replay",
  sim: "Simulation",
  simulation: "Simulation 1",
  simulation_2: "Simulation 2",
  simulation_3: "Simulation 3",
};
const PROVIDERS = { starting: "starting", ok: "answers", waiting: "has not answered yet", failing: "fails" };

/** Return a decimal for people, cut after four places unless it is below one: 96,400.5. */
function plain(text) {
  if (text === null) return "–";
  const [whole, fraction = ""] = text.split(".");
  const rest = fraction.slice(0, whole === "0" ? 8 : 4).replace(/0+$/, "");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest ? `${grouped}.${rest}` : grouped;
}

function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}

function cell(text, number = false) {
  const element = document.createElement("td");
  if (number) element.className = "number";
  element.textContent = text;
  return element;
}

export class OraclePanel {
  #end = null;
  #timers = [];
  #index = null;
  #asking = false;

  constructor({ dialog, feed }) {
    this.dialog = dialog;
    this.feed = feed;
    this.sources = dialog.querySelector("[data-oracle-sources]");
    this.providers = dialog.querySelector("[data-oracle-providers]");
    this.failed = dialog.querySelector("[data-oracle-failed]");
  }

  /** Follow the index while the dialog is open. */
  start() {
    if (this.#end) return;
    const subscription = this.feed.subscribe({ channel: "oracle", market: this.dialog.dataset.market }, ({ index }) => this.show(index));
    this.#end = () => subscription.cancel();
    this.#timers = [setInterval(() => this.#ask(), ASK_EVERY_MS), setInterval(() => this.#showAges(), TICK_MS)];
    this.#ask();
  }

  stop() {
    this.#end?.();
    this.#end = null;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  show(index) {
    this.#index = index;
    const [word, meaning] = STATES[index.state] ?? [index.state, ""];
    this.#field("state", word).dataset.oracle = index.state;
    const more = index.halt_reason ? ` ${index.halt_reason}.` : index.recovering ? " It recovers: the sources are good again." : "";
    this.#field("meaning", meaning + more);
    this.#field("price", plain(index.price));
    this.#field("confidence", index.confidence === null ? "–" : `± ${plain(index.confidence)}`);
    this.#field("stable_price", plain(index.stable_price));
    this.#field("max_age", age(index.max_age_ms));
    this.sources.replaceChildren(...this.#rows(index.sources));
  }

  #rows(sources) {
    if (!sources.length) {
      const none = cell("No source has published a price yet.");
      none.colSpan = 5;
      const row = document.createElement("tr");
      row.append(none);
      return [row];
    }
    return sources.map((source) => {
      const row = document.createElement("tr");
      const name = document.createElement("th");
      name.scope = "row";
      name.textContent = NAMES[source.source] ?? source.source;
      const verdict = cell(VERDICTS[source.verdict] ?? source.verdict);
      verdict.dataset.verdict = ["counted", "not_counted"].includes(source.verdict) ? source.verdict : "refused";
      const since = cell("–", true);
      if (source.published_ms) since.dataset.publishedMs = source.published_ms;
      row.append(name, cell(plain(source.price), true), cell(plain(source.confidence), true), since, verdict);
      this.#showAge(since);
      return row;
    });
  }

  #showAges() {
    for (const element of this.sources.querySelectorAll("[data-published-ms]")) this.#showAge(element);
  }

  #showAge(element) {
    const published = Number(element.dataset.publishedMs);
    if (published) setText(element, age(this.feed.serverNowMs() - published));
  }

  /** Ask how the providers do: the socket tells of prices only. */
  async #ask() {
    if (this.#asking || document.hidden) return;
    this.#asking = true;
    try {
      const { index, feed } = await api(this.dialog.dataset.oracleUrl);
      if (!this.#index) this.show(index);
      this.#showProviders(feed);
      this.failed.hidden = true;
    } catch (error) {
      setText(this.failed, `The oracle cannot be asked just now: ${error.message}`);
      this.failed.hidden = false;
    } finally {
      this.#asking = false;
    }
  }

  #showProviders(feed) {
    const lines = feed ? feed.providers.map((provider) => this.#provider(provider)) : [this.#line("The oracle process does not run.", true)];
    this.providers.replaceChildren(...lines);
  }

  #provider({ feed, status, code, reason, refused }) {
    const words = [`${NAMES[feed] ?? feed} ${PROVIDERS[status] ?? status}`];
    if (code) words.push(`${reason} (${code})`);
    if (refused.length) words.push(`refused: ${refused.map((one) => `${one.asset} ${one.reason}`).join(", ")}`);
    return this.#line(words.join(" · "), status === "failing" || status === "waiting");
  }

  #line(text, failing) {
    const line = document.createElement("li");
    line.textContent = text;
    line.classList.toggle("failing", failing);
    return line;
  }

  #field(name, text) {
    const element = this.dialog.querySelector(`[data-oracle-field="${name}"]`);
    setText(element, text);
    return element;
  }
}

/** Follow the index whenever the dialog is open. */
export function startOracle(feed) {
  const dialog = document.getElementById("oracle-dialog");
  if (!dialog) return;
  const panel = new OraclePanel({ dialog, feed });
  new MutationObserver(() => (dialog.open ? panel.start() : panel.stop())).observe(dialog, { attributeFilter: ["open"] });
}
