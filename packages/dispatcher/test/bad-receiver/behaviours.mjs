// What the bad receiver does, by path. Each gets `{ socket, write, accept, requestsHere, path }` with a whole request;
// `accept` notes that the event was answered with a success.
import { brotliCompressSync, constants, deflateSync, gzipSync } from "node:zlib";

const CRLF = "\r\n";
const head = (status, ...headers) => [`HTTP/1.1 ${status} Whatever`, ...headers, "", ""].join(CRLF);

/** Writes one piece after another for ever, no faster than it is read. */
function pour({ socket, write }, next, everyMs = 0) {
  const more = () => {
    if (socket.destroyed) return;
    const isTaken = write(next());
    if (isTaken) setTimeout(more, everyMs);
    else socket.once("drain", () => setTimeout(more, everyMs));
  };
  more();
}

/** A beginning, and then the same again and again. */
const endless = (beginning, piece, everyMs) => (exchange) => {
  exchange.write(beginning);
  pour(exchange, () => piece, everyMs);
};

/** So many bytes a turn that a deadline is waited for, and a slow machine is left something for it. */
const GENTLY_MS = 5;
const MANY = 16_384;

const says =
  (text) =>
  ({ write }) =>
    void write(text);
const saysAndCloses =
  (text) =>
  ({ socket, write }) => {
    write(text);
    socket.end();
  };
/** A success, whatever is wrong with the rest of it. */
const accepts = (text) => (exchange) => {
  exchange.accept();
  exchange.write(text);
};

const ZEROS = Buffer.alloc(20_000_000);
const QUICK = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const packed = (encoding, body, status = 500) =>
  accepting(status, ({ write }) => {
    write(head(status, `content-encoding: ${encoding}`, `content-length: ${body.length}`));
    write(body);
  });

function accepting(status, behave) {
  return (exchange) => {
    if (status < 300) exchange.accept();
    behave(exchange);
  };
}

const layers = (count, body) => (count === 0 ? body : layers(count - 1, gzipSync(body)));
const text = (status, body, ...headers) =>
  `${head(status, ...headers, `content-length: ${Buffer.byteLength(body)}`)}${body}`;
const chunk = (body) => `${Buffer.byteLength(body).toString(16)}${CRLF}${body}${CRLF}`;
const CHUNKED = "transfer-encoding: chunked";

/** With the head of the request, before its body is there. */
export const EARLY = {
  "resets-while-it-is-sent-to": (socket) => socket.resetAndDestroy(),
  "closes-before-the-body": (socket) => socket.end(),
};

