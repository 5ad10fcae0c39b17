// An account's part of one market: which of its orders rest in the book, and the lines that the chart draws.

import { api } from "./api.js";
import { format, fromWire, money, MINUS } from "./numbers.js";
import { toast } from "./toast.js";
import { QUOTE_DECIMALS } from "./units.js";

const ENTRY_DECIMALS = 12;
const TRIGGER_WORDS = {
  stop_market: "Stop",
  stop_limit: "Stop limit",
  take_profit_market: "TP",
  take_profit_limit: "TP limit",
};

function inMarket(items, symbol) {
  return [...items.values()].filter(({ market }) => market === symbol);
}

/** Return {side, ticks} of the account's orders that rest in the book. */
export function resting(account, units) {
  return inMarket(account.orders, units.symbol)
    .filter(({ status }) => status === "open")
    .map(({ side, price }) => ({ side, ticks: Number(units.price.fromWire(price)) }));
}

function positionLines({ size, entry_price: entry, unrealised_pnl: pnl, liquidation_price: liquidation }, units, markPrice) {
  const short = size.startsWith("-");
  const lots = units.size.fromWire(size);
  const held = units.size.format(lots).replace(MINUS, "");
  const amount = markPrice ? gained({ entry, lots, markPrice }, units) : fromWire(pnl, QUOTE_DECIMALS);
  const lines = [
    {
      id: "position",
      ticks: units.price.fromWire(entry),
      label: `${short ? "SHORT" : "LONG"} ${held} \u00b7 ${money(amount, QUOTE_DECIMALS, { sign: true })}`,
      tone: short ? "down" : "up",
    },
  ];
  if (liquidation) {
    const ticks = units.price.fromWire(liquidation);
    lines.push({ id: "liquidation", ticks, label: `LIQ ${units.price.format(ticks)}`, tone: "warning" });
  }
  return lines;
}

// The entry price is rounded, so this is exact to a cent or so: enough for a tag.
function gained({ entry, lots, markPrice }, units) {
  const moved = fromWire(markPrice, ENTRY_DECIMALS) - fromWire(entry, ENTRY_DECIMALS);
  return (moved * lots * units.size.e8) / 10n ** BigInt(ENTRY_DECIMALS + 8 - QUOTE_DECIMALS);
}

function orderLine(order, units, signMove) {
  const waits = order.status === "untriggered";
  const ticks = units.price.fromWire(waits ? order.trigger_price : order.price);
  const left = units.size.fromWire(order.size) - units.size.fromWire(order.filled);
  const word = waits ? TRIGGER_WORDS[order.type] : order.side === "buy" ? "Buy" : "Sell";
  const size = order.close_position ? "100%" : format(left * BigInt(units.size.mantissa), units.size.decimals);
  return {
    id: `order-${order.order_id}`,
    ticks,
    label: `${word} \u00b7 ${size}`,
    tone: waits ? "action" : order.side === "buy" ? "up" : "down",
    onClosed: () => cancel(order),
    onMoved: (moved) => amend(order, waits ? "trigger_price" : "price", moved, { units, signMove }),
  };
}

/** Return the chart's lines: position with its PnL at a mark price, liquidation price, open and waiting orders. */
export function chartLines(account, units, markPrice) {
  const positions = inMarket(account.positions, units.symbol).flatMap((position) => positionLines(position, units, markPrice));
  return [...positions, ...inMarket(account.orders, units.symbol).map((order) => orderLine(order, units, account.signMove))];
}

async function attempt(action, { done, text, failed }) {
  try {
    await action();
    toast({ title: done, text, kind: "good" });
  } catch (error) {
    toast({ title: failed, text: error.message, kind: "bad", urgent: true });
    document.body.dispatchEvent(new CustomEvent("order:unmoved"));
  }
}

function amend(order, field, ticks, { units, signMove }) {
  const price = units.price.toWire(ticks);
  const send = async () => {
    const signed = signMove && { signed: await signMove(order, field, ticks) };
    return api(`/api/v1/orders/${order.order_id}/`, { method: "PATCH", body: { [field]: price, ...signed } });
  };
  return attempt(send, { done: "Order moved", text: `to ${price}`, failed: "The order was not moved" });
}

function cancel({ order_id: id, market }) {
  const send = () => api(`/api/v1/orders/${id}/`, { method: "DELETE" });
  return attempt(send, { done: "Order cancelled", text: market, failed: "The order was not cancelled" });
}
