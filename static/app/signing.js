// Orders of an account that a wallet owns: signed here as they are sent, by a key that never leaves this browser.

import { fromHex, toBase58, toBase64, toHex } from "./chain/encoding.js";
import { findKey, sign } from "./chain/keys.js";
import { encodeOrder } from "./chain/orders.js";
import { parse } from "./numbers.js";

const PPM = 1_000_000n;
const E8_DECIMALS = 8;
const SOON_MS = 600_000; // of what does not rest
const DAY_MS = 86_400_000;
const LONGEST_MS = 30 * DAY_MS; // of what does, while the key lasts

/** There is nothing to sign with, or nothing that could be signed; the message says what to do. */
export class CannotSign extends Error {}

/** Return the worst price of a market order, as the engine has it: rounded towards the price that it starts from. */
export function worstTicks(ticks, side, slippagePpm) {
  const slippage = BigInt(slippagePpm);
  if (side === "buy") return (ticks * (PPM + slippage)) / PPM;
  const worst = (ticks * (PPM - slippage) + PPM - 1n) / PPM;
  return worst > 0n ? worst : 1n;
}

/** Return the whole steps in a decimal text, or null. */
export function stepsOf(text, stepE8) {
  const value = parse(text, E8_DECIMALS);
  return value === null || value % BigInt(stepE8) ? null : value / BigInt(stepE8);
}

export class Signer {
  #lastNonce = 0n;
  #found = [];

  /** `state` is the page's: the domain of signed orders, and the account's registered keys. */
  constructor({ state, nowMs }) {
    this.state = state;
    this.nowMs = () => Math.floor(nowMs());
  }

  /** Look for registered keys in this browser. */
  async find() {
    const found = await Promise.all(this.state.keys.map(async (entry) => ({ ...entry, mine: await findKey(entry.owner) })));
    this.#found = found.filter(({ key, mine }) => mine && toHex(mine.publicKey) === key);
  }

  /** Return the key that may sign for a market now, or undefined. */
  keyFor(marketId) {
    const usable = ({ market_id: scope, expires_ms: end }) => [null, marketId].includes(scope) && end > this.nowMs();
    return this.#found.find(usable);
  }

  /** Return what the API takes as `signed`. Lots and ticks are BigInts. */
  async sign({ marketId, side, lots, limitTicks, feePpm, reduceOnly, lastsMs = LONGEST_MS }) {
    const entry = this.keyFor(marketId);
    if (!entry) throw new CannotSign("This browser has no trading key of this account. Make one on the Wallet page.");
    const bytes = encodeOrder({
      program: fromHex(this.state.program),
      genesisHash: fromHex(this.state.genesis_hash),
      marketId,
      owner: fromHex(entry.owner_bytes),
      subAccount: 0,
      side,
      sizeLots: lots,
      limitTicks,
      feeCapPpm: Math.max(0, feePpm),
      reduceOnly,
      expiryMs: BigInt(Math.min(this.nowMs() + lastsMs, entry.expires_ms)),
      nonce: this.#nonce(),
    });
    return toBase64(new Uint8Array([...bytes, ...entry.mine.publicKey, ...(await sign(entry.mine, bytes))]));
  }

  /** The key's public half for people, shortened. */
  name(marketId) {
    const entry = this.keyFor(marketId);
    const text = entry ? toBase58(entry.mine.publicKey) : "";
    return text && `${text.slice(0, 4)}…${text.slice(-4)}`;
  }

  /** How long an order can last: a signature ends, and so does its key. */
  longestDays(marketId) {
    const left = Math.min(LONGEST_MS, this.keyFor(marketId).expires_ms - this.nowMs());
    const days = Math.floor(left / DAY_MS);
    return days > 1 ? `${days} days` : "a day";
  }

  // Nonces are times: the chain drops orders from before an outage by them.
  #nonce() {
    const now = BigInt(this.nowMs());
    this.#lastNonce = now > this.#lastNonce ? now : this.#lastNonce + 1n;
    return this.#lastNonce;
  }
}

/** Return what a position's Close or Reverse form stands for; null where its figures cannot be read. */
function termsOfExit(form) {
  const row = form.closest("[data-position]");
  const { marketId, times, slippagePpm, feePpm } = form.dataset;
  const held = BigInt(row.dataset.lots);
  const mark = stepsOf(row.querySelector("[data-cell=mark_price]").textContent, row.dataset.tickE8);
  if (!mark) return null;
  const side = held > 0n ? "sell" : "buy";
  return {
    marketId: Number(marketId),
    side,
    lots: (held < 0n ? -held : held) * BigInt(times),
    limitTicks: worstTicks(mark, side, slippagePpm),
    feePpm: Number(feePpm),
    reduceOnly: times === "1",
    lastsMs: SOON_MS,
  };
}