export const BEHAVIOURS = {
  // Says nothing, or takes its time.
  "never-answers": () => {},
  "drips-the-head": (exchange) => {
    const letters = [..."HTTP/1.1 200 OK"];
    pour(exchange, () => letters.shift() ?? " ", 20);
  },
  "stops-in-the-head": says(`HTTP/1.1 200 OK${CRLF}content-le`),
  "drips-the-body": accepting(200, endless(head(200, "content-length: 1000000"), ".", 20)),
  "stops-in-the-body": says(`${head(500, "content-length: 100")}begun`),

  // Goes away.
  "closes-at-once": ({ socket }) => socket.end(),
  resets: ({ socket }) => socket.resetAndDestroy(),
  "resets-while-it-is-sent-to": () => {},
  "closes-before-the-body": () => {},
  "closes-in-the-head": saysAndCloses(`HTTP/1.1 200 OK${CRLF}content-le`),
  "closes-after-the-head": accepting(200, saysAndCloses(head(200, "content-length: 10"))),
  "closes-in-the-body": saysAndCloses(`${head(500, "content-length: 100")}begun`),
  "closes-in-a-chunk": saysAndCloses(`${head(500, CHUNKED)}ff${CRLF}begun`),
  "resets-in-the-body": ({ socket, write }) => {
    write(`${head(500, "content-length: 100")}begun`);
    setTimeout(() => socket.resetAndDestroy(), 20);
  },

  // Speaks something else.
  "speaks-http-0.9": saysAndCloses("<html>hello</html>"),
  "speaks-http-2": says(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 255, 255])),
  "sends-a-preface": says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  "asks-back": says("GET / HTTP/1.1\r\nhost: you\r\n\r\n"),
  "speaks-smtp": says("220 mail.example ESMTP\r\n"),
  "speaks-tls": says(Buffer.from([21, 3, 1, 0, 2, 2, 40])),
  "switches-protocols": says(head(101, "upgrade: websocket", "connection: upgrade")),

  // Writes a head that is none.
  "status-of-two-digits": says("HTTP/1.1 20 OK\r\n\r\n"),
  "status-of-four-digits": says("HTTP/1.1 2000 OK\r\n\r\n"),
  "status-999": says(text(999, "")),
  "version-9": says("HTTP/9.9 200 OK\r\n\r\n"),
  "header-without-colon": says(head(200, "no colon here")),
  "header-with-blank": says(head(200, "bad name: x")),
  "header-with-nul": says(head(200, "x-nul: a\0b")),
  "header-folded": says(head(204, "x-folded: a\r\n b")),
  "header-of-a-prototype": accepts(text(200, "ok", "__proto__: x", "constructor: y", "__proto__: z")),
  "header-too-long": says(head(200, `x-long: ${"x".repeat(1_000_000)}`)),
  "endless-headers": endless("HTTP/1.1 200 OK\r\n", "x-again: and again\r\n".repeat(500)),
  "endless-header": endless("HTTP/1.1 200 OK\r\nx-endless: ", Buffer.alloc(MANY, "x")),
  "endless-reason": endless("HTTP/1.1 200 ", Buffer.alloc(MANY, "x"), GENTLY_MS),
  "endless-blank-lines": endless(CRLF, CRLF.repeat(1_000), GENTLY_MS),

  // Promises an answer.
  "continues-unasked": says(head(100) + head(204)),
  "hints-early": accepts(head(103, "link: </a>") + head(204)),
  "endless-100": endless("", head(100).repeat(100)),
  "endless-102": endless("", head(102).repeat(100)),
  "endless-103": endless("", head(103, "link: </a>").repeat(100)),

  // Is not as long as it says.
  "shorter-than-its-body": accepts(`${head(200, "content-length: 2")}ok, and more than was said`),
  "length-below-zero": says(`${head(200, "content-length: -1")}x`),
  "length-no-number": says(`${head(200, "content-length: many")}x`),
  "two-lengths": says(`${head(200, "content-length: 1", "content-length: 2")}xx`),
  "length-and-chunks": says(`${head(200, "content-length: 1", CHUNKED)}${chunk("x")}0${CRLF}${CRLF}`),
  "no-content-with-a-body": accepts(`${head(204)}a body`),
  "chunk-of-no-size": says(`${head(500, CHUNKED)}zz${CRLF}x`),
  "chunk-beyond-all-sizes": says(`${head(500, CHUNKED)}${"F".repeat(40)}${CRLF}x`),

  // Does not end.
  "endless-body": accepting(200, endless(head(200), Buffer.alloc(MANY, "x"))),
  "endless-chunks": accepting(200, endless(head(200, CHUNKED), chunk("x".repeat(MANY)))),
  "endless-chunk-extension": accepting(200, endless(`${head(200, CHUNKED)}1;`, Buffer.alloc(MANY, "x"), GENTLY_MS)),
  "endless-trailers": accepting(200, endless(`${head(200, CHUNKED)}0${CRLF}`, "x-again: and again\r\n".repeat(500))),
  "many-small-chunks": says(head(500, CHUNKED) + chunk("x").repeat(60_000)),

  // Packs what it answers.
  "gzip-bomb": packed("gzip", gzipSync(ZEROS)),
  "deflate-bomb": packed("deflate", deflateSync(ZEROS)),
  "brotli-bomb": packed("br", brotliCompressSync(ZEROS, QUICK)),
  "gzip-in-gzip": packed("gzip, gzip, gzip", layers(3, ZEROS)),
  "gzip-a-hundred-times": packed(Array(100).fill("gzip").join(", "), gzipSync("x")),
  "gzip-that-is-cut": packed("gzip", gzipSync("x".repeat(1_000)).subarray(0, 15)),
  "gzip-that-is-none": packed("gzip", Buffer.from("plain"), 200),
  "brotli-that-is-gzip": packed("br", gzipSync("x")),
  "packed-as-nobody-does": packed("rot13", Buffer.from("uryyb")),
  "packed-without-a-body": accepts(head(204, "content-encoding: gzip")),

  // Sends elsewhere.
  "redirects-to-itself": ({ write, path }) => void write(text(302, "", `location: ${path}`)),
  "redirects-to-the-metadata": says(text(307, "", "location: http://169.254.169.254/latest/meta-data/")),
  "redirects-nowhere": says(text(301, "")),
  "redirects-within": says(text(308, "", "location: /elsewhere")),

  // Wants to be left alone.
  "retry-after-for-ever": says(text(503, "", `retry-after: ${"9".repeat(30)}`)),
  "retry-after-year-9999": says(text(429, "", "retry-after: Fri, 31 Dec 9999 23:59:59 GMT")),
  "retry-after-the-past": says(text(503, "", "retry-after: Thu, 01 Jan 1970 00:00:00 GMT")),
  "retry-after-below-zero": says(text(503, "", "retry-after: -1")),
  "retry-after-no-number": says(text(503, "", "retry-after: 1e309, soon")),

  // Writes what is no text.
  "no-utf-8": says(
    Buffer.concat([
      Buffer.from(head(500, "content-length: 256")),
      Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte)),
    ]),
  ),
  "half-a-character": says(text(500, `${"x".repeat(4_095)}😀`)),
  "header-no-utf-8": says(Buffer.from(head(500, "x-bytes: \xff\xfe", "content-length: 0"), "latin1")),

  // Does not keep to one answer a request, on a connection that is used again.
  "answers-twice": (exchange) => {
    exchange.accept();
    const own = text(200, `own ${exchange.id}`);
    exchange.write(exchange.requestsHere === 1 ? own + text(200, "smuggled") : own);
  },
  "answers-once-more-later": (exchange) => {
    exchange.accept();
    exchange.write(text(200, `own ${exchange.id}`));
    setTimeout(() => exchange.write(text(200, "smuggled")), 20);
  },
  "closes-when-it-is-used-again": (exchange) => {
    if (exchange.requestsHere > 1) return void exchange.socket.destroy();
    exchange.accept();
    exchange.write(text(200, "ok", "keep-alive: timeout=600"));
  },
  "closes-when-it-has-answered": (exchange) => {
    exchange.accept();
    exchange.write(text(200, "ok", "keep-alive: timeout=600"));
    exchange.socket.end();
  },
};
