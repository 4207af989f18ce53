import type { Mail } from "@hookline/core";
import { expect, it } from "vitest";
import { createColdConnect, EngineError } from "../src/index.js";
import { ask, visitor } from "./support/confirm.js";
import { describeMatrix, openWorld, tableText, until } from "./support/world.js";

describeMatrix("cold-connect: requests", (databases) => {
  it("H3 a request with the same key sends one mail and answers the same, also at once and over a restart", async () => {
    const mails: Mail[] = [];
    const world = await openWorld(databases, {
      start: true,
      throttle: { maxPerUser: 100, maxPerAddress: 100 },
      mailer: { send: async (mail) => void mails.push(mail) },
    });
    const request = () => world.coldConnect.requestConfirm({ ...ask, idempotencyKey: "interaction-1" });
    const answers = await Promise.all(Array.from({ length: 4 }, request));
    expect([...answers, await request()]).toEqual(Array.from({ length: 5 }, () => ({ ok: true })));
    const restarted = createColdConnect(world.coldConnectOptions);
    expect(await restarted.requestConfirm({ ...ask, idempotencyKey: "interaction-1" })).toEqual({ ok: true });
    expect(await world.coldConnect.requestConfirm({ ...ask, idempotencyKey: "interaction-2" })).toEqual({ ok: true });
    await until(() => mails.length === 2);
    await until(async () => {
      const { deliveries } = await world.dispatcher.deliveries.list({ tenantId: "default" });
      return deliveries.length === 2 && deliveries.every(({ status }) => status === "delivered");
    });
    expect(mails).toHaveLength(2);
    const [mail] = mails;
    expect(mail).toMatchObject({
      to: "jo@example.com",
      subject: "Connect your Discord account to Acme",
      tenantId: "default",
    });
    const token = /token=([\w-]{43})/.exec(mail?.text ?? "")?.[1] ?? "";
    expect((await visitor(world).post(token)).status).toBe(200);
    for (const table of ["messages", "attempts", "confirm_tokens"]) {
      expect(await tableText(world, table)).not.toContain(token);
    }
    expect(world.logged()).not.toContain(token);
  });

  it("H3 a mail that can't be sent now is tried again, and no log says to whom", async () => {
    let tries = 0;
    const world = await openWorld(databases, {
      start: true,
      mailer: {
        async send({ to }) {
          if (++tries < 3) throw new Error(`could not reach the server of ${to}`);
        },
      },
    });
    await world.coldConnect.requestConfirm(ask);
    await until(async () => {
      const { deliveries } = await world.dispatcher.deliveries.list({ tenantId: "default" });
      return deliveries[0]?.status === "delivered";
    });
    expect(tries).toBe(3);
    expect(world.logged() + (await tableText(world, "attempts"))).not.toContain("jo@example.com");
  });

  it("H3 a mail that is refused for good is not tried again", async () => {
    let tries = 0;
    const world = await openWorld(databases, {
      start: true,
      mailer: {
        async send() {
          tries += 1;
          throw new EngineError("mail_refused", "The mail server refused the mail with 550.");
        },
      },
    });
    await world.coldConnect.requestConfirm(ask);
    await until(async () => {
      const { deliveries } = await world.dispatcher.deliveries.list({ tenantId: "default" });
      return deliveries[0]?.status === "dead";
    });
    expect(tries).toBe(1);
  });

  it("H4 a request that is throttled, blocked or without a mailer sends nothing", async () => {
    const mails: Mail[] = [];
    const mailer = { send: async (mail: Mail) => void mails.push(mail) };
    const world = await openWorld(databases, { start: true, mailer, throttle: { maxPerUser: 1 } });
    expect(await world.coldConnect.requestConfirm(ask)).toEqual({ ok: true });
    expect(await world.coldConnect.requestConfirm(ask)).toEqual({ ok: false, reason: "rate_limited" });
    const { mail: _none, ...withoutMail } = world.coldConnectOptions;
    expect(await createColdConnect(withoutMail).requestConfirm({ ...ask, platformUserId: "2" })).toEqual({
      ok: false,
      reason: "unavailable",
    });
    await until(() => mails.length === 1);
    const rows = await world.database.query(`select id from "${world.schema}".messages`);
    expect(rows).toHaveLength(1);
  });
});
