import { type Destination, defineDestination } from "@hookline/core";
import { expect, it } from "vitest";
import type { NewAutomation } from "../src/index.js";
import { describeEmbedded, fixedClock, openWorld, until, type WorldOptions } from "./support/world.js";

const TENANT = "acme";
const MAIL = { to: "anybody@example.com", url: "https://phishing.example", platformUserName: "nelly" };

const sending = (destination: string, target: unknown = MAIL): NewAutomation => ({
  tenantId: TENANT,
  name: `To ${destination}`,
  trigger: { events: ["support.requested"] },
  steps: [{ id: "send", action: "message.send", input: { destination, target, data: {} } }],
});

describeEmbedded("what automations may do", (databases) => {
  async function open(options: WorldOptions = {}) {
    const world = await openWorld(databases, { start: true, messageDestinations: ["chat"], ...options });
    const received: unknown[] = [];
    const chat = defineDestination({
      id: "chat",
      plan: (_event, { endpoint }) => ({
        kind: "run",
        async run() {
          received.push(endpoint.target);
          return { outcome: "delivered" };
        },
      }),
    });
    world.dispatcher.use(chat as Destination);
    const executionOf = async (id: string) => {
      const { executions } = await world.engine.automations.executions({ tenantId: TENANT, automationId: id });
      return executions[0];
    };
    return { ...world, received, executionOf };
  }

  it.each(["discord-confirm-mail", "discord-after-bind", "automation", "http-request", "{{ destination }}"])(
    "refuses to store a message.send to %s, which the app does not allow",
    async (destination) => {
      const { engine } = await open({ start: false });
      await expect(engine.automations.create(sending(destination))).rejects.toMatchObject({
        code: "invalid_automation",
        message: expect.stringContaining("steps.0.input.destination"),
      });
      const { id } = await engine.automations.create(sending("chat"));
      await expect(
        engine.automations.update({ tenantId: TENANT, id }, { steps: sending(destination).steps }),
      ).rejects.toMatchObject({ code: "invalid_automation" });
    },
  );

  it("sends to a destination that is allowed, and refuses any other when a stored automation runs", async () => {
    const mails: unknown[] = [];
    const mailer = {
      async send(mail: unknown) {
        mails.push(mail);
      },
    };
    const { engine, dispatcher, database, schema, received, executionOf } = await open({ mailer });
    const made = await engine.automations.create(sending("chat", { channel: "general" }));
    const key = { tenantId: TENANT, id: made.id };
    await engine.automations.activate(key);
    await dispatcher.publish({ tenantId: TENANT, type: "support.requested", data: {} });
    await until(() => received.length === 1);
    expect(received).toEqual([{ channel: "general" }]);
    // As a release that allowed everything stored it.
    await database.query(`update "${schema}".automation_versions set definition = $1`, [
      JSON.stringify(sending("discord-confirm-mail")),
    ]);
    await dispatcher.publish({ tenantId: TENANT, type: "support.requested", data: {} });
    await until(async () => (await executionOf(made.id))?.status === "failed");
    expect(await executionOf(made.id)).toMatchObject({
      error: expect.stringContaining('may not send to "discord-confirm-mail"'),
      steps: [{ status: "failed", output: null }],
    });
    expect(mails).toEqual([]);
  });

  it("ends a loop: an automation that its own event triggers is dead after ten in a row", async () => {
    const { engine, dispatcher } = await open();
    const { id } = await engine.automations.create({
      tenantId: TENANT,
      name: "Echo",
      trigger: { events: ["*"] },
      steps: [{ id: "again", action: "event.publish", input: { type: "echo", data: { of: "{{ event.id }}" } } }],
    });
    await engine.automations.activate({ tenantId: TENANT, id });
    await dispatcher.publish({ tenantId: TENANT, type: "start", data: {} });
    const page = () => engine.automations.executions({ tenantId: TENANT, automationId: id });
    await until(async () => (await page()).totals.failed > 0);
    const { totals, executions } = await page();
    expect(totals).toEqual({ succeeded: 10, failed: 1, skipped: 0 });
    const last = executions.find(({ status }) => status === "failed");
    expect(last?.error).toContain("10 automations in a row");
    const { events } = await dispatcher.events.list({ tenantId: TENANT, type: "echo" });
    expect(events).toHaveLength(10);
    const delivery = () => dispatcher.deliveries.get({ tenantId: TENANT, id: last?.id ?? "" });
    await until(async () => (await delivery())?.status === "dead");
  });

  it("keeps executions for 30 days and 1,000 of an automation, and those that are under way", async () => {
    const clock = fixedClock();
    const { engine, dispatcher, database, schema, executionOf } = await open({ clock });
    const { id } = await engine.automations.create(sending("chat"));
    await engine.automations.activate({ tenantId: TENANT, id });
    const store = (prefix: string, count: number, { ended = true, startedMs = clock.now() } = {}) =>
      database.query(
        `insert into "${schema}".automation_executions
           (id, tenant_id, automation_id, version, event_id, event_type, status, started_at, ended_at)
         select $1::text || lpad(n::text, 6, '0'), $2, $3, 1, 'evt', 'x', $4, $5::timestamptz,
                case when $6::boolean then $5::timestamptz end
         from generate_series(1, $7::integer) n`,
        [prefix, TENANT, id, ended ? "succeeded" : "running", new Date(startedMs), ended, count],
      );
    await store("dlv_00a", 2, { startedMs: clock.now() - 30 * 24 * 3600 * 1000 });
    await store("dlv_00b", 1, { ended: false });
    await store("dlv_00c", 1_010);
    clock.advance(60_001);
    await dispatcher.publish({ tenantId: TENANT, type: "support.requested", data: {} });
    await until(async () => (await executionOf(id))?.status === "succeeded");
    const kept = () => database.query<{ id: string }>(`select id from "${schema}".automation_executions`);
    // The one that ran, the newest of the others, and the one that is under way.
    await until(async () => (await kept()).length === 1_001);
    const ids = (await kept()).map((row) => row.id);
    expect(ids).toContain("dlv_00b000001");
    expect(ids).not.toContain("dlv_00a000001");
    expect(ids).not.toContain("dlv_00c000001");
  });

  it("runs afterBind for the tenant of its delivery, whatever the target says", async () => {
    const { dispatcher, coldConnect, bound } = await open();
    const account = { platformUserId: "1", platformUserName: "nelly" };
    const { contactId } = await coldConnect.bind({ ...account, email: "jo@example.com", tenantId: "victim" });
    await until(() => bound.length === 1);
    const { deliveryId } = await dispatcher.send({
      tenantId: TENANT,
      destination: "discord-after-bind",
      target: { ...account, tenantId: "victim", email: "jo@example.com", contactId },
      data: {},
    });
    const delivery = () => dispatcher.deliveries.get({ tenantId: TENANT, id: deliveryId });
    await until(async () => (await delivery())?.status === "dead");
    expect(bound.map(({ tenantId }) => tenantId)).toEqual(["victim"]);
  });
});
