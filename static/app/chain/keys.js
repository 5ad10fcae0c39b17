// Trading keys: Ed25519, made by the browser and kept in IndexedDB. They cannot be extracted: pages can sign with a key, but
// neither they nor whoever reads the profile through them can copy it. Losing one costs nothing: the wallet registers another.

const DATABASE = "quantdesk";
const STORE = "trading-keys";

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function open() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "owner" });
  return done(request);
}

/** Run one request on the store and wait until what it wrote is durable. */
async function inStore(mode, ask) {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const finished = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const [result] = await Promise.all([done(ask(transaction.objectStore(STORE))), finished]);
    return result;
  } finally {
    database.close();
  }
}

/** Whether this browser can make such keys; without a secure context or Ed25519 it cannot. */
export async function canMakeKeys() {
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return false;
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return true;
  } catch (error) {
    if (error.name === "NotSupportedError") return false;
    throw error;
  }
}

/** Return the trading key that this browser keeps for a wallet (its address), or undefined. */
export async function findKey(owner) {
  return inStore("readonly", (store) => store.get(owner));
}

/** Return the wallet's trading key, made now if there is none. Two tabs that make one at once end with the same. */
export async function findOrMakeKey(owner) {
  const known = await findKey(owner);
  if (known) return known;
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const key = { owner, privateKey: pair.privateKey, publicKey, madeAt: new Date() };
  try {
    await inStore("readwrite", (store) => store.add(key));
  } catch (error) {
    if (error?.name !== "ConstraintError") throw error;
    return findKey(owner);
  }
  return key;
}

/** Forget the key for good, as when the wallet has revoked it. */
export async function removeKey(owner) {
  await inStore("readwrite", (store) => store.delete(owner));
}

/** Return the signature (64 bytes) of the bytes. */
export async function sign(key, bytes) {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, bytes));
}
