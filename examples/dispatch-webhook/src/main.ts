import { createDispatcher } from "@hookline/dispatcher";
import { createReceiver } from "@hookline/dispatcher/testing";
import { openDatabase } from "@hookline/postgres";

// Embedded here; the same program runs on "postgres://…".
const database = await openDatabase(process.env.DATABASE_URL ?? "pglite://memory");
const dispatcher = createDispatcher({
  database,
  encryptionKey: process.env.ENCRYPTION_KEY ?? Buffer.alloc(32).toString("base64"),
  // The receiver below runs on this machine. Leave this line out in production.
  addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
});
await dispatcher.migrate();
await dispatcher.start();

const receiver = await createReceiver();
const target = { url: receiver.url };
const endpoint = await dispatcher.endpoints.create({ tenantId: "acme", target, events: ["ticket.*"] });
receiver.useSecret(endpoint.secret ?? "");
await database.query("create table if not exists tickets (number integer)");
await dispatcher.transaction(async (transaction) => {
  await transaction.query("insert into tickets values ($1)", [1]);
  await dispatcher.publish({ tenantId: "acme", type: "ticket.created", data: { number: 1 } }, { transaction });
});

const [request] = await receiver.waitFor(1);
console.log(request?.verified ? "verified" : "not verified", request?.body);
await dispatcher.stop();
await receiver.close();
await database.close();
