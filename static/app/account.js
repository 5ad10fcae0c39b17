// The signed-in account as the private stream tells it: positions, open orders, margin, fills.

import { accountChanged } from "./refresh.js";

const OPEN = new Set(["open", "untriggered"]);

function byKey(items, key) {
  return new Map(items.map((item) => [item[key], item]));
}

function keep(map, key, item, open) {
  if (open) map.set(key, item);
  else map.delete(key);
}

export class Account extends EventTarget {
  constructor(state) {
    super();
    this.#load(state);
  }

  /** Take a message of the account channel; `change` carries what happened, <body> hears that the tables are old. */
  take(message) {
    if (message.type === "snapshot") this.#load(message);
    else this.#update(message);
    const { fills = [], notices = [] } = message;
    const orders = message.type === "snapshot" ? [] : message.orders;
    this.dispatchEvent(new CustomEvent("change", { detail: { fills, orders, notices } }));
    accountChanged();
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
