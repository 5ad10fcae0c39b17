// The page's one socket: subscriptions, gaps, heartbeat, reconnection.
//
// A subscriber sees a snapshot, then an unbroken chain of updates (each names its predecessor in `prev_seq`). A gap makes
// one resync request; until its snapshot comes, that subscriber sees nothing. Every message that enters is used or dropped
// here, so the modules behind never ask whether what they hold is current: they ask `state`.
//
// A socket that answers pings may still stand before an engine that is gone. When no data came for a while, the feed asks
// for a ticker; an exchange that lives answers at once, and one that does not is stale.

const PING_EVERY_MS = 1000;
const STALE_AFTER_MS = 5000;
const ASK_AFTER_QUIET_MS = 2500;
const BACKOFF_MS = 250;
const BACKOFF_CAP_MS = 15_000;
const STABLE_AFTER_MS = 5000;
const RESYNC_HIDDEN_MS = 5000;
const RTT_SAMPLES = 15;
// Each of these messages is complete in itself: a lost one is replaced by the next.
const WHOLE = new Set(["ticker", "candles", "oracle"]);

class Subscription {
  handlers = new Set();
  seq = null;
  waiting = true;
  refused = false;
  last = null;

  constructor(topic) {
    this.topic = topic;
    this.whole = WHOLE.has(topic.channel);
  }

  restart() {
    this.seq = null;
    this.waiting = true;
    this.refused = false;
  }

  /** Hand a message on if it continues the chain; return false at a gap. */
  take(message) {
    if (message.type !== "snapshot") {
      if (this.refused || (this.waiting && !this.whole)) return true;
      if (this.seq !== null && message.seq < this.seq + (this.whole ? 0 : 1)) return true;
      if (!this.whole && message.prev_seq !== this.seq) return false;
    }
    this.waiting = false;
    this.seq = message.seq;
    this.last = message;
    for (const handler of this.handlers) handler(message);
    return true;
  }
}

