import { createReceiver } from "@hookline/dispatcher/testing";
import { expect, it, onTestFinished } from "vitest";
import { openSources, orders } from "./support/sources.js";
import { describeMatrix, until } from "./support/world.js";

const TENANT = "acme";
const HEADER = "x-hookline-automation-depth";

describeMatrix("automations that trigger each other over HTTP", (databases) => {
  /** A source whose event runs an automation that calls `url`, which may be the source itself. */
  async function open(urlOf: (source: string) => string, headers: Record<string, string> = {}) {
    const addressGuard = { allow: ["127.0.0.0/8"], allowHttp: true };
    const world = await openSources(databases, [orders()], { start: true, addressGuard });
    const { engine, url } = world;
    const source = await engine.sources.create({
      tenantId: TENANT,
      endpoint: "echo",
      fields: [{ name: "mail", type: "string", identity: "email" }],
      bearerToken: null,
      secret: null,
      open: true,
    });
    const { id } = await engine.automations.create({
      tenantId: TENANT,
      name: "Echo",
      active: true,
      trigger: { events: [source.eventType] },
      steps: [
        {
          id: "call",
          action: "http.request",
          input: { url: urlOf(url + source.path), headers, body: { mail: "jo@example.com", of: "{{ event.id }}" } },
        },
      ],
    });
    const send = async (sent: Record<string, string> = {}) => {
      const answer = await fetch(url + source.path, { method: "POST", headers: sent, body: "{}" });
      expect(answer.status).toBe(200);
    };
    const page = () => engine.automations.executions({ tenantId: TENANT, automationId: id });
    /** After one failure, and so many successes: each is written down only after the next one may have begun. */
    const ended = async (successes: number) => {
      await until(async () => {
        const { failed, succeeded } = (await page()).totals;
        return failed > 0 && succeeded >= successes;
      });
      return await page();
    };
    return { ...world, source, send, page, ended };
  }

  it("end after ten in a row, by a source of the same API, as those by events do", async () => {
    const { send, ended, engine, source } = await open((itself) => itself);
    await send();
    const { totals, executions } = await ended(10);
    expect(totals).toEqual({ succeeded: 10, failed: 1, skipped: 0 });
    expect(executions.find(({ status }) => status === "failed")?.error).toContain("10 automations in a row");
    expect((await engine.sources.executions({ sourceId: source.id })).totals.succeeded).toBe(11);
  });

  it("end after ten in a row whatever a step itself says of its depth", async () => {
    const { send, ended } = await open((itself) => itself, { "X-Hookline-Automation-Depth": "0" });
    await send();
    expect((await ended(10)).totals).toEqual({ succeeded: 10, failed: 1, skipped: 0 });
  });

  it.each([
    ["7", 3],
    ["10", 0],
    ["99999999999999999999", 0],
  ])("end sooner for a caller who says that %s stand behind its request", async (depth, runs) => {
    const { send, ended } = await open((itself) => itself);
    await send({ [HEADER]: depth });
    expect((await ended(runs)).totals).toEqual({ succeeded: runs, failed: 1, skipped: 0 });
  });

  it.each(["-3", "1.5", "1e3", "many", "7, 7"])("take %j for no depth at all", async (depth) => {
    const receiver = await createReceiver();
    onTestFinished(() => receiver.close());
    const { send } = await open(() => receiver.url);
    await send({ [HEADER]: depth });
    const [request] = await receiver.waitFor(1);
    expect(request?.headers[HEADER]).toBe("1");
  });
});
