// The landing page: live markets.

import { startConnection } from "./connection.js";
import { Feed } from "./feed.js";
import { MarketRows } from "./rows.js";
import { socketUrl } from "./socket.js";

const table = document.getElementById("landing-markets");

if (table) {
  const feed = new Feed({ url: socketUrl("/ws/v1/") });
  startConnection(feed);
  new MarketRows({ feed, table }).start();
  feed.start();
}
