// The signed-in account as the private stream tells it: positions, open orders, margin, fills.

import { throttle } from "./dom.js";

const LAZY_EVERY_MS = 1000;
const LAZY_PANELS = ["history", "fills", "funding"];
const OPEN = new Set(["open", "untriggered"]);

function byKey(items, key) {
  return new Map(items.map((item) => [item[key], item]));
}

function keep(map, key, item, open) {
  if (open) map.set(key, item);
  else map.delete(key);
}

function refreshVisiblePanel() {
  for (const name of LAZY_PANELS) {
    const panel = document.getElementById(`panel-${name}`);
    if (panel && !panel.hidden) panel.dispatchEvent(new CustomEvent("panel:refresh", { bubbles: true }));
  }
}

export class Account extends EventTarget {
  constructor(state) {
    super();
    this.#load(state);
    this.refreshLazy = throttle(LAZY_EVERY_MS, refreshVisiblePanel);
  }

  /** Take a message of the account channel; `change` carries what happened, <body> hears that the tables are old. */
  take(message) {
    if (message.type === "snapshot") this.#load(message);
    else this.#update(message);
    const { fills = [], notices = [] } = message;
    const orders = message.type === "snapshot" ? [] : message.orders;
    this.dispatchEvent(new CustomEvent("change", { detail: { fills, orders, notices } }));
    document.body.dispatchEvent(new CustomEvent("account:changed", { bubbles: true }));
    this.refreshLazy();
  }

  #load({ positions, orders, ...margin }) {
    this.positions = byKey(positions, "market");
    this.orders = byKey(orders, "order_id");
    this.margin = margin;
  }

  #update({ margin, positions, orders }) {
    this.margin = margin;
    for (const position of positions) keep(this.positions, position.market, position, /[1-9]/.test(position.size));
    for (const order of orders) keep(this.orders, order.order_id, order, OPEN.has(order.status));
  }
}
