// The canonical bytes of a signed order, the same as in Python and Rust: 148 bytes, little-endian. Whole numbers of 64 bits
// are BigInts, keys and hashes Uint8Arrays.

const TAG = new TextEncoder().encode("QDORDER1");
const MAX_SIZE_LOTS = (1n << 63n) - 1n;
const REDUCE_ONLY = 1;
const SIDES = ["buy", "sell"];

export const ORDER_BYTES = 148;

/** The bytes are no order, or an order cannot be written. `rule` names what is wrong. */
export class OrderMalformed extends Error {
  constructor(rule) {
    super(`The signed order is malformed: ${rule}.`);
    this.name = "OrderMalformed";
    this.rule = rule;
  }
}

// Name, offset, how it is stored.
const FIELDS = [
  ["program", 8, "bytes"],
  ["genesisHash", 40, "bytes"],
  ["marketId", 72, "u32"],
  ["owner", 76, "bytes"],
  ["subAccount", 108, "u16"],
  ["side", 110, "side"],
  ["sizeLots", 111, "u64"],
  ["limitTicks", 119, "u64"],
  ["feeCapPpm", 127, "u32"],
  ["reduceOnly", 131, "flags"],
  ["expiryMs", 132, "u64"],
  ["nonce", 140, "u64"],
];

const KINDS = {
  bytes: {
    write(view, offset, value) {
      if (!(value instanceof Uint8Array) || value.length !== 32) throw new OrderMalformed("Length");
      new Uint8Array(view.buffer).set(value, offset);
    },
    read: (view, offset) => new Uint8Array(view.buffer.slice(view.byteOffset + offset, view.byteOffset + offset + 32)),
  },
  u16: {
    write: (view, offset, value) => view.setUint16(offset, whole(value, 16), true),
    read: (view, offset) => view.getUint16(offset, true),
  },
  u32: {
    write: (view, offset, value) => view.setUint32(offset, whole(value, 32), true),
    read: (view, offset) => view.getUint32(offset, true),
  },
  u64: {
    write: (view, offset, value) => view.setBigUint64(offset, big(value), true),
    read: (view, offset) => view.getBigUint64(offset, true),
  },
  side: {
    write(view, offset, value) {
      if (!SIDES.includes(value)) throw new OrderMalformed("Side");
      view.setUint8(offset, SIDES.indexOf(value));
    },
    read(view, offset) {
      const side = SIDES[view.getUint8(offset)];
      if (side === undefined) throw new OrderMalformed("Side");
      return side;
    },
  },
  flags: {
    write: (view, offset, value) => view.setUint8(offset, value ? REDUCE_ONLY : 0),
    read(view, offset) {
      const flags = view.getUint8(offset);
      if (flags & ~REDUCE_ONLY) throw new OrderMalformed("Flags");
      return flags === REDUCE_ONLY;
    },
  },
};

// A number that does not fit would be cut silently by DataView: the user would sign something else.
function whole(value, bits) {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits) throw new OrderMalformed("Range");
  return value;
}

function big(value) {
  if (typeof value !== "bigint" || value < 0n || value >= 1n << 64n) throw new OrderMalformed("Range");
  return value;
}

function check(order) {
  if (order.sizeLots === 0n || order.sizeLots > MAX_SIZE_LOTS) throw new OrderMalformed("Size");
  if (order.limitTicks === 0n) throw new OrderMalformed("Limit");
  return order;
}

/** Return the bytes to sign. */
export function encodeOrder(order) {
  check(order);
  const bytes = new Uint8Array(ORDER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(TAG);
  for (const [name, offset, kind] of FIELDS) KINDS[kind].write(view, offset, order[name]);
  return bytes;
}

/** Return the order that the bytes are; OrderMalformed for any others. */
export function decodeOrder(bytes) {
  if (bytes.length !== ORDER_BYTES) throw new OrderMalformed("Length");
  if (TAG.some((value, at) => bytes[at] !== value)) throw new OrderMalformed("Tag");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return check(Object.fromEntries(FIELDS.map(([name, offset, kind]) => [name, KINDS[kind].read(view, offset)])));
}

/** Whether the holder of the key (32 bytes) signed exactly these bytes. */
export async function verifySignature(bytes, signature, publicKey) {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", true, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, bytes);
}