function topicKey({ channel, market = "", interval = "" }) {
  return channel === "account" ? channel : [channel, market, interval].join(":");
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

export class Feed extends EventTarget {
  #socket = null;
  #subscriptions = new Map();
  #asked = new Map();
  #pings = new Map();
  #rtts = [];
  #attempt = 0;
  #nextId = 1;
  #openedAt = 0;
  #heardAt = 0;
  #dataAt = 0;
  #asking = false;
  #hiddenAt = 0;
  #retry = null;
  #beat = null;

  constructor({ url }) {
    super();
    this.url = url;
    this.state = "connecting";
    this.rttMs = null;
    this.resyncs = 0;
    this.clockOffsetMs = 0;
  }

  /** Connect, and stay connected until `close`. */
  start() {
    this.#beat = setInterval(() => this.#heartbeat(), PING_EVERY_MS);
    addEventListener("online", () => this.reconnect());
    addEventListener("offline", () => this.#lose("offline"));
    document.addEventListener("visibilitychange", () => this.#visibility());
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.#resume());
    this.#connect();
  }

  close() {
    clearInterval(this.#beat);
    this.#beat = null;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** Follow a topic {channel, market, interval}; returns a handle with `resync()` and `cancel()`. */
  subscribe(topic, handler) {
    const key = topicKey(topic);
    const subscription = this.#subscriptions.get(key) ?? this.#begin(key, topic);
    subscription.handlers.add(handler);
    // Who joins late starts from the latest whole message; a chain has one follower.
    if (subscription.whole && subscription.last) handler(subscription.last);
    return { resync: () => this.#resync(key), cancel: () => this.#cancel(key, handler) };
  }

  /** Connect at once, forgetting the backoff. */
  reconnect() {
    this.#attempt = 0;
    this.#drop();
    this.#connect();
  }

  /** The server's clock, as well as the last ping tells it. */
  serverNowMs() {
    return Date.now() + this.clockOffsetMs;
  }

  get live() {
    return this.state === "live";
  }

  #begin(key, topic) {
    const subscription = new Subscription(topic);
    this.#subscriptions.set(key, subscription);
    if (this.#open) this.#ask("subscribe", key);
    this.#settle();
    return subscription;
  }

  #cancel(key, handler) {
    const subscription = this.#subscriptions.get(key);
    if (!subscription?.handlers.delete(handler) || subscription.handlers.size) return;
    if (this.#open) this.#ask("unsubscribe", key);
    this.#subscriptions.delete(key);
    this.#settle();
  }

  #ask(op, key) {
    this.#asked.set(this.#send({ op, ...this.#subscriptions.get(key).topic }), key);
  }

  get #open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #connect() {
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.addEventListener("open", () => socket === this.#socket && this.#opened());
    socket.addEventListener("message", (event) => socket === this.#socket && this.#receive(JSON.parse(event.data)));
    socket.addEventListener("close", () => socket === this.#socket && this.#lose("offline"));
  }

  #opened() {
    this.#openedAt = this.#heardAt = this.#dataAt = performance.now();
    this.#asking = false;
    for (const [key, subscription] of this.#subscriptions) {
      subscription.restart();
      this.#ask("subscribe", key);
    }
    this.#ping();
    this.#settle();
  }

  #send(message) {
    const id = this.#nextId++;
    this.#socket.send(JSON.stringify({ id, ...message }));
    return id;
  }

  #receive(message) {
    this.#heardAt = performance.now();
    if (message.op === "pong") this.#pong(message);
    else if (message.op) this.#answered(message);
    else this.#deliver(message);
  }

  #deliver(message) {
    const key = topicKey(message);
    const subscription = this.#subscriptions.get(key);
    if (!subscription) return;
    this.#dataAt = performance.now();
    this.#asking = false;
    if (!subscription.take(message)) this.#resync(key);
    this.#settle();
  }

  // A topic that the server refuses holds nothing back; it is asked for again on the next connection.
  #answered(message) {
    const key = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    if (message.ok !== false) return;
    const subscription = this.#subscriptions.get(key);
    this.dispatchEvent(new CustomEvent("refused", { detail: { error: message.error, topic: subscription?.topic } }));
    if (subscription) subscription.refused = true;
    this.#settle();
  }

  #resync(key) {
    const subscription = this.#subscriptions.get(key);
    if (!subscription || !this.#open || subscription.waiting) return;
    subscription.restart();
    this.resyncs += 1;
    this.#ask("resync", key);
    this.#settle();
  }

  #ping() {
    this.#pings.set(this.#send({ op: "ping", time_ms: Date.now() }), performance.now());
  }

  #pong({ id, server_ms }) {
    const sentAt = this.#pings.get(id);
    if (sentAt === undefined) return;
    this.#pings.clear();
    const rtt = performance.now() - sentAt;
    this.#rtts = [...this.#rtts, rtt].slice(-RTT_SAMPLES);
    this.rttMs = Math.round(median(this.#rtts));
    this.clockOffsetMs = Math.round(server_ms - Date.now() + rtt / 2);
    this.dispatchEvent(new Event("rtt"));
  }

  #heartbeat() {
    if (!this.#open) return;
    const now = performance.now();
    if (now - this.#openedAt > STABLE_AFTER_MS) this.#attempt = 0;
    if (!document.hidden && now - this.#heardAt > STALE_AFTER_MS) {
      this.#lose("stale");
      return;
    }
    this.#ping();
    if (!document.hidden) this.#listenForLife(now - this.#dataAt);
  }

  #listenForLife(quietMs) {
    if (this.#asking && quietMs > STALE_AFTER_MS) this.#publish("stale");
    if (this.#asking || quietMs < ASK_AFTER_QUIET_MS) return;
    const asked = [...this.#subscriptions].filter(([, { refused }]) => !refused);
    const topic = asked.find(([, { whole }]) => whole) ?? asked.find(([, { topic }]) => topic.channel === "tickers");
    if (!topic) return;
    this.#asking = true;
    this.#ask("resync", topic[0]);
  }

  #lose(state) {
    this.#drop();
    this.#publish(state);
    clearTimeout(this.#retry);
    if (this.#beat === null) return;
    const wait = Math.min(BACKOFF_CAP_MS, BACKOFF_MS * 2 ** this.#attempt) * (0.7 + 0.6 * Math.random());
    this.#attempt += 1;
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#pings.clear();
    this.#asked.clear();
    socket?.close();
  }

  #visibility() {
    const now = performance.now();
    if (document.hidden) {
      this.#hiddenAt = now;
      return;
    }
    this.#heardAt = this.#dataAt = now;
    if (!this.#open) this.reconnect();
    else if (now - this.#hiddenAt > RESYNC_HIDDEN_MS) this.#resyncAll();
  }

  #resyncAll() {
    for (const [key, { whole }] of this.#subscriptions) {
      if (!whole) this.#resync(key);
    }
  }

  #resume() {
    this.#beat = setInterval(() => this.#heartbeat(), PING_EVERY_MS);
    this.reconnect();
  }

  #settle() {
    if (!this.#open) return;
    const waiting = [...this.#subscriptions.values()].some((one) => one.waiting && !one.refused && !one.whole);
    if (!waiting) this.#publish("live");
    else this.#publish(this.state === "live" || this.state === "resyncing" ? "resyncing" : "connecting");
  }

  #publish(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
