// The chart panel: candles, controls, and what the account has in this market.

import { api } from "./api.js";
import { Candles } from "./candles.js";
import { Chart } from "./chart.js";
import { ChartBar } from "./chartbar.js";
import { chartLines } from "./orders.js";
import { toast } from "./toast.js";

const MOST_MARKS = 200;

export class PriceChart {
  #marks = [];
  #markPrice = null;

  constructor({ root, feed, units, urls }) {
    this.root = root;
    this.feed = feed;
    this.units = units;
    this.candles = new Candles({
      feed,
      url: urls.candles,
      market: units.symbol,
      onLoaded: (last) => this.#loaded(last),
      onBar: (last) => this.#describe(last),
      onFailed: (error) => toast({ title: "The chart has no history", text: error.message, kind: "bad" }),
    });
    this.chart = new Chart({ mount: root.querySelector("[data-chart-canvas]"), units, candles: this.candles });
    new ChartBar({ root, chart: this.chart });
  }

  get drawings() {
    return this.chart.drawings;
  }

  /** Draw an account's lines, now and when it changes, and its fills of this market. */
  follow(account) {
    const draw = () => this.chart.setLines(chartLines(account, this.units, this.#markPrice));
    account.addEventListener("change", ({ detail: { fills } }) => {
      draw();
      this.#mark(fills.filter(({ market }) => market === this.units.symbol));
    });
    document.body.addEventListener("order:unmoved", () => this.chart.redraw());
    this.feed.subscribe({ channel: "ticker", market: this.units.symbol }, ({ ticker }) => {
      this.#markPrice = ticker.mark_price;
      draw();
    });
    draw();
    this.#loadFills();
  }

  async #loadFills() {
    const query = new URLSearchParams({ market: this.units.symbol, limit: MOST_MARKS });
    const { results } = await api(`/api/v1/fills/?${query}`);
    this.#mark(results.reverse());
  }

  #mark(fills) {
    if (!fills.length) return;
    this.#marks = [...this.#marks, ...fills].slice(-MOST_MARKS);
    this.chart.setMarks(this.#marks);
  }

  #loaded(last) {
    this.root.querySelector("[data-chart-skeleton]").hidden = true;
    this.chart.setMarks(this.#marks);
    if (last) this.#describe(last);
  }

  #describe({ close }) {
    const price = this.units.price.format(this.units.price.fromWire(String(close)));
    this.chart.describe(`${this.units.symbol} candles of ${this.candles.interval}, last price ${price}`);
  }
}
