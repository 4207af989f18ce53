// The usual way: store, then post with `fetch` and some retries in memory.
import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase } from "@hookline/postgres";

const { DATABASE_URL = "pglite://memory", RECEIVER_URL = "", WEBHOOK_SECRET = "" } = process.env;
const database = await openDatabase(DATABASE_URL);
await database.query("create table if not exists tickets (number integer primary key)");

async function createTicket(number: number): Promise<void> {
  await database.query("insert into tickets values ($1)", [number]);
  // From here on the event exists in memory only: a crash or a deploy loses it.
  await postWebhook({ event: "ticket.created", timestamp: new Date().toISOString(), data: { ticket: { number } } });
}

async function postWebhook(payload: { event: string; timestamp: string; data: unknown }): Promise<void> {
  const body = JSON.stringify(payload);
  const signature = createHmac("sha256", WEBHOOK_SECRET).update(body).digest("hex");
  const headers = {
    "content-type": "application/json",
    "x-webhook-event": payload.event,
    "x-webhook-signature": signature,
  };
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    try {
      const response = await fetch(RECEIVER_URL, { method: "POST", body, headers });
      if (response.ok) return;
    } catch (error) {
      console.log(`attempt ${attempt}: ${error}`);
    }
    await sleep(10 * 2 ** attempt);
  }
  console.log("given up: nobody will know");
}

await createTicket(1);
await database.close();
