import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openDispatcher, TENANT, untilDelivery } from "./open-dispatcher.js";

const PROGRAM = fileURLToPath(new URL("../../../examples/send-webhooks/receiver.py", import.meta.url));
const SECRET = "the-secret-of-this-example";

/** Starts the receiver that verifies as seed 003 does in Python; null where there is no Python. */
async function startReceiver(): Promise<string | null> {
  const child = spawn("python3", [PROGRAM], { env: { ...process.env, WEBHOOK_SECRET: SECRET, PORT: "0" } });
  onTestFinished(() => void child.kill());
  const failed = once(child, "error").then(() => null);
  const said = once(createInterface({ input: child.stdout }), "line").then(
    ([line]) => /http:\S+/.exec(line)?.[0] ?? "",
  );
  return Promise.race([said, failed]);
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("A5 A3 W4 a receiver in Python accepts what the dispatcher sends, and refuses another secret", async (context) => {
    const url = await startReceiver();
    if (url === null && process.env.CI !== "true") return context.skip("no python3 is installed");
    const { dispatcher } = await openDispatcher(databases, { retrySchedule: { delaysMs: [1] } });
    await dispatcher.start();
    const target = { url: url ?? "", scheme: "ai-support", profile: "support" };
    const create = (events: readonly string[], secret: string) =>
      dispatcher.endpoints.create({ tenantId: TENANT, target, events, secret });
    await create(["ticket.*"], SECRET);
    const data = { ticket_number: "TKT-2026-001", subject: "Größe fehlt" };
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data });
    const delivered = await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(delivered.log).toMatchObject([{ status: 200, responseBody: "ticket.created TKT-2026-001 Größe fehlt" }]);

    const { id } = await create(["other.event"], "another-secret-of-this-example");
    await expect(dispatcher.endpoints.test({ tenantId: TENANT, id })).resolves.toMatchObject({
      attempt: { status: 401, responseBody: "invalid signature" },
    });
  });
});
