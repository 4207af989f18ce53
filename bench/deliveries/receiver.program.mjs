// The receiver of all contestants: answers 204, counts events by their id, checks a part of the signatures, and notes
// arrival times when asked to. A path that begins with /hang is never answered.
import { createServer } from "node:http";
import { standardWebhooks, verify } from "@hookline/webhook-signing";
import { sendNews, serveCalls } from "./program.mjs";

const NEWS_EVERY_MS = 10;
const VERIFY_EVERY = 64;

let secret = "";
let received = new Set();
let duplicates = 0;
let requests = 0;
let refused = 0;
/** @type {Map<string, bigint> | null} */
let arrivals = null;
let told = 0;

const server = createServer((request, response) => {
  if (request.url.startsWith("/hang")) {
    request.resume();
    return;
  }
  requests += 1;
  const id = request.headers["webhook-id"];
  if (received.has(id)) duplicates += 1;
  else {
    received.add(id);
    arrivals?.set(id, process.hrtime.bigint());
  }
  if (requests % VERIFY_EVERY === 0) checkSignature(request);
  else request.resume();
  response.writeHead(204);
  response.end();
});
server.keepAliveTimeout = 120_000;

function checkSignature(request) {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    try {
      verify(Buffer.concat(chunks), request.headers, { scheme: standardWebhooks, secrets: [secret] });
    } catch {
      refused += 1;
    }
  });
}

setInterval(() => {
  if (received.size === told || !process.connected) return;
  told = received.size;
  sendNews({ received: told, atMs: performance.now() });
}, NEWS_EVERY_MS).unref();

serveCalls({
  async open(options) {
    secret = options.secret;
    await new Promise((resolve) => server.listen(0, "127.0.0.1", 8192, resolve));
    return { port: server.address().port };
  },
  /** `received`: events, each once; `requests`: all that came. */
  count: () => ({ received: received.size, requests, duplicates, refused, atMs: performance.now() }),
  /** Begins anew. */
  reset({ notesArrivals = false } = {}) {
    received = new Set();
    duplicates = 0;
    requests = 0;
    refused = 0;
    told = 0;
    arrivals = notesArrivals ? new Map() : null;
  },
  /** Nanoseconds on the machine's monotonic clock, by event id. */
  arrivals: () => [...(arrivals ?? [])].map(([id, at]) => [id, Number(at)]),
  close() {
    server.closeAllConnections();
    server.close();
  },
});
