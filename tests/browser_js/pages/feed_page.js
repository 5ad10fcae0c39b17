import { Feed } from "/static/app/feed.js";
import { socketUrl } from "/static/app/socket.js";

const write = (id, text) => (document.getElementById(id).textContent = text);
const append = (id, text) => write(id, `${document.getElementById(id).textContent} ${text}`.trim());
const feed = new Feed({ url: socketUrl("/ws/v1/") });

feed.addEventListener("state", () => {
  write("state", feed.state);
  append("states", feed.state);
});
feed.addEventListener("rtt", () => write("rtt", feed.rttMs));
feed.addEventListener("refused", ({ detail }) => write("refused", detail.error.code));
feed.subscribe({ channel: "book", market: "BTC-PERP" }, ({ seq }) => append("seqs", seq));
feed.start();
window.feed = feed;
