import { createDispatcher } from "@hookline/dispatcher";
import { createReceiver } from "@hookline/dispatcher/testing";
import { fromDrizzleTransaction, fromPool } from "@hookline/postgres";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable } from "drizzle-orm/pg-core";
import pg from "pg";

const orders = pgTable("example_orders", { id: integer().primaryKey(), total: integer().notNull() });

// One pool for both.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const db = drizzle(pool);
const dispatcher = createDispatcher({
  database: fromPool(pool),
  encryptionKey: process.env.ENCRYPTION_KEY ?? Buffer.alloc(32).toString("base64"),
  // The receiver below runs on this machine. Leave this line out in production.
  addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
});
await dispatcher.migrate();
await dispatcher.start();
await db.execute(sql`create table if not exists example_orders (id integer primary key, total integer not null)`);
await db.delete(orders);

const receiver = await createReceiver();
const target = { url: receiver.url };
const endpoint = await dispatcher.endpoints.create({ tenantId: "shop", target, events: ["order.*"] });
receiver.useSecret(endpoint.secret ?? "");

async function placeOrder(id: number, total: number): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.insert(orders).values({ id, total });
    const event = { tenantId: "shop", type: "order.placed", data: { id, total } };
    await dispatcher.publish(event, { transaction: fromDrizzleTransaction(tx, sql) });
    if (total > 1_000) throw new Error(`order ${id} is refused: no credit`);
  });
}

await placeOrder(1, 5_000).catch((error: Error) => console.log(error.message));
await placeOrder(2, 42);

const [request] = await receiver.waitFor(1);
console.log("stored", JSON.stringify(await db.select().from(orders)));
console.log("received", request?.verified ? "verified" : "not verified", request?.body);

await dispatcher.endpoints.delete({ tenantId: "shop", id: endpoint.id });
await dispatcher.stop();
await receiver.close();
await pool.end();
