// Bars for the chart: history from the API, the last bar from the socket, no more than a screen can use.

import { api } from "./api.js";

const PAGE = 500;
const MOST_BARS = 1500;
const FLUSH_EVERY_MS = 250;

function bar(candle) {
  return {
    timestamp: candle.opened_ms,
    open: Number(candle.open),
    high: Number(candle.high),
    low: Number(candle.low),
    close: Number(candle.close),
    volume: Number(candle.volume),
    turnover: Number(candle.quote_volume),
  };
}

/** A klinecharts data loader over one market: `getBars`, `subscribeBar`, `unsubscribeBar`. */
export class Candles {
  #loads = 0;
  #held = 0;
  #newest = 0;
  #handle = null;
  #pending = null;
  #timer = null;
  #push = null;
  #lost = false;

  constructor({ feed, url, market, onLoaded, onBar, onFailed }) {
    Object.assign(this, { feed, url, market, onLoaded, onBar, onFailed });
    this.interval = null;
    feed.addEventListener("state", () => this.#stateChanged());
  }

  /** Answer klinecharts' question for bars: the newest page, or the one before `timestamp`. */
  async getBars({ type, timestamp, callback }) {
    if (type === "backward") return callback([], false);
    const load = type === "init" ? (this.#loads += 1) : this.#loads;
    try {
      const bars = await this.#fetch(type === "init" ? { limit: PAGE } : { limit: PAGE, to: timestamp });
      if (load === this.#loads) this.#loaded(type, bars, callback);
    } catch (error) {
      if (load !== this.#loads) return;
      callback([], false);
      this.onFailed(error);
    }
  }

  subscribeBar({ callback }) {
    this.#push = callback;
    this.#handle = this.feed.subscribe({ channel: "candles", market: this.market, interval: this.interval }, ({ candle }) => {
      if (candle) this.#hold(bar(candle));
    });
  }

  unsubscribeBar() {
    this.#handle?.cancel();
    this.#handle = this.#pending = this.#push = null;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #loaded(type, bars, callback) {
    this.#held = type === "init" ? bars.length : this.#held + bars.length;
    const more = bars.length === PAGE && this.#held + PAGE <= MOST_BARS;
    callback(bars, { forward: more, backward: false });
    if (type !== "init") return;
    this.#newest = bars.at(-1)?.timestamp ?? 0;
    this.onLoaded(bars.at(-1));
  }

  async #fetch(query) {
    const parameters = new URLSearchParams({ interval: this.interval, ...query });
    const { results } = await api(`${this.url}?${parameters}`);
    return results.map(bar);
  }

  // The chart computes every indicator over every bar at each push, so pushes are few.
  #hold(latest) {
    if (latest.timestamp < this.#newest) return;
    if (this.#pending && this.#pending.timestamp !== latest.timestamp) this.#flush();
    this.#pending = latest;
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_EVERY_MS);
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const latest = this.#pending;
    this.#pending = null;
    if (!latest || !this.#push) return;
    this.#newest = latest.timestamp;
    this.#push(latest);
    this.onBar(latest);
  }

  // After a lost connection, whole bars may be missing: ask for what closed meanwhile.
  #stateChanged() {
    if (this.feed.state === "offline" || this.feed.state === "stale") this.#lost = true;
    if (!this.feed.live || !this.#lost) return;
    this.#lost = false;
    this.#catchUp();
  }

  async #catchUp() {
    if (!this.#push || !this.#newest) return;
    const load = this.#loads;
    const bars = await this.#fetch({ limit: PAGE }).catch(() => []);
    if (load !== this.#loads || !this.#push) return;
    for (const missed of bars.filter(({ timestamp }) => timestamp >= this.#newest)) this.#push(missed);
    if (!bars.length) return;
    this.#newest = Math.max(this.#newest, bars.at(-1).timestamp);
    this.onBar(bars.at(-1));
  }
}
