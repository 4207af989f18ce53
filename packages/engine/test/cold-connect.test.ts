import type { Database } from "@hookline/postgres";

import { expect, it } from "vitest";
import { createApp, createColdConnect } from "../src/index.js";
import { ask, FORM, mint, visitor } from "./support/confirm.js";
import { counts, describeMatrix, fixedClock, openWorld, tableText, until } from "./support/world.js";

describeMatrix("cold-connect", (databases) => {
  it("H3 a confirmed link ends in one contact, the linked event and afterBind", async () => {
    const world = await openWorld(databases, { start: true });
    const [member] = await world.engine.ingest([
      {
        tenantId: "default",
        type: "discord.message_sent",
        timestamp: new Date("2026-03-01T10:00:00Z"),
        idempotencyKey: "m1",
        identities: [{ kind: "discord", value: ask.platformUserId }],
        data: {},
        contactProperties: { discord: { username: "nelly" } },
      },
    ]);
    const token = await mint(world);
    const { post } = visitor(world);
    const answer = await post(token);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("You are connected");

    const contact = await world.engine.contacts.findByIdentity({
      tenantId: "default",
      kind: "email",
      value: ask.email,
    });
    expect(contact).toMatchObject({
      id: member?.status === "stored" ? member.contactId : "",
      identities: [
        { kind: "discord", value: ask.platformUserId },
        { kind: "email", value: "jo@example.com" },
      ],
      properties: { discord: { username: "nelly", id: ask.platformUserId } },
    });
    const timeline = await world.engine.contacts.timeline({ tenantId: "default", contactId: contact?.id ?? "" });
    expect(timeline?.events[0]).toMatchObject({
      type: "discord.linked",
      subjectId: contact?.id,
      data: { source: "discord", discord_id: ask.platformUserId },
    });
    await until(() => world.bound.length === 1);
    expect(world.bound).toEqual([{ tenantId: "default", ...ask, email: "jo@example.com", contactId: contact?.id }]);
  });

  it("H3 afterBind is tried again until it succeeds", async () => {
    let tries = 0;
    const world = await openWorld(databases, {
      start: true,
      async afterBind() {
        if (++tries < 3) throw new Error("the role can't be granted yet");
      },
    });
    await visitor(world).post(await mint(world));
    await until(() => tries === 3);
  });

  it("H3 afterBind is not tried again when it says that this would change nothing", async () => {
    let tries = 0;
    const world = await openWorld(databases, {
      start: true,
      async afterBind() {
        tries += 1;
        return { outcome: "dead", reason: "the role is gone" };
      },
    });
    await visitor(world).post(await mint(world));
    const end = async () => (await world.dispatcher.deliveries.list({ tenantId: "default" })).deliveries[0];
    await until(async () => (await end())?.status === "dead");
    expect(tries).toBe(1);
    const { id = "" } = (await end()) ?? {};
    const detail = await world.dispatcher.deliveries.get({ tenantId: "default", id });
    expect(detail?.log.map((attempt) => attempt.reason)).toEqual(["the role is gone"]);
  });

  it("H3 afterBind is tried again no earlier than it asks", async () => {
    const triedAtMs: number[] = [];
    const world = await openWorld(databases, {
      start: true,
      async afterBind() {
        triedAtMs.push(Date.now());
        return triedAtMs.length === 1 ? { outcome: "retry", reason: "429", retryAfterMs: 600 } : undefined;
      },
    });
    await visitor(world).post(await mint(world));
    await until(() => triedAtMs.length === 2);
    const [first = 0, second = 0] = triedAtMs;
    expect(second - first).toBeGreaterThanOrEqual(590);
  });

  it("H3 a GET changes nothing, however often, and the page names the account that asks", async () => {
    const world = await openWorld(databases);
    const token = await mint(world, { platformUserName: "nelly <b>&\u202e" });
    const { get, post } = visitor(world);
    const before = await counts(world);
    for (let visit = 0; visit < 3; visit++) {
      const page = await get(token);
      expect(page.status).toBe(200);
      const html = await page.text();
      expect(html).toContain("<bdi>nelly &lt;b&gt;&amp;\u202e</bdi>");
      expect(html).toContain("80351110224678912");
      expect(html).toContain("j•••@example.com");
      expect(html).not.toContain("jo@example.com");
    }
    expect(await counts(world)).toEqual(before);
    expect((await post(token)).status).toBe(200);
  });

  it("H3 the page may run no script, is kept nowhere and tells nobody where it came from", async () => {
    const world = await openWorld(databases);
    const token = await mint(world);
    for (const page of [await visitor(world).get(token), await visitor(world).get("unknown")]) {
      const policy = page.headers.get("content-security-policy") ?? "";
      expect(policy).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      expect(page.headers.get("cache-control")).toBe("no-store");
      expect(page.headers.get("referrer-policy")).toBe("no-referrer");
      expect(page.headers.get("x-content-type-options")).toBe("nosniff");
      expect(page.headers.get("x-frame-options")).toBe("DENY");
      expect(await page.text()).not.toMatch(/<script| style="/);
    }
  });

  it("H3 each state of a token has its status and its page", async () => {
    const clock = fixedClock();
    const world = await openWorld(databases, { clock });
    const { get, post } = visitor(world);
    const used = await mint(world);
    expect((await post(used)).status).toBe(200);
    for (const answer of [await get(used), await post(used)]) {
      expect(answer.status).toBe(410);
      expect(await answer.text()).toContain("Already confirmed");
    }
    const expired = await mint(world);
    clock.advance(900_000);
    for (const answer of [await get(expired), await post(expired)]) {
      expect(answer.status).toBe(410);
      expect(await answer.text()).toContain("This link has expired");
    }
    for (const unknown of ["", "short", "A".repeat(43), `${used}x`, "%00"]) {
      for (const answer of [await get(unknown), await post(unknown)]) {
        expect(answer.status).toBe(404);
        expect(await answer.text()).toContain("This link is not valid");
      }
    }
    const events = await world.dispatcher.events.list({ tenantId: "default" });
    expect(events.events).toHaveLength(1);
  });

  it("H3 works until the last second of its time", async () => {
    const clock = fixedClock();
    const world = await openWorld(databases, { clock });
    const token = await mint(world);
    clock.advance(899_999);
    expect((await visitor(world).post(token)).status).toBe(200);
  });

  it("H3 a token of another connector is unknown, and stays usable at its own", async () => {
    const world = await openWorld(databases);
    const other = createColdConnect({
      ...world.coldConnectOptions,
      connectorId: "guilded",
      linkedEvent: "guilded.linked",
    });
    const app = createApp(world.engine, { routes: [world.coldConnect.routes, other.routes] });
    const token = await mint(world);
    const post = (path: string) =>
      app.request(path, { method: "POST", headers: FORM, body: new URLSearchParams({ token }).toString() });
    expect((await post("/connect/guilded")).status).toBe(404);
    expect((await post("/connect/discord")).status).toBe(200);
  });

  it("H3 one of many presses at once wins, and the others learn that it is done", async () => {
    const world = await openWorld(databases, { start: true });
    const token = await mint(world);
    const { post } = visitor(world);
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410, 410, 410, 410, 410, 410, 410]);
    expect((await counts(world)).events).toBe(1);
    await until(() => world.bound.length === 1);
  });

  it("H3 a bind that fails leaves the token usable and nothing half written", async () => {
    const world = await openWorld(databases);
    let broken = true;
    const { outbox } = world.coldConnectOptions;
    const coldConnect = createColdConnect({
      ...world.coldConnectOptions,
      outbox: {
        ...outbox,
        publish: outbox.publish.bind(outbox),
        // The last step of the transaction.
        send: (...args) => (broken ? Promise.reject(new Error("no")) : outbox.send(...args)),
      },
    });
    const token = await mint(world);
    const app = createApp(world.engine, { routes: [coldConnect.routes] });
    const post = () =>
      app.request("/connect/discord", {
        method: "POST",
        headers: FORM,
        body: new URLSearchParams({ token }).toString(),
      });
    const failed = await post();
    expect(failed.status).toBe(503);
    expect(await failed.text()).toContain("nothing was changed");
    expect(await counts(world)).toEqual({ contacts: 0, identities: 0, aliases: 0, events: 0 });
    broken = false;
    expect((await post()).status).toBe(200);
  });

  it("H3 stores the token as a hash only and logs it never", async () => {
    const world = await openWorld(databases);
    const token = await mint(world);
    const { get, post } = visitor(world);
    await get(token);
    await post(token);
    expect(world.logged()).toContain("/connect/discord");
    expect(world.logged()).not.toContain(token);
    expect(await tableText(world, "confirm_tokens")).not.toContain(token);
    expect(token).toMatch(/^[\w-]{43}$/);
  });

  it("H3 the link is the public address with the token", async () => {
    const { coldConnect } = await openWorld(databases);
    const token = "t".repeat(43);
    expect(coldConnect.confirmUrl({ apiPublicUrl: "https://api.example.com/", token })).toBe(
      `https://api.example.com/connect/discord?token=${token}`,
    );
    expect(coldConnect.confirmUrl({ apiPublicUrl: "https://example.com/api", token })).toBe(
      `https://example.com/api/connect/discord?token=${token}`,
    );
  });

  it("H4 a platform user gets so many links and no more", async () => {
    const world = await openWorld(databases, { throttle: { maxPerUser: 2, maxPerAddress: 10 } });
    const results = [];
    for (let index = 0; index < 4; index++) {
      results.push(await world.coldConnect.mintConfirm({ ...ask, email: `jo${index}@example.com` }));
    }
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false, false]);
    expect(results[2]).toEqual({ ok: false, reason: "rate_limited" });
    const neighbour = await world.coldConnect.mintConfirm({ ...ask, platformUserId: "2", email: "other@example.com" });
    expect(neighbour.ok).toBe(true);
  });

  it("H4 an address gets so many links, whoever asks and however it is written", async () => {
    const world = await openWorld(databases, { throttle: { maxPerUser: 10, maxPerAddress: 2 } });
    const spellings = ["jo@example.com", "JO@example.com", "jo+a@example.com", "jo+b@EXAMPLE.com"];
    const results = [];
    for (const [index, email] of spellings.entries()) {
      results.push(await world.coldConnect.mintConfirm({ ...ask, platformUserId: String(index), email }));
    }
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false, false]);
  });

  it("H4 counts at once what is asked at once", async () => {
    const world = await openWorld(databases, { throttle: { maxPerUser: 3, maxPerAddress: 100 } });
    const results = await Promise.all(Array.from({ length: 12 }, () => world.coldConnect.mintConfirm(ask)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(3);
  });

  it("H4 a refused request stores no token", async () => {
    const world = await openWorld(databases, { throttle: { maxPerUser: 1, maxPerAddress: 1 } });
    await mint(world);
    expect(await world.coldConnect.mintConfirm(ask)).toEqual({ ok: false, reason: "rate_limited" });
    const [row] = await world.database.query<{ n: number }>(
      `select count(*) as n from "${world.schema}".confirm_tokens`,
    );
    expect(row?.n).toBe(1);
  });

  it("H4 fails closed: a throttle that can't count gives no link", async () => {
    const world = await openWorld(databases);
    const broken: Database = {
      ...world.database,
      query: (text: string, params?: readonly unknown[]) =>
        text.includes("rate_limits")
          ? Promise.reject(new Error("store down"))
          : (world.database.query(text, params) as never),
    };
    const coldConnect = createColdConnect({ ...world.coldConnectOptions, database: broken });
    expect(await coldConnect.mintConfirm(ask)).toEqual({ ok: false, reason: "unavailable" });
    const [row] = await world.database.query<{ n: number }>(
      `select count(*) as n from "${world.schema}".confirm_tokens`,
    );
    expect(row?.n).toBe(0);
  });

  it("refuses a malformed or over-long address by its code", async () => {
    const { coldConnect } = await openWorld(databases);
    for (const email of ["jo", "jo@example.com\nBcc: x@y.zz", `${"a".repeat(250)}@example.com`]) {
      await expect(coldConnect.mintConfirm({ ...ask, email })).rejects.toMatchObject({
        name: "EngineError",
        code: "invalid_email",
      });
    }
  });

  it("H11 binding by another proof ends exactly as a confirmed link, once per key", async () => {
    const world = await openWorld(databases, { start: true });
    const first = await world.coldConnect.bind({ ...ask, idempotencyKey: "state-1" });
    const again = await world.coldConnect.bind({ ...ask, idempotencyKey: "state-1" });
    expect(again).toEqual(first);
    await until(() => world.bound.length === 1);
    const { events } = await world.dispatcher.events.list({ tenantId: "default", subjectIds: [first.contactId] });
    expect(events).toEqual([
      expect.objectContaining({
        id: first.eventId,
        type: "discord.linked",
        data: { source: "discord", discord_id: ask.platformUserId },
      }),
    ]);
    expect(world.bound).toHaveLength(1);
  });

  it("refuses a body that is too large or no form", async () => {
    const world = await openWorld(databases);
    const app = createApp(world.engine, { routes: [world.coldConnect.routes] });
    const post = (headers: Record<string, string>, body: string) =>
      app.request("/connect/discord", { method: "POST", headers, body });
    expect((await post(FORM, `token=${"a".repeat(10_000)}`)).status).toBe(404);
    expect((await post({ "content-type": "application/json" }, `{"token":"x"}`)).status).toBe(404);
    expect((await post({ "content-type": "multipart/form-data; boundary=x" }, "--x\r\nbroken")).status).toBe(404);
  });
});