/** Return what is left of an order as its amend form would have it. */
function termsOfAmendment(form) {
  const { marketId, side, filledLots, reduceOnly, tickE8, lotE8, slippagePpm, feePpm } = form.dataset;
  const { price, trigger_price: trigger, size } = form.elements;
  const stated = stepsOf((price ?? trigger)?.value ?? "", tickE8);
  const lots = stepsOf(size?.value ?? "", lotE8);
  if (!stated || !lots || lots <= BigInt(filledLots)) return null;
  return {
    marketId: Number(marketId),
    side,
    lots: lots - BigInt(filledLots),
    limitTicks: price ? stated : worstTicks(stated, side, slippagePpm),
    feePpm: Number(feePpm),
    reduceOnly: reduceOnly === "1",
  };
}

const PRICED = new Set(["limit", "stop_limit", "take_profit_limit"]);
const GOOD_TILL_MS = { "1h": 3_600_000, "8h": 28_800_000, "1d": 86_400_000, "7d": 604_800_000 };
const SLACK_MS = 60_000;

/** Return what the ticket asks for; null while it is not complete. */
function termsOfTicket(form, { ticket, market }) {
  const { side, type, lots } = ticket;
  const { trigger_price: trigger, time_in_force: lasts, good_till: until, reduce_only: reduces } = form.elements;
  const stated = PRICED.has(type) ? ticket.ticks : type === "market" ? markTicks(ticket.units) : ticket.units.price.read(trigger.value).count;
  if (!lots || !stated) return null;
  const rests = type !== "market" && !(PRICED.has(type) && ["ioc", "fok"].includes(lasts.value));
  const timed = PRICED.has(type) && lasts.value === "gtd";
  return {
    marketId: market.market_id,
    side,
    lots,
    limitTicks: PRICED.has(type) ? stated : worstTicks(stated, side, market.market_slippage_ppm),
    feePpm: market.taker_fee_ppm,
    reduceOnly: reduces.checked,
    lastsMs: timed ? GOOD_TILL_MS[until.value] + SLACK_MS : rests ? LONGEST_MS : SOON_MS,
  };
}

function markTicks(units) {
  return units.price.read(document.querySelector("[data-stat=mark_price]")?.textContent ?? "").nearest;
}

/** Return what an order stands for once its price or trigger was dragged on the chart. */
export function termsOfMove(order, field, ticks, { units, market }) {
  const left = units.size.fromWire(order.size) - units.size.fromWire(order.filled);
  const stated = field === "price" ? BigInt(ticks) : order.type.endsWith("market") ? null : units.price.fromWire(order.price);
  return {
    marketId: market.market_id,
    side: order.side,
    lots: left,
    limitTicks: stated ?? worstTicks(BigInt(ticks), order.side, market.market_slippage_ppm),
    feePpm: market.taker_fee_ppm,
    reduceOnly: order.reduce_only,
  };
}

const TERMS = { ticket: termsOfTicket, exit: termsOfExit, amend: termsOfAmendment };

/** Sign every form that says so before it leaves; one that is incomplete goes unsigned, and the server names what is missing. */
export function startSigning({ signer, ticket, market, failed }) {
  const signing = new WeakSet();

  async function endorse(form, submitter) {
    try {
      const terms = TERMS[form.dataset.signs](form, { ticket, market });
      form.elements.signed.value = terms ? await signer.sign(terms) : "";
    } catch (error) {
      if (!(error instanceof CannotSign)) throw error;
      failed(error.message);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve)); // a form that is being submitted cannot be submitted
    if (!form.isConnected) return;
    form.dataset.endorsed = "";
    form.dataset.confirmed = "";
    form.requestSubmit(submitter?.isConnected ? submitter : null);
    delete form.dataset.endorsed;
    delete form.dataset.confirmed;
  }

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target.closest("form[data-signs]");
      if (!form || "endorsed" in form.dataset || ("confirm" in form.dataset && !("confirmed" in form.dataset))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (signing.has(form)) return;
      signing.add(form);
      endorse(form, event.submitter).finally(() => signing.delete(form));
    },
    { capture: true },
  );
}

/** Say in the ticket who signs, or what is missing. */
export function showSigning({ signer, marketId }) {
  const text = document.querySelector("[data-signing=text]");
  if (!text) return;
  const name = signer.name(marketId);
  text.textContent = name
    ? `Signed in this browser by your trading key ${name}. Orders last ${signer.longestDays(marketId)} at most.`
    : "This browser has no trading key of this account, so it cannot sign orders.";
  document.querySelector("[data-signing=key]").hidden = Boolean(name);
}
