// Merkle-sum trees, the same as in Python and Rust: each node carries the sum of the changes below it. Hashes are SHA-256 and begin
// with a byte for their kind. Sums are [slot, amount] pairs, ascending, each slot once, none zero; amounts are BigInts.

const CHANGE = 0;
const JOINED = 1;
const ACCOUNT = 2;
const MAX_SLOTS = 255;
const MAX_CHANGE_BYTES = 0xffff;
const MAX_AMOUNT = (1n << 63n) - 1n;

/** Slots from here on are positions, by market id; those below are assets. */
export const POSITION = 0x80000000;

/** Sums that are not canonical or do not fit, or a proof that has another shape than its tree. */
export class NotATree extends Error {
  constructor(message) {
    super(message);
    this.name = "NotATree";
  }
}

/** Add up changes by slot. */
export function canonical(changes) {
  const totals = new Map();
  for (const [slot, amount] of changes) totals.set(slot, (totals.get(slot) ?? 0n) + amount);
  const sums = [...totals].filter(([, amount]) => amount !== 0n).sort(([one], [other]) => one - other);
  const fits = sums.length <= MAX_SLOTS && sums.every(([, amount]) => amount <= MAX_AMOUNT && amount >= -MAX_AMOUNT - 1n);
  if (!fits) throw new NotATree("A sum does not fit.");
  return sums;
}

export function sameSums(one, other) {
  return one.length === other.length && one.every(([slot, amount], at) => slot === other[at][0] && amount === other[at][1]);
}

export function sameBytes(one, other) {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}

/** Return count u8, then slot u32 and amount i64 each, little-endian. */
export function encodeSums(sums) {
  if (!sameSums(sums, canonical(sums))) throw new NotATree("Sums must be ascending, each slot once, none zero.");
  const bytes = new Uint8Array(1 + 12 * sums.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = sums.length;
  sums.forEach(([slot, amount], at) => {
    view.setUint32(1 + 12 * at, slot, true);
    view.setBigInt64(5 + 12 * at, amount, true);
  });
  return bytes;
}

/** Return the leaf of one change: {hash, sums}. */
export async function changeLeaf(data, sums) {
  if (data.length > MAX_CHANGE_BYTES) throw new NotATree("A change is too long.");
  return { hash: await sha256([CHANGE], little(data.length, 2), data, encodeSums(sums)), sums };
}

/** Return the batch's leaf of one account: what it had, and the root of its own tree, whose sums are its net change. */
export async function accountLeaf({ account, before, changes, root }) {
  const hash = await sha256([ACCOUNT], account, encodeSums(before), little(changes, 4), root.hash, encodeSums(root.sums));
  return { hash, sums: root.sums };
}

export async function join(left, right) {
  const hash = await sha256([JOINED], left.hash, encodeSums(left.sums), right.hash, encodeSums(right.sums));
  return { hash, sums: canonical([...left.sums, ...right.sums]) };
}

/** Return the root of a tree, whose odd last node of a level rises as it is. */
export async function root(leaves) {
  if (leaves.length === 0) throw new NotATree("A tree has at least one leaf.");
  let level = leaves;
  while (level.length > 1) {
    const raised = [];
    for (let place = 0; place < level.length; place += 2) {
      raised.push(place + 1 < level.length ? await join(level[place], level[place + 1]) : level[place]);
    }
    level = raised;
  }
  return level[0];
}

/** Return the root that a leaf and its proof lead to; NotATree when the proof has another shape than a tree of so many leaves. */
export async function lead(leaf, { index, leaves, siblings }) {
  if (!(index >= 0 && index < leaves)) throw new NotATree("There is no such leaf.");
  let [place, width, node, used] = [index, leaves, leaf, 0];
  while (width > 1) {
    if (place % 2 || place + 1 < width) {
      const sibling = siblings[used];
      if (!sibling) throw new NotATree("A sibling is missing.");
      node = place % 2 ? await join(sibling, node) : await join(node, sibling);
      used += 1;
    }
    [place, width] = [Math.floor(place / 2), Math.ceil(width / 2)];
  }
  if (used < siblings.length) throw new NotATree("There is a sibling too many.");
  return node;
}

export async function sha256(...parts) {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Return a whole number as little-endian bytes. */
export function little(value, size) {
  const bytes = new Uint8Array(size);
  let left = BigInt(value);
  for (let at = 0; at < size; at += 1) {
    bytes[at] = Number(left & 0xffn);
    left >>= 8n;
  }
  return bytes;
}
