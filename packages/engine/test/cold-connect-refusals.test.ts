import { expect, it } from "vitest";
import { createColdConnect, postHogAnalytics } from "../src/index.js";
import { ask, mint, visitor } from "./support/confirm.js";
import { counts, describeMatrix, fixedClock, openWorld, tableText } from "./support/world.js";

describeMatrix("cold-connect: this was not me", (databases) => {
  it("H4 'this was not me' ends the link and all others of that pair, changes nothing, and blocks the pair for a while", async () => {
    const clock = fixedClock();
    const world = await openWorld(databases, { clock, throttle: { maxPerUser: 100, maxPerAddress: 100 } });
    const [token, earlier] = [await mint(world), await mint(world)];
    const others = await mint(world, { platformUserId: "2" });
    const { get, post, refuse } = visitor(world);
    const answer = await refuse(token);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("nothing was connected");
    for (const ended of [token, earlier]) {
      for (const late of [await get(ended), await post(ended), await refuse(ended)]) {
        expect(late.status).toBe(410);
        expect(await late.text()).toContain("This link was ended");
      }
    }
    expect(await counts(world)).toEqual({ contacts: 0, identities: 0, aliases: 0, events: 0 });

    const again = (over: Partial<typeof ask> = {}) => world.coldConnect.mintConfirm({ ...ask, ...over });
    for (const email of ["jo@example.com", "JO@example.com", "jo+new@example.com"]) {
      expect(await again({ email })).toEqual({ ok: false, reason: "rate_limited" });
    }
    expect((await again({ email: "al@example.com" })).ok).toBe(true);
    expect((await again({ platformUserId: "2" })).ok).toBe(true);
    expect((await post(others)).status).toBe(200);
    expect(await tableText(world, "confirm_blocks")).not.toContain(ask.platformUserId);

    clock.advance(7 * 24 * 3600 * 1000 - 1);
    expect((await again()).ok).toBe(false);
    clock.advance(1);
    expect((await again()).ok).toBe(true);
  });

  it("H4 of 'Confirm' and 'This was not me' at once one wins, and both learn which", async () => {
    const world = await openWorld(databases);
    const token = await mint(world);
    const { post, refuse } = visitor(world);
    const [confirmed, refused] = await Promise.all([post(token), refuse(token)]);
    expect([confirmed.status, refused.status].sort()).toEqual([200, 410]);
    expect((await counts(world)).contacts).toBe(confirmed.status === 200 ? 1 : 0);
  });

  it("H4 a token that is used, expired, unknown or another connector's can refuse nothing", async () => {
    const clock = fixedClock();
    const world = await openWorld(databases, { clock, throttle: { maxPerAddress: 100 } });
    const other = createColdConnect({ ...world.coldConnectOptions, connectorId: "guilded" });
    const foreign = await other.mintConfirm({ ...ask, platformUserId: "2" });
    const { post, refuse } = visitor(world);
    const used = await mint(world);
    await post(used);
    expect((await refuse(used)).status).toBe(410);
    expect((await refuse(foreign.ok ? foreign.token : "")).status).toBe(404);
    expect((await refuse("A".repeat(43))).status).toBe(404);
    const expired = await mint(world);
    clock.advance(900_000);
    expect((await refuse(expired)).status).toBe(410);
    expect((await world.coldConnect.mintConfirm(ask)).ok).toBe(true);
  });

  it("refuses analytics that would open the page to more than an origin", async () => {
    const { coldConnectOptions } = await openWorld(databases);
    const adapter = { name: "x", script: "", dataFor: () => ({}) };
    for (const connectSources of [[], ["*"], ["https://a.example.com; script-src *"], ["https://a.example.com/path"]]) {
      expect(() =>
        createColdConnect({ ...coldConnectOptions, analytics: { ...adapter, connectSources } }),
      ).toThrowError(expect.objectContaining({ code: "invalid_options" }));
    }
    for (const options of [{ projectKey: "secret" }, { projectKey: "phc_a", host: "https://a.example.com/x" }]) {
      expect(() => postHogAnalytics(options)).toThrowError(expect.objectContaining({ code: "invalid_options" }));
    }
  });
});
