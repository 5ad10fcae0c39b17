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

function byOrder(fills) {
  const groups = new Map();
  for (const fill of fills) groups.set(fill.order_id, [...(groups.get(fill.order_id) ?? []), fill]);
  return groups.values();
}

// One order that meets many makers is one piece of news.
function tellFills(fills) {
  const [first] = fills;
  const last = fills.at(-1);
  const decimals = decimalsOf(first.size);
  const size = fills.reduce((sum, fill) => sum + fromWire(fill.size, decimals), 0n);
  toast({
    title: `${first.side === "buy" ? "Bought" : "Sold"} ${format(size, decimals)} ${first.market}`,
    text: fills.length === 1 ? `at ${plain(last.price)}` : `in ${fills.length} fills, last at ${plain(last.price)}`,
    kind: "good",
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
  liquidation: ({ taken_over: taken }) =>
    toast({
      title: "Account liquidated",
      text: taken.map(({ market, size, price }) => `${plain(size)} ${market} at ${plain(price)}`).join(", "),
      kind: "bad",
      urgent: true,
    }),
};

/** Tell what one update of the account brought. */
export function tell({ fills, notices }) {
  for (const group of byOrder(fills)) tellFills(group);
  for (const notice of notices) TELL[notice.kind]?.(notice);
}
