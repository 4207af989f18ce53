import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { createEngine } from "../src/index.js";
import { describeMatrix, discordConnector, ENCRYPTION_KEY, fixedClock, openWorld, tableText } from "./support/world.js";

const key = { tenantId: "acme", connectorId: "discord", accountId: "80351110224678912" };
const linking = {
  tenantId: key.tenantId,
  platformUserId: key.accountId,
  platformUserName: "nelly",
  email: "jo@example.com",
};
const tokens = { accessToken: "secret-access", refreshToken: "secret-refresh" };

describeMatrix("account tokens", (databases) => {
  it("N8 keeps tokens encrypted, and hands them to one at a time", async () => {
    const clock = fixedClock();
    const world = await openWorld(databases, { clock });
    const { accountTokens } = world.engine;
    expect(await accountTokens.claim(key, { forMs: 1_000 })).toEqual({ status: "none" });
    await accountTokens.save(key, tokens);
    expect(await tableText(world, "account_tokens")).not.toContain("secret");
    const grantedAt = new Date(clock.now());
    expect(await accountTokens.grantedAt(key)).toEqual(grantedAt);
    expect(await accountTokens.claim(key, { forMs: 1_000 })).toEqual({
      status: "claimed",
      tokens,
      version: 1,
      grantedAt,
      releasedAt: null,
    });
    expect(await accountTokens.claim(key, { forMs: 1_000 })).toEqual({ status: "busy" });
    expect(await accountTokens.claim({ ...key, tenantId: "beta" }, { forMs: 1 })).toEqual({ status: "none" });
    clock.advance(1_000);
    expect(await accountTokens.claim(key, { forMs: 1_000 })).toMatchObject({ status: "claimed" });
    await accountTokens.release(key, 1);
    expect(await accountTokens.claim(key, { forMs: 1_000 })).toMatchObject({ status: "claimed" });
  });

  it("N8 keeps tokens that were to be given back, unless that was noted anew meanwhile", async () => {
    const clock = fixedClock();
    const { accountTokens } = (await openWorld(databases, { clock })).engine;
    const noted = async () => {
      await accountTokens.save(key, tokens, { releaseAfterMs: 0 });
      const claimed = await accountTokens.claim(key, { forMs: 1_000 });
      if (claimed.status !== "claimed" || claimed.releasedAt === null) throw new Error("Nothing was noted.");
      return { releasedAt: claimed.releasedAt };
    };
    const first = await noted();
    clock.advance(1);
    const second = await noted();
    await accountTokens.keep(key, first);
    expect(await accountTokens.released(key)).toEqual([key.accountId]);
    await accountTokens.keep(key, second);
    expect(await accountTokens.released(key)).toEqual([]);
  });

  it("N9 lists what is to be given back past those that were tried", async () => {
    const clock = fixedClock();
    const { accountTokens } = (await openWorld(databases, { clock })).engine;
    const ids = Array.from({ length: 23 }, (_, index) => `${100 + index}`);
    for (const accountId of ids) {
      await accountTokens.save({ ...key, accountId }, tokens, { releaseAfterMs: 0 });
      clock.advance(1);
    }
    const first = await accountTokens.released(key);
    expect(first).toEqual(ids.slice(0, 20));
    expect(await accountTokens.released(key, { except: first })).toEqual(ids.slice(20));
    expect(await accountTokens.released(key, { except: ids })).toEqual([]);
  });

  it("N8 neither refreshes nor removes what was allowed anew meanwhile", async () => {
    const { accountTokens } = (await openWorld(databases)).engine;
    await accountTokens.save(key, tokens);
    await accountTokens.claim(key, { forMs: 60_000 });
    expect(await accountTokens.refresh(key, 1, { accessToken: "second" })).toBe(2);
    await accountTokens.save(key, { accessToken: "third" });
    expect(await accountTokens.refresh(key, 2, { accessToken: "late" })).toBeNull();
    expect(await accountTokens.remove(key, 2)).toBe(false);
    expect(await accountTokens.claim(key, { forMs: 1 })).toMatchObject({
      tokens: { accessToken: "third" },
      version: 3,
    });
    expect(await accountTokens.remove(key, 3)).toBe(true);
    expect(await accountTokens.grantedAt(key)).toBeNull();
  });

  it("H10 encrypts them anew with the newest key, and says which it can't read", async () => {
    const { engine, database, schema, dispatcher } = await openWorld(databases);
    const withKeys = (encryptionKey: string[]) =>
      createEngine({ database, schema, outbox: dispatcher, eventLog: dispatcher.events, encryptionKey });
    await engine.accountTokens.save(key, tokens);
    const newest = randomBytes(32).toString("base64");
    const unreadable = { reencrypted: 0, unreadable: 1 };
    expect(await withKeys([newest]).credentials.reencrypt()).toEqual(unreadable);
    const both = withKeys([newest, ENCRYPTION_KEY]);
    expect(await both.credentials.reencrypt()).toEqual({ reencrypted: 1, unreadable: 0 });
    expect(await both.credentials.reencrypt()).toEqual({ reencrypted: 0, unreadable: 0 });
    expect(await withKeys([newest]).accountTokens.claim(key, { forMs: 60_000 })).toMatchObject({ tokens });
    await expect(engine.accountTokens.claim(key, { forMs: 1 })).resolves.toEqual({ status: "busy" });
  });

  it("N9 removes a person's tokens with their contact where no connector gives them back", async () => {
    const { engine, coldConnect } = await openWorld(databases);
    const { contactId } = await coldConnect.bind(linking);
    await engine.accountTokens.save(key, tokens);
    await engine.accountTokens.save({ ...key, accountId: "2" }, tokens);
    await engine.contacts.erase({ tenantId: key.tenantId, contactId });
    expect(await engine.accountTokens.grantedAt(key)).toBeNull();
    expect(await engine.accountTokens.grantedAt({ ...key, accountId: "2" })).not.toBeNull();
  });

  it("N8 N9 has the connector give tokens back of who is erased, unless linked again, and forgets them after 7 days", async () => {
    const clock = fixedClock();
    const releaseTokens = (tenantId: string) => ({ tenantId, destination: "release", target: {}, data: {} });
    const world = await openWorld(databases, { clock, connectors: [discordConnector({ releaseTokens })] });
    const { engine, coldConnect, dispatcher } = world;
    const { accountTokens } = engine;
    dispatcher.use({ id: "release", plan: () => null });
    const link = () => coldConnect.bind(linking);
    const waiting = async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: key.tenantId });
      return deliveries.filter((one) => one.destination === "release" && one.status === "pending").length;
    };
    // Kept for an hour for who is not linked yet.
    await accountTokens.save(key, tokens, { releaseAfterMs: 3_600_000 });
    expect(await accountTokens.released(key)).toEqual([]);
    clock.advance(3_600_000);
    expect(await accountTokens.released(key)).toEqual([key.accountId]);
    const { contactId } = await link();
    expect(await accountTokens.released(key)).toEqual([]);
    await engine.contacts.erase({ tenantId: key.tenantId, contactId });
    expect([await accountTokens.released(key), await waiting()]).toEqual([[key.accountId], 1]);
    expect(await accountTokens.released({ ...key, tenantId: "beta" })).toEqual([]);

    await link();
    expect(await accountTokens.released(key)).toEqual([]);
    // An erasure right after finds them too, although the account is not the contact's any more.
    await coldConnect.unbind({ tenantId: key.tenantId, platformUserId: key.accountId });
    expect(await accountTokens.released(key)).toEqual([key.accountId]);
    const left = await engine.contacts.findByIdentity({ tenantId: key.tenantId, kind: "email", value: linking.email });
    await engine.contacts.erase({ tenantId: key.tenantId, contactId: left?.id ?? "" });
    expect(await waiting()).toBe(2);

    expect(await accountTokens.claim(key, { forMs: 1 })).toMatchObject({ status: "claimed", tokens });
    await accountTokens.release(key, 1);
    clock.advance(7 * 24 * 60 * 60 * 1000 + 1);
    await coldConnect.mintConfirm({ ...linking, platformUserId: "3" });
    expect(await accountTokens.claim(key, { forMs: 1 })).toEqual({ status: "none" });
  });
});
