// Answers by HTTP in every bad way there is, each under a path of its own (see behaviours.mjs), until it is told to mend
// its ways. Started by start-bad-receiver.ts, whose messages it answers.
import { createServer } from "node:net";
import { BEHAVIOURS, EARLY } from "./behaviours.mjs";

const sockets = new Set();
/** What came to each path, and what went out of it. */
const seen = new Map();
let isMended = false;

function noteOf(path) {
  const known = seen.get(path) ?? { requests: 0, accepted: [], writtenBytes: 0, closed: 0 };
  seen.set(path, known);
  return known;
}

/** Calls back with each whole request, one after another; with its head alone for what does not wait for more. */
function readRequests(socket, { onHead, onRequest }) {
  let received = Buffer.alloc(0);
  let isHeadSeen = false;
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const headEnd = received.indexOf("\r\n\r\n");
      if (headEnd < 0) return;
      const head = received.subarray(0, headEnd).toString("latin1");
      const request = {
        name: head.split(" ", 2)[1].slice(1),
        id: /^webhook-id: (.*)$/im.exec(head)?.[1].trim() ?? "",
      };
      if (!isHeadSeen) onHead(request);
      isHeadSeen = true;
      const end = headEnd + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      if (received.length < end) return;
      received = received.subarray(end);
      isHeadSeen = false;
      onRequest(request);
    }
  });
}

const server = createServer((socket) => {
  sockets.add(socket);
  let current = null;
  let requestsHere = 0;
  socket.on("error", () => {});
  socket.on("close", () => {
    sockets.delete(socket);
    if (current !== null) current.closed += 1;
  });
  readRequests(socket, {
    onHead({ name }) {
      current = noteOf(name);
      if (!isMended) EARLY[name]?.(socket);
    },
    onRequest({ name, id }) {
      const note = noteOf(name);
      note.requests += 1;
      requestsHere += 1;
      const behave = BEHAVIOURS[name];
      if (isMended || behave === undefined) {
        note.accepted.push(id);
        return void socket.write("HTTP/1.1 204 No Content\r\n\r\n");
      }
      behave({
        socket,
        id,
        requestsHere,
        path: `/${name}`,
        accept: () => note.accepted.push(id),
        write(data) {
          note.writtenBytes += data.length;
          return socket.write(data);
        },
      });
    },
  });
});

/** Closes each connection before anything was said. */
const closing = createServer((socket) => socket.on("error", () => {}).destroy());

const listen = (listener) =>
  new Promise((resolve) => listener.listen(0, "127.0.0.1", () => resolve(listener.address().port)));

process.on("message", ({ ask, question }) => {
  if (question === "mend") isMended = true;
  process.send({ ask, answer: Object.fromEntries(seen) });
});
process.on("disconnect", () => process.exit());
const [port, closingPort] = await Promise.all([listen(server), listen(closing)]);
process.send({ ask: 0, answer: { port, closingPort } });
