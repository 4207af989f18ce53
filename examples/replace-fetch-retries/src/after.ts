// The same with the dispatcher: the event is stored by the transaction that stores the ticket, and sent from there.
import { createDispatcher } from "@hookline/dispatcher";
import { openDatabase } from "@hookline/postgres";

const { DATABASE_URL = "pglite://memory", RECEIVER_URL = "", WEBHOOK_SECRET = "" } = process.env;
const database = await openDatabase(DATABASE_URL);
await database.query("create table if not exists tickets (number integer primary key)");

const dispatcher = createDispatcher({
  database,
  encryptionKey: process.env.ENCRYPTION_KEY ?? Buffer.alloc(32).toString("base64"),
  // So soon for this demonstration. Without this line: ten attempts over 75 hours.
  retrySchedule: { delaysMs: [100, 200, 400, 800, 1_600, 3_200] },
  // The receiver runs on this machine. Leave this line out in production.
  addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
});
await dispatcher.migrate();
await dispatcher.start();

// The receiver's URL and secret become an endpoint. It gets the same body, signed in the same way, so it needs no change.
const target = { url: RECEIVER_URL, scheme: "ai-support", profile: "support" };
await dispatcher.endpoints.create({ tenantId: "acme", target, events: ["ticket.*"], secret: WEBHOOK_SECRET });

async function createTicket(number: number): Promise<void> {
  await dispatcher.transaction(async (transaction) => {
    await transaction.query("insert into tickets values ($1)", [number]);
    const event = { tenantId: "acme", type: "ticket.created", data: { ticket: { number } } };
    await dispatcher.publish(event, { transaction });
  });
}

await createTicket(1);

// Whoever asks sees what came of it.
for (let status = "pending"; status === "pending"; ) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { deliveries } = await dispatcher.deliveries.list({ tenantId: "acme" });
  const [delivery] = deliveries;
  if (delivery === undefined || delivery.status === "pending") continue;
  status = delivery.status;
  console.log(`${status} at attempt ${delivery.attempts}`);
}
await dispatcher.stop();
await database.close();
