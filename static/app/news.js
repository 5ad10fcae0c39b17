// What happens to an account by itself, as toasts: fills, funding, liquidation.

import { format, fromWire, money } from "./numbers.js";
import { toast } from "./toast.js";
import { QUOTE_DECIMALS } from "./units.js";

function decimalsOf(text) {
  return (text.split(".")[1] ?? "").length;
}

function plain(text) {
  return format(fromWire(text, decimalsOf(text)), decimalsOf(text));
}

function cash(text, options) {
  return money(fromWire(text, QUOTE_DECIMALS), QUOTE_DECIMALS, options);
}

// An order that meets many makers, or fills over minutes, is one piece of news: how much of it is done.
function tellFilled({ order_id: id, side, market, size, filled, average_price: average }) {
  const part = filled === size ? plain(filled) : `${plain(filled)} of ${plain(size)}`;
  toast({
    title: `${side === "buy" ? "Bought" : "Sold"} ${part} ${market}`,
    text: `at ${plain(average)}`,
    kind: "good",
    key: `order-${id}`,
  });
}

const TELL = {
  funding: ({ market, amount }) =>
    toast({
      title: amount.startsWith("-") ? "Funding paid" : "Funding received",
      text: `${market} ${cash(amount, { sign: true })}`,
    }),
  liquidation_started: ({ equity, maintenance_margin: needed }) =>
    toast({
      title: "Liquidation started",
      text: `Equity ${cash(equity)} is below the maintenance margin of ${cash(needed)}. Your orders were cancelled.`,
      kind: "bad",
      urgent: true,
    }),
  margin_call: ({ level, equity, maintenance_margin: needed, margin }) =>
    level &&
    toast({
      title: level > 1 ? "Close to liquidation" : "Margin call",
      text: `${margin === "cross" ? "Equity" : `${margin}: margin`} ${cash(equity)}, maintenance ${cash(needed)}. Add margin or close something.`,
      kind: "bad",
      urgent: level > 1,
      key: `margin-call-${margin}`,
    }),
  liquidation: ({ liquidation_id: id, closed_quote: closed, taken_over: taken, deleveraged }) =>
    toast({
      title: "Liquidation ended",
      text: [
        Number(closed) ? `${cash(closed)} closed on the book.` : "",
        ...taken.map(({ market, size, price }) => `The backstop took ${plain(size)} ${market} at ${plain(price)}.`),
        ...deleveraged.map((market) => `${market} was closed against the other side.`),
        `Report ${id} is on the risk page.`,
      ]
        .filter(Boolean)
        .join(" "),
      kind: "bad",
      urgent: true,
    }),
  deleveraged: ({ market, side, closed, realised_pnl: pnl }) =>
    toast({
      title: "Position deleveraged",
      text: `${plain(closed)} ${market} ${side === "buy" ? "long" : "short"} closed, realised ${cash(pnl, { sign: true })}.`,
      kind: "bad",
      urgent: true,
    }),
};

/** Tell what one update of the account brought. */
export function tell({ fills, orders, notices }) {
  const matched = new Set(fills.map(({ order_id: id }) => id));
  for (const order of orders) if (matched.has(order.order_id)) tellFilled(order);
  for (const notice of notices) TELL[notice.kind]?.(notice);
}
