// What the API does at least for a batch: verify, unpack, parse, answer for each item. Nothing is stored, so that what is
// compared is the way there.
import { createServer } from "node:http";
import { ingressScheme } from "@hookline/connector-discord";
import { verify } from "@hookline/webhook-signing";
import { serveCalls } from "../deliveries/program.mjs";

let server;
let items = 0;
let requests = 0;

serveCalls({
  async open({ secret }) {
    server = createServer((request, response) => {
      const chunks = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const { json } = verify(Buffer.concat(chunks), request.headers, { scheme: ingressScheme, secrets: [secret] });
        const batch = json();
        requests += 1;
        items += batch.items.filter(({ type }) => type === "MESSAGE_CREATE").length;
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ results: batch.items.map(({ key }) => ({ key, status: "stored" })) }));
      });
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { url: `http://127.0.0.1:${server.address().port}` };
  },
  count: () => ({ items, requests }),
  cpuMs,
  close: () => server.closeAllConnections(),
});

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
