// The proof page: waits until the trade is settled, verifies the proof, and lays out what it was made from.

import { api, ApiError } from "../api.js";
import { pageState, setText } from "../dom.js";
import { format, percent } from "../numbers.js";
import { dateTime } from "../times.js";
import { QUOTE_DECIMALS } from "../units.js";
import { toBase58, toHex } from "./encoding.js";
import { findKey } from "./keys.js";
import { POSITION } from "./merkle.js";
import { decodeOrder } from "./orders.js";
import { readProof } from "./proofshape.js";
import { verify } from "./proof.js";
import { pause } from "./transactions.js";

const ASK_EVERY_MS = 3000;
const GONE = "PROOF_GONE";
const E8_DECIMALS = 8;
const PPM_DECIMALS = 6;
const WORDS = { passed: "passed", failed: "failed", open: "not yet" };
const state = pageState();
const part = (id) => document.getElementById(id);

function element(tag, { text = "", className = "", ...more } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), { className, ...more });
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function stateOf(passed) {
  return passed === null ? "open" : passed ? "passed" : "failed";
}

function showChecks(checks) {
  const lines = checks.map(({ name, passed, text }) => {
    const line = element("li", { className: "check-line" });
    line.dataset.state = stateOf(passed);
    line.append(
      element("b", { text: name }),
      element("span", { className: "check-word muted", text: WORDS[line.dataset.state] }),
      element("span", { className: "check-text muted", text }),
    );
    return line;
  });
  part("proof-checks").replaceChildren(...lines);
  const failed = checks.filter(({ passed }) => passed === false).length;
  const open = checks.filter(({ passed }) => passed === null).length;
  const passed = checks.length - failed - open;
  const said = failed ? `${failed} of ${checks.length} checks failed` : `${passed} of ${checks.length} checks passed${open ? `, ${open} cannot be made yet` : ""}`;
  setText(part("proof-summary"), said);
  part("proof-summary").dataset.state = failed ? "failed" : open ? "open" : "passed";
  part("proof-wait").hidden = true;
}

/** Fill a list of facts: [label, text or node] each. */
function showFacts(id, facts) {
  part(id).replaceChildren(...facts.flatMap(([label, value]) => [element("dt", { text: label }), element("dd", {}, value)]));
}

function links(signatures) {
  const list = element("span", { className: "signatures" });
  for (const [name, signature] of signatures) {
    const href = state.explorer.replace("SIGNATURE", encodeURIComponent(signature));
    list.append(element("a", { className: "button-link", text: name, href, title: signature }));
  }
  return signatures.length ? list : "–";
}

/** Return a number of ticks or lots as a decimal, without zeros that say nothing. */
function units(count, e8) {
  const text = format(count * BigInt(e8), E8_DECIMALS);
  return text.replace(/\.?0+$/, "");
}

function usdc(atoms) {
  return format(atoms, QUOTE_DECIMALS, { sign: true });
}

function amountIn(sums, wanted) {
  return sums.find(([slot]) => wanted(slot))?.[1] ?? 0n;
}

function showBatch({ batch, transactions }) {
  showFacts("proof-batch", [
    ["Number", String(batch.seq)],
    ["Interval", `${dateTime(batch.beginMs)} – ${dateTime(batch.endMs)}`],
    ["Accounts", String(batch.accounts)],
    ["Root", toHex(batch.root)],
    ["Hash", toHex(batch.hash)],
    ["Hash before", toHex(batch.prevHash)],
    ["Account on chain", batch.address],
    ["Transactions", links(transactions)],
  ]);
}

async function showOrder({ signed, account, key, registration }) {
  part("proof-order-card").hidden = !signed;
  part("proof-unsigned").hidden = signed !== null || account.custodied;
  if (!signed) return;
  const order = decodeOrder(signed.order);
  const mine = await findKey(toBase58(account.owner)).catch(() => undefined);
  const own = mine && toBase58(mine.publicKey) === toBase58(signed.key);
  showFacts("proof-order", [
    ["Side and size", `${order.side === "buy" ? "Buy" : "Sell"} ${units(order.sizeLots, state.lot_e8)} ${state.base}${order.reduceOnly ? ", reduce only" : ""}`],
    ["Limit", units(order.limitTicks, state.tick_e8)],
    ["Most fee", percent(order.feeCapPpm, PPM_DECIMALS, { places: 4, sign: false })],
    ["Good until", dateTime(order.expiryMs)],
    ["Nonce", String(order.nonce)],
    ["Signed with", `${toBase58(signed.key)}${own ? " – the key of this browser" : ""}`],
    ["Key’s account on chain", key ? toBase58(key.address) : "–"],
    ["Registered in", links(registration ? [["transaction", registration]] : [])],
    ["Signature", toHex(signed.signature)],
    ["Bytes", toHex(signed.order)],
  ]);
}

function showAccount({ account }) {
  const had = account.before.map(([slot, amount]) => (slot >= POSITION ? `${amount} lots of market ${slot - POSITION}` : `${usdc(amount)} USDC`));
  showFacts("proof-account", [
    ["Address", toBase58(account.address)],
    ["Had before", had.join(", ") || "nothing"],
  ]);
  const rows = account.leaves.map(({ kind, data, sums }, at) => {
    const name = element("th", { scope: "row", text: String(at) });
    if (at === account.place) name.append(element("span", { className: "tag", text: "this trade" }));
    return element(
      "tr",
      {},
      name,
      element("td", { text: kind }),
      element("td", { className: "number", text: usdc(amountIn(sums, (slot) => slot === 0)) }),
      element("td", { className: "number", text: format(amountIn(sums, (slot) => slot >= POSITION), 0, { sign: true }) }),
      element("td", { className: "muted", text: toHex(data) }),
    );
  });
  part("proof-leaves").replaceChildren(...rows);
}

function showPath({ path }) {
  const rows = path.siblings.map(({ hash, sums }, at) =>
    element(
      "tr",
      {},
      element("td", { text: String(at) }),
      element("td", { className: "muted", text: toHex(hash) }),
      element("td", { className: "number", text: usdc(amountIn(sums, (slot) => slot === 0)) }),
    ),
  );
  const alone = element("tr", {}, element("td", { className: "empty", colSpan: 3, text: "No other account is in this batch." }));
  part("proof-path").replaceChildren(...(rows.length ? rows : [alone]));
}

/** Return the proof, null while the trade is in no batch, or undefined when its proof is not kept any more; says why not. */
async function ask() {
  try {
    return readProof(await api(`/api/v1/chain/proofs/${state.trade_id}/?account_id=${state.account_id}`), state);
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof TypeError)) throw error;
    setText(part("proof-wait"), error instanceof ApiError ? error.message : "The exchange cannot be reached. This page tries again.");
    if (error.code !== GONE) return null;
    setText(part("proof-summary"), "No longer kept");
    return undefined;
  }
}

async function show(proof) {
  part("proof-parts").hidden = false;
  showBatch(proof);
  showAccount(proof);
  showPath(proof);
  await showOrder(proof);
  const checks = await verify(proof);
  showChecks(checks);
  return checks.every(({ passed }) => passed !== null);
}

if (!globalThis.crypto?.subtle) {
  setText(part("proof-summary"), "This browser computes no hashes here: it needs HTTPS.");
} else {
  for (;;) {
    const proof = await ask();
    if (proof === undefined || (proof && (await show(proof)))) break;
    await pause(ASK_EVERY_MS);
  }
}
