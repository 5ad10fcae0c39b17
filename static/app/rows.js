// Tables of markets that follow their tickers while they can be seen.

import { showRow } from "./ticker.js";

export class MarketRows {
  #handles = [];
  #seen = new Map();

  constructor({ feed, table }) {
    this.feed = feed;
    this.table = table;
  }

  start() {
    this.stop();
    for (const row of this.table.querySelectorAll("tr[data-market]")) {
      const market = row.dataset.market;
      this.#handles.push(this.feed.subscribe({ channel: "ticker", market }, ({ ticker }) => this.#show(row, ticker)));
    }
  }

  stop() {
    for (const handle of this.#handles) handle.cancel();
    this.#handles = [];
  }

  #show(row, ticker) {
    showRow(row, ticker, this.#seen.get(ticker.market));
    this.#seen.set(ticker.market, ticker);
  }
}
