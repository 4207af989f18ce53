// @hookline/dispatcher as it comes, with everything on: signing, address guard, attempt log, limits.
import { createDispatcher } from "@hookline/dispatcher";
import { openDatabase } from "@hookline/postgres";
import { EVENT_TYPE, tenantOf } from "../events.mjs";

export const DISPATCHER_OPTIONS = {
  encryptionKey: Buffer.alloc(32, 7).toString("base64"),
  addressGuard: {
    allow: ["127.0.0.0/8"],
    allowHttp: true,
    resolve: async () => [{ address: "127.0.0.1", family: 4 }],
  },
};

/** @type {import("../sender.program.mjs").ContestantFactory} */
export async function createContestant({ databaseUrl, target }) {
  const database = await openDatabase(databaseUrl);
  const dispatcher = createDispatcher({ ...DISPATCHER_OPTIONS, database });
  await dispatcher.migrate();
  await makeEndpoints(dispatcher, target);
  const inputOf = ({ origin, data }) => ({ tenantId: tenantOf(origin), type: EVENT_TYPE, data });
  return {
    dispatcher,
    start: () => dispatcher.start(),
    stop: () => dispatcher.stop(),
    publish: async (event) => (await dispatcher.publish(inputOf(event))).id,
    publishMany: (events) => dispatcher.publishMany(events.map(inputOf)),
    async recorded() {
      const [row] = await database.query(
        "select count(*)::integer as count from hookline.attempts where ending = 'delivered'",
      );
      return row.count;
    },
    close: () => database.close(),
  };
}

/** One for each origin, unless an earlier process made them. */
async function makeEndpoints(dispatcher, { secret, urls }) {
  for (const [origin, url] of urls.entries()) {
    const tenantId = tenantOf(origin);
    const { endpoints } = await dispatcher.endpoints.list({ tenantId });
    if (endpoints.length > 0) continue;
    await dispatcher.endpoints.create({ tenantId, target: { url }, secret, events: ["ticket.*"] });
  }
}
