// A receiver of webhooks, as a customer would write it: verify the signature over the raw body, remember, answer 204.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { standardWebhooks, verify, WebhookVerificationError } from "@hookline/webhook-signing";

const { PORT, RECEIVER_SECRET, RECEIVER_FILE } = process.env;
if (!PORT || !RECEIVER_SECRET || !RECEIVER_FILE) {
  console.error("The receiver needs PORT, RECEIVER_SECRET and RECEIVER_FILE.");
  process.exit(1);
}
const file = RECEIVER_FILE;
const secrets = [RECEIVER_SECRET];

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.setHeader("content-type", "application/json");
    response.end(`[${(existsSync(file) ? readFileSync(file, "utf8") : "").trim().replaceAll("\n", ",\n")}]`);
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    try {
      const webhook = verify(Buffer.concat(chunks), request.headers, { scheme: standardWebhooks, secrets });
      appendFileSync(file, `${JSON.stringify({ id: webhook.id, ...(webhook.json() as object) })}\n`);
      response.writeHead(204).end();
    } catch (error) {
      const refused = error instanceof WebhookVerificationError;
      console.error(error);
      response.writeHead(refused ? 401 : 500).end();
    }
  });
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`Receiving at http://127.0.0.1:${PORT}`));
process.once("SIGTERM", () => server.close(() => process.exit(0)));
