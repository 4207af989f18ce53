// An Express server that takes signed tickets. `sender.py` beside it sends one.
import type { AddressInfo } from "node:net";
import { aiSupport, createMemoryReplayStore, createReplayGuard } from "@hookline/webhook-signing";
import { webhookMiddleware, webhookOf } from "@hookline/webhook-signing/node";
import express from "express";

const secrets = [process.env.WEBHOOK_SECRET ?? ""];
const guard = createReplayGuard(createMemoryReplayStore());
const app = express();

app.post("/api/webhooks/receive", webhookMiddleware({ scheme: aiSupport, secrets }), async (request, response) => {
  const { event, data } = webhookOf(request).json<{ event: string; data: { subject: string } }>();
  // This scheme signs neither an id nor a time: the signature itself tells one message from the next, in lower case
  // because either case verifies.
  const first = await guard.accept({ id: String(request.headers["x-webhook-signature"]).toLowerCase() });
  response.json(first ? { status: "created", event, subject: data.subject } : { status: "duplicate" });
});

const server = app.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/api/webhooks/receive`);
});
