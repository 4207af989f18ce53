import { defineAction, type ExternalAction } from "@hookline/core";
import { createReceiver } from "@hookline/dispatcher/testing";
import { expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { createApp, isEngineError, type NewAutomation } from "../src/index.js";
import { describeMatrix, listen, openWorld, until, type World, type WorldOptions } from "./support/world.js";

const TENANT = "acme";

/** A triage ticket of the tests' own; a table stands for the desk. */
const createTicket = defineAction({
  name: "ticket.create",
  kind: "transactional",
  description: "Opens a triage ticket.",
  schema: z.object({
    name: z.string().min(1),
    description: z.string(),
    team: z.string().optional(),
    priority: z.coerce.number().int().min(0).max(3).default(1),
  }),
  async run({ name, description, team, priority }, { transaction, tenantId, idempotencyKey }) {
    const [row] = await transaction.query<{ number: number }>(
      `insert into test_tickets (tenant_id, name, description, team, priority, key)
       values ($1, $2, $3, $4, $5, $6) returning number`,
      [tenantId, name, description, team ?? null, priority, idempotencyKey],
    );
    return { ok: true, output: { number: row?.number } };
  },
});

const TRIAGE: NewAutomation = {
  tenantId: TENANT,
  name: "Triage",
  trigger: { events: ["support.requested"] },
  condition: { "data.priority": { $gte: 1 } },
  steps: [
    {
      id: "ticket",
      action: "ticket.create",
      input: {
        name: "{{ ticketTitle }} ({{ data.customer | upcase }})",
        description: "{% if urgent %}Urgent: {% endif %}{{ ticketDescription }}",
        team: "Support",
        priority: "{{ priority }}",
      },
    },
    {
      id: "tell",
      action: "event.publish",
      input: { type: "ticket.opened", data: { number: "{{ steps.ticket.number }}", from: "{{ event.id }}" } },
    },
  ],
};

const REQUEST = {
  type: "support.requested",
  tenantId: TENANT,
  data: { ticketTitle: "Cannot sign in", ticketDescription: "White page", customer: "anna", priority: 2 },
};

describeMatrix("automations", (databases) => {
  async function open(options: WorldOptions = {}): Promise<World> {
    const world = await openWorld(databases, {
      start: true,
      ...options,
      actions: [createTicket, ...(options.actions ?? [])],
    });
    await world.database.query("drop table if exists test_tickets");
    await world.database.query(
      `create table test_tickets (number int generated always as identity (start with 1001), tenant_id text,
         name text, description text, team text, priority int, key text unique)`,
    );
    onTestFinished(async () => {
      await world.database.query("drop table test_tickets");
    });
    return world;
  }

  const tickets = ({ database }: World) =>
    database.query<{ number: number; name: string }>(
      "select number, name, description, team, priority from test_tickets",
    );

  async function executionsOf({ engine }: World, automationId: string) {
    return (await engine.automations.executions({ tenantId: TENANT, automationId })).executions;
  }

  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => (isEngineError(error) ? error.code : String(error)),
    );

  it("E10 E12 E16 an event becomes a numbered triage ticket by templates, with a record of each step", async () => {
    const world = await open();
    const { engine, dispatcher } = world;
    const { id } = await engine.automations.create(TRIAGE);
    await engine.automations.activate({ tenantId: TENANT, id });
    const { id: eventId } = await dispatcher.publish(REQUEST);
    await until(async () => (await executionsOf(world, id))[0]?.status === "succeeded");
    expect(await tickets(world)).toEqual([
      { number: 1001, name: "Cannot sign in (ANNA)", description: "White page", team: "Support", priority: 2 },
    ]);
    const { events } = await dispatcher.events.list({ tenantId: TENANT, type: "ticket.opened" });
    // A template that is one output keeps the type: the number stays a number.
    expect(events.map(({ data }) => data)).toEqual([{ number: 1001, from: eventId }]);
    const [execution] = await executionsOf(world, id);
    expect(execution).toMatchObject({ eventId, eventType: "support.requested", automationVersion: 1, error: null });
    expect(execution?.steps).toMatchObject([
      { id: "ticket", status: "succeeded", tries: 1, input: { priority: 2 }, output: { number: 1001 } },
      { id: "tell", status: "succeeded", tries: 1 },
    ]);
  });

  it("E16 runs only while it is active, and only what meets its condition", async () => {
    const world = await open();
    const { engine, dispatcher } = world;
    const { id } = await engine.automations.create(TRIAGE);
    const key = { tenantId: TENANT, id };
    await dispatcher.publish(REQUEST);
    await engine.automations.activate(key);
    await dispatcher.publish({ ...REQUEST, data: { ...REQUEST.data, priority: 0 } });
    await until(async () => (await executionsOf(world, id))[0]?.status === "skipped");
    await engine.automations.deactivate(key);
    await dispatcher.publish(REQUEST);
    await engine.automations.activate(key);
    await dispatcher.publish({ ...REQUEST, data: { ...REQUEST.data, ticketTitle: "The last" } });
    await until(async () => (await executionsOf(world, id)).some(({ status }) => status === "succeeded"));
    expect((await tickets(world)).map(({ name }) => name)).toEqual(["The last (ANNA)"]);
    const { totals } = await engine.automations.executions({ tenantId: TENANT, automationId: id });
    expect(totals).toEqual({ succeeded: 1, failed: 0, skipped: 1 });
  });

  it("E16 changes made at the same time leave a subscription to what is active, and to nothing else", async () => {
    const { engine, dispatcher } = await open({ start: false });
    for (let round = 0; round < 8; round += 1) {
      const { id } = await engine.automations.create({ ...TRIAGE, name: `Triage ${round}` });
      const key = { tenantId: TENANT, id };
      const changes = [
        () => engine.automations.activate(key),
        () => engine.automations.deactivate(key),
        () => engine.automations.update(key, { trigger: { events: [`support.of_${round}`] } }),
        () => engine.automations.activate(key),
        ...(round % 2 === 0 ? [() => engine.automations.delete(key)] : []),
      ];
      await Promise.all(changes.map((change) => change().catch(() => null)));
    }
    const active = (await engine.automations.list({ tenantId: TENANT })).filter((automation) => automation.active);
    const { endpoints } = await dispatcher.endpoints.list({ tenantId: TENANT, destination: "automation" });
    expect(endpoints.map(({ events }) => events.join()).sort()).toEqual(
      active.map(({ trigger }) => trigger.events.join()).sort(),
    );
  });

  it("tries a failed step again, and does no finished step twice", async () => {
    let tries = 0;
    const flaky: ExternalAction = defineAction({
      name: "flaky",
      kind: "external",
      description: "Fails twice.",
      schema: z.unknown(),
      async run(_input, { idempotencyKey }) {
        tries += 1;
        if (tries === 1) throw new Error("The line is dead.");
        if (tries === 2) return { ok: false, retry: true, reason: "Busy.", retryAfterMs: 20 };
        return { ok: true, output: { idempotencyKey } };
      },
    });
    const world = await open({ actions: [flaky] });
    const [ticket] = TRIAGE.steps;
    if (ticket === undefined) throw new Error("no step");
    const steps = [ticket, { id: "flaky", action: "flaky", input: null }];
    const { id } = await world.engine.automations.create({ ...TRIAGE, steps });
    await world.engine.automations.activate({ tenantId: TENANT, id });
    await world.dispatcher.publish(REQUEST);
    await until(async () => (await executionsOf(world, id))[0]?.status === "succeeded");
    expect(await tickets(world)).toHaveLength(1);
    const [execution] = await executionsOf(world, id);
    expect(execution?.steps).toMatchObject([
      { id: "ticket", tries: 1 },
      { id: "flaky", tries: 3, output: { idempotencyKey: `automation:${execution?.id}:flaky` } },
    ]);
  });

  it("goes on where a worker was stopped in the middle, with the version that it began with", async () => {
    let release = () => {};
    const begun = deferred();
    let calls = 0;
    const slow: ExternalAction = defineAction({
      name: "slow",
      kind: "external",
      description: "Hangs the first time.",
      schema: z.unknown(),
      run(_input, { signal }) {
        calls += 1;
        if (calls > 1) return Promise.resolve({ ok: true });
        begun.resolve();
        return new Promise((_resolve, reject) => {
          release = () => reject(new Error("The process is gone."));
          signal.addEventListener("abort", () => reject(new Error("Interrupted.")), { once: true });
        });
      },
    });
    const world = await open({ actions: [slow] });
    const { engine, dispatcher } = world;
    const [ticket] = TRIAGE.steps;
    if (ticket === undefined) throw new Error("no step");
    const steps = [ticket, { id: "slow", action: "slow", input: null }];
    const { id } = await engine.automations.create({ ...TRIAGE, steps });
    const key = { tenantId: TENANT, id };
    await engine.automations.activate(key);
    await dispatcher.publish(REQUEST);
    await begun.promise;
    await engine.automations.update(key, { steps: [ticket] });
    release();
    await until(async () => (await executionsOf(world, id))[0]?.status === "succeeded");
    expect(calls).toBe(2);
    expect(await tickets(world)).toHaveLength(1);
    expect((await executionsOf(world, id))[0]).toMatchObject({ automationVersion: 1, steps: [{}, { id: "slow" }] });
    expect(await engine.automations.get(key)).toMatchObject({ version: 2, steps: [{ id: "ticket" }] });
  });

  it("fails for good when a step's input will not do, and takes back what the step had written", async () => {
    const halfway = defineAction({
      name: "halfway",
      kind: "transactional",
      description: "Writes, then refuses.",
      schema: z.unknown(),
      async run(_input, { transaction }) {
        await transaction.query("insert into test_tickets (tenant_id, name) values ('acme', 'half')");
        return { ok: false, retry: false, reason: "Not this one." };
      },
    });
    const world = await open({ actions: [halfway] });
    const { engine, dispatcher } = world;
    const automation = { ...TRIAGE, steps: [{ id: "half", action: "halfway", input: null }] };
    const { id: first } = await engine.automations.create(automation);
    await engine.automations.activate({ tenantId: TENANT, id: first });
    const { id: second } = await engine.automations.create({
      ...TRIAGE,
      name: "Unfit",
      condition: { type: "support.requested" },
    });
    await engine.automations.activate({ tenantId: TENANT, id: second });
    await dispatcher.publish({ ...REQUEST, data: { ...REQUEST.data, priority: 9 } });
    await until(async () => (await executionsOf(world, first))[0]?.status === "failed");
    await until(async () => (await executionsOf(world, second))[0]?.status === "failed");
    expect(await tickets(world)).toEqual([]);
    expect((await executionsOf(world, first))[0]?.error).toBe('Step "half": Not this one.');
    expect((await executionsOf(world, second))[0]?.error).toContain("priority");
  });

  it("E10 makes an HTTP request as a delivery of its own, under the address guard", async () => {
    const world = await open();
    const receiver = await createReceiver();
    onTestFinished(() => receiver.close());
    const { engine, dispatcher } = world;
    const { id } = await engine.automations.create({
      ...TRIAGE,
      steps: [
        {
          id: "call",
          action: "http.request",
          input: { url: receiver.url, headers: { "X-Team": "Support" }, body: { title: "{{ ticketTitle }}" } },
        },
      ],
    });
    await engine.automations.activate({ tenantId: TENANT, id });
    await dispatcher.publish(REQUEST);
    await until(async () => (await executionsOf(world, id))[0]?.status === "succeeded");
    // The guard allows nothing on this machine: the request is refused by the dispatcher, as every delivery is.
    const [execution] = await executionsOf(world, id);
    const { deliveryId } = z.object({ deliveryId: z.string() }).parse(execution?.steps[0]?.output);
    await until(async () => {
      const delivery = await dispatcher.deliveries.get({ tenantId: TENANT, id: deliveryId });
      return (delivery?.log.length ?? 0) > 0;
    });
    const delivery = await dispatcher.deliveries.get({ tenantId: TENANT, id: deliveryId });
    expect(delivery?.log[0]).toMatchObject({ errorCode: "address_refused" });
    expect(receiver.requests).toEqual([]);
  });

  it("E16 shows what each step would get for a sample, and does nothing", async () => {
    const world = await open();
    const { id } = await world.engine.automations.create(TRIAGE);
    const sample = { type: "support.requested", data: { ...REQUEST.data, priority: 7 } };
    expect(await world.engine.automations.test({ tenantId: TENANT, id }, sample)).toMatchObject({
      conditionMet: true,
      steps: [
        {
          id: "ticket",
          input: { name: "Cannot sign in (ANNA)", priority: 7 },
          error: expect.stringContaining("priority"),
        },
        { id: "tell", input: { type: "ticket.opened" }, error: null },
      ],
    });
    expect(await tickets(world)).toEqual([]);
    expect(await executionsOf(world, id)).toEqual([]);
  });

  it.each([
    ["an unknown action", { steps: [{ id: "a", action: "rm", input: {} }] }, "steps.0.action"],
    ["two steps of one id", { steps: [...TRIAGE.steps, ...TRIAGE.steps] }, "another step"],
    ["no step", { steps: [] }, "steps: 1 to 20"],
    [
      "a template that can't be read",
      { steps: [{ id: "a", action: "ticket.create", input: "{% if %}" }] },
      "steps.0.input",
    ],
    ["an unknown filter", { steps: [{ id: "a", action: "ticket.create", input: "{{ a | nope }}" }] }, "steps.0.input"],
    ["a condition that runs code", { condition: { $where: "1" } }, "condition.$where"],
    ["a condition with a pattern", { condition: { a: { $regex: "x" } } }, "$regex"],
    ["no event type", { trigger: { events: [] } }, "trigger.events"],
    ["a pattern in the middle", { trigger: { events: ["a.*.b"] } }, "trigger.events.0"],
  ])("refuses %s as invalid_automation and says where", async (_, change, where) => {
    const { engine } = await open({ start: false });
    const work = engine.automations.create({ ...TRIAGE, ...change });
    await expect(work).rejects.toMatchObject({ code: "invalid_automation", message: expect.stringContaining(where) });
  });

  it("refuses a name that is taken, and knows no automation of another tenant", async () => {
    const { engine } = await open({ start: false });
    const { id } = await engine.automations.create(TRIAGE);
    expect(await codeOf(engine.automations.create(TRIAGE))).toBe("name_taken");
    const foreign = { tenantId: "other", id };
    expect(await engine.automations.get(foreign)).toBeNull();
    expect(await codeOf(engine.automations.activate(foreign))).toBe("automation_not_found");
    expect(await codeOf(engine.automations.update(foreign, { name: "x" }))).toBe("automation_not_found");
    expect(await engine.automations.delete(foreign)).toBe(false);
    expect(await engine.automations.get({ tenantId: TENANT, id })).not.toBeNull();
  });

  it("E16 does it all over HTTP, behind an API key", async () => {
    const world = await open();
    const { engine } = world;
    const url = await listen(createApp(engine));
    const { key, id: keyId } = await engine.apiKeys.create({ tenantId: TENANT, name: "test" });
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${url}/v1/automations${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === "" ? null : JSON.parse(text) };
    };
    expect((await fetch(`${url}/v1/automations`)).status).toBe(401);
    const { tenantId: _, ...definition } = TRIAGE;
    const created = await call("POST", "", definition);
    expect(created).toMatchObject({ status: 201, body: { active: false, version: 1 } });
    const path = `/${created.body.id}`;
    expect(await call("POST", "", definition)).toMatchObject({ status: 409, body: { code: "name_taken" } });
    expect(await call("PATCH", path, { steps: [] })).toMatchObject({
      status: 422,
      body: { code: "invalid_automation" },
    });
    expect(await call("POST", `${path}/activate`)).toMatchObject({ status: 200, body: { active: true } });
    const tested = await call("POST", `${path}/test`, { type: REQUEST.type, data: REQUEST.data });
    expect(tested).toMatchObject({
      status: 200,
      body: { conditionMet: true, steps: [{ error: null }, { error: null }] },
    });
    await world.dispatcher.publish(REQUEST);
    await until(async () => (await call("GET", `${path}/executions`)).body.totals.succeeded === 1);
    const renamed = await call("PATCH", path, { name: "Triage of all" });
    expect(renamed).toMatchObject({ status: 200, body: { version: 1, condition: TRIAGE.condition } });
    const without = await call("PATCH", path, { condition: null });
    expect(without).toMatchObject({ status: 200, body: { version: 2, name: "Triage of all" } });
    expect(without.body).not.toHaveProperty("condition");
    expect(await call("PATCH", path, { name: "Triage" })).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await call("POST", `${path}/deactivate`)).toMatchObject({ status: 200, body: { active: false } });
    expect(await call("GET", "")).toMatchObject({ body: { automations: [{ name: "Triage" }] } });
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("DELETE", path)).status).toBe(404);
    const { entries } = await engine.audit.list({ tenantId: TENANT, target: created.body.id });
    const acts = ["created", "activated", "changed", "changed", "changed", "deactivated", "deleted"];
    expect(entries.map(({ action }) => action).sort()).toEqual(acts.map((act) => `automation.${act}`).sort());
    expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set([`api_key:${keyId}`]));
    expect(await call("GET", path)).toMatchObject({ status: 404, body: { code: "automation_not_found" } });
  });
});

function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
