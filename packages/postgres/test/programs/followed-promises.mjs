// Tells whether Node follows promises from one asynchronous step to the next, around transactions.
import { executionAsyncId } from "node:async_hooks";
import { openTestPglite } from "../../dist/testing.js";

async function isFollowed() {
  await Promise.resolve();
  return executionAsyncId() !== 0;
}

const database = await openTestPglite();
const before = await isFollowed();
const inside = await database.transaction(isFollowed);
const committed = await isFollowed();
await database.transaction(() => Promise.reject(new Error("rolled back"))).catch(() => undefined);
const rolledBack = await isFollowed();
await database.close();
process.stdout.write(JSON.stringify({ before, inside, committed, rolledBack }));
