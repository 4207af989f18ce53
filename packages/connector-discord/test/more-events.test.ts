import { afterEach, describe, expect, it } from "vitest";
import { discordEvents } from "../src/index.js";
import { CHANNEL_ID, GUILD_ID, snowflake, startApp, type TestApp } from "./support/app.js";
import { createKeptState } from "./support/kept-state.js";
import { ANNA, BEN, item, RECEIVED_AT, reaction, statuses } from "./support/packets.js";

let app: TestApp;
afterEach(() => app.close());

const BOT = { id: "400000000000000009", username: "helper", bot: true };
const MESSAGE_ID = "700000000000000001";
const EDITED_AT = "2026-01-15T10:30:04.000000+00:00";

const edited = (change: object = {}) =>
  item("MESSAGE_UPDATE", {
    id: MESSAGE_ID,
    channel_id: CHANNEL_ID,
    guild_id: GUILD_ID,
    content: "hello again",
    edited_timestamp: EDITED_AT,
    author: ANNA,
    ...change,
  });
const deleted = (change: object = {}) =>
  item("MESSAGE_DELETE", { id: MESSAGE_ID, channel_id: CHANNEL_ID, guild_id: GUILD_ID, ...change });
const updated = (change: object = {}) =>
  item("GUILD_MEMBER_UPDATE", { guild_id: GUILD_ID, user: ANNA, roles: ["500000000000000001"], nick: null, ...change });
const left = (user: object = ANNA) => item("GUILD_MEMBER_REMOVE", { guild_id: GUILD_ID, user });
const thread = (change: object = {}) =>
  item("THREAD_CREATE", {
    id: snowflake(Date.parse(RECEIVED_AT)),
    guild_id: GUILD_ID,
    parent_id: CHANNEL_ID,
    owner_id: ANNA.id,
    name: "My trouble",
    newly_created: true,
    ...change,
  });
const voice = (change: object = {}) =>
  item("VOICE_STATE_UPDATE", {
    guild_id: GUILD_ID,
    channel_id: CHANNEL_ID,
    user_id: ANNA.id,
    deaf: false,
    mute: false,
    self_deaf: false,
    self_mute: true,
    self_video: false,
    ...change,
  });
const logged = (change: object = {}) =>
  item("GUILD_AUDIT_LOG_ENTRY_CREATE", {
    id: snowflake(Date.parse(RECEIVED_AT)),
    guild_id: GUILD_ID,
    user_id: ANNA.id,
    target_id: BEN,
    action_type: 20,
    reason: "rude",
    ...change,
  });
const direct = (change: object = {}) =>
  item("MESSAGE_CREATE", { id: snowflake(Date.parse(RECEIVED_AT)), channel_id: CHANNEL_ID, author: ANNA, ...change });

const types = () => app.ingested.map(({ type }) => type);

describe("edits and deletions", () => {
  it("H1 turns an edit into discord.message_edited at its own time, once, and without its text", async () => {
    app = await startApp();
    // The second is the same edit with a preview of its link, the third a new edit.
    const again = edited({ edited_timestamp: "2026-01-15T10:31:00+00:00" });
    expect(statuses(await app.ingress([edited(), edited({ embeds: [{}] }), again]))).toEqual([
      "stored",
      "duplicate",
      "stored",
    ]);
    expect(app.ingested[0]).toMatchObject({
      type: "discord.message_edited",
      timestamp: new Date(EDITED_AT),
      identities: [{ kind: "discord", value: ANNA.id }],
      contactProperties: { discord: { last_seen: "2026-01-15T10:30:04.000Z" } },
    });
    expect(app.ingested[0]?.data).toEqual({
      guildId: GUILD_ID,
      channelId: CHANNEL_ID,
      messageId: MESSAGE_ID,
      hasContent: true,
    });
  });

  it("H1 takes what is no edit by a person for noise", async () => {
    app = await startApp();
    const noise = [{ edited_timestamp: null }, { author: undefined }, { author: BOT }, { webhook_id: "1" }];
    const answer = await app.ingress(noise.map(edited));
    expect(new Set(statuses(answer))).toEqual(new Set(["ignored"]));
  });

  it("H1 tells of deletions without a contact, of each message once", async () => {
    app = await startApp();
    const others = ["700000000000000002", "700000000000000003"];
    const bulk = item("MESSAGE_DELETE_BULK", { ids: others, channel_id: CHANNEL_ID, guild_id: GUILD_ID });
    expect(statuses(await app.ingress([deleted(), bulk, bulk]))).toEqual(["stored", "stored", "duplicate"]);
    expect(app.ingested).toEqual([]);
    expect(app.published.map(({ type, data }) => [type, (data as { messageId: string }).messageId])).toEqual(
      [MESSAGE_ID, ...others].map((id) => ["discord.message_deleted", id]),
    );
    expect(statuses(await app.ingress([deleted({ id: undefined })]))).toEqual(["rejected"]);
  });
});

describe("members", () => {
  it("H1 tells who left, each time, and not of bots", async () => {
    app = await startApp();
    expect(statuses(await app.ingress([left(), left(), left(BOT)]))).toEqual(["stored", "stored", "ignored"]);
    expect(app.ingested[0]).toMatchObject({ type: "discord.member_left", data: { guildId: GUILD_ID } });
    // To be gone is no sign of life.
    expect(app.ingested[0]?.contactProperties?.discord).not.toHaveProperty("last_seen");
  });

  it("H1 tells roles, nickname and boost as they are now", async () => {
    app = await startApp();
    await app.ingress([updated(), updated({ nick: "Ann", premium_since: "2026-01-01T00:00:00+00:00" })]);
    expect(app.ingested.map(({ data }) => data)).toEqual([
      { guildId: GUILD_ID, roles: ["500000000000000001"] },
      {
        guildId: GUILD_ID,
        roles: ["500000000000000001"],
        nickname: "Ann",
        boostingSince: "2026-01-01T00:00:00.000Z",
      },
    ]);
    expect(app.ingested[0]?.contactProperties?.discord).toMatchObject({ roles: ["500000000000000001"] });
  });
});

describe("what is asked for by intents", () => {
  it("H1 tells of new threads, voice and audit-log entries, and not of bots or Discord itself", async () => {
    app = await startApp();
    await app.ingress([left(BOT)]);
    const answer = await app.ingress([
      thread(),
      voice(),
      logged(),
      thread({ newly_created: undefined }),
      thread({ owner_id: BOT.id }),
      voice({ user_id: BOT.id }),
      logged({ user_id: BOT.id }),
      logged({ user_id: null }),
    ]);
    expect(statuses(answer)).toEqual(["stored", "stored", "stored", ...Array(5).fill("ignored")]);
    expect(types()).toEqual(["discord.thread_created", "discord.voice_state_changed", "discord.audit_log_entry"]);
    expect(app.ingested[0]?.timestamp).toEqual(new Date(RECEIVED_AT));
    expect(app.ingested[1]?.data).toMatchObject({ channelId: CHANNEL_ID, muted: true, deafened: false });
    expect(app.ingested[2]?.data).toMatchObject({ action: 20, targetId: BEN });
    expect(JSON.stringify(app.ingested)).not.toMatch(/My trouble|rude/);
  });

  it("H1 takes direct messages only by opt-in, for the tenant of those without a server", async () => {
    app = await startApp();
    const noGuild = { guild_id: undefined };
    const packets = [direct(), edited(noGuild), deleted(noGuild)];
    expect(new Set(statuses(await app.ingress(packets)))).toEqual(new Set(["ignored"]));
    await app.close();
    app = await startApp({
      directMessages: true,
      resolveTenant: (guildId) => (guildId === null ? "support" : null),
    });
    expect(new Set(statuses(await app.ingress(packets)))).toEqual(new Set(["stored"]));
    expect(app.ingested[0]).toMatchObject({ tenantId: "support", data: { direct: true, channelId: CHANNEL_ID } });
    expect(app.ingested[0]?.data).not.toHaveProperty("guildId");
    expect(app.published[0]?.data).toEqual({ direct: true, channelId: CHANNEL_ID, messageId: MESSAGE_ID });
  });

  it("stores what people wrote only by opt-in", async () => {
    app = await startApp({ storeMessageText: true });
    await app.ingress([edited(), thread(), logged()]);
    expect(app.ingested.map(({ data }) => data.text ?? data.name ?? data.reason)).toEqual([
      "hello again",
      "My trouble",
      "rude",
    ]);
  });
});

describe("the catalogue", () => {
  /** As its schema gives it back: without what the schema does not know. */
  const read = async (type: string, data: unknown) => {
    const definition = discordEvents.find((one) => one.type === type);
    return { type, ...(await definition?.schema["~standard"].validate(data)) };
  };

  it("has an example for each type that its schema accepts, and each type once", async () => {
    for (const { type, example } of discordEvents) expect(await read(type, example)).toEqual({ type, value: example });
    expect(new Set(discordEvents.map(({ type }) => type)).size).toBe(discordEvents.length);
  });

  it("knows every field of what the ingress makes", async () => {
    app = await startApp({ storeMessageText: true, directMessages: true });
    const reaction = {
      user_id: ANNA.id,
      channel_id: CHANNEL_ID,
      message_id: MESSAGE_ID,
      guild_id: GUILD_ID,
      message_author_id: BEN,
      emoji: { id: "800000000000000001", name: "party" },
    };
    const gap = { from: RECEIVED_AT, to: RECEIVED_AT, reason: "session_invalid", guildIds: [GUILD_ID] };
    const reply = { guild_id: GUILD_ID, type: 19, content: "yes", message_reference: { message_id: MESSAGE_ID } };
    await app.ingress([
      direct(),
      direct(reply),
      edited(),
      deleted(),
      item("MESSAGE_REACTION_ADD", reaction),
      item("MESSAGE_REACTION_REMOVE", reaction),
      item("GUILD_MEMBER_ADD", { guild_id: GUILD_ID, user: ANNA, joined_at: RECEIVED_AT }),
      left(),
      updated({ nick: "Ann", premium_since: RECEIVED_AT }),
      item("PRESENCE_UPDATE", { guild_id: GUILD_ID, user: ANNA, status: "online" }),
      thread(),
      voice(),
      logged(),
      item("HOOKLINE_GAP", gap),
    ]);
    const made = [...app.ingested, ...app.published];
    expect(new Set(made.map(({ type }) => type))).toEqual(new Set(discordEvents.map(({ type }) => type)));
    for (const { type, data } of made) expect(await read(type, data)).toEqual({ type, value: data });
  });
});

describe("a packet that brings the secret itself", () => {
  const SECRET = "plain-secret-with-more-than-32-characters";
  const send = async (secret: string, body: unknown) => {
    const response = await fetch(`${app.url}/ingress`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-hogsend-ingress-secret": secret },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as { code?: string; results?: unknown[] } };
  };
  const { type: __t, d } = direct({ guild_id: GUILD_ID });

  it("H6 is refused where no such secret is configured", async () => {
    app = await startApp();
    expect(await send(SECRET, { __t, d })).toMatchObject({ status: 401, body: { code: "secret_mismatch" } });
    expect(await send("", { __t, d })).toMatchObject({ status: 401 });
  });

  it("H6 is taken with the secret, and is the same packet when it comes again at once", async () => {
    app = await startApp({ plainIngressSecret: SECRET });
    expect(await send(SECRET, { __t, d })).toMatchObject({ status: 200, body: { results: [{ status: "stored" }] } });
    expect(await send(SECRET, { __t, d })).toMatchObject({ status: 200, body: { results: [{ status: "duplicate" }] } });
    expect(types()).toEqual(["discord.message_sent"]);
    expect(await send(`${SECRET}x`, { __t, d })).toMatchObject({ status: 401 });
    expect(await send("", { __t, d })).toMatchObject({ status: 401 });
    expect(await send(SECRET, { d })).toMatchObject({ status: 400, body: { code: "invalid_packet" } });
  });

  it("H6 is the same packet for ten seconds, whenever and in whichever process it came first", async () => {
    let nowMs = Date.parse("2026-01-15T10:30:09.500Z");
    const state = createKeptState();
    const start = () =>
      startApp({ plainIngressSecret: SECRET, clock: { now: () => nowMs, setTimer: () => () => {} } }, { state });
    app = await start();
    const packet = { __t: "MESSAGE_REACTION_ADD", d: reaction() };
    const keyOf = async () => ((await send(SECRET, packet)).body.results as { key: string }[])[0]?.key;
    const first = await keyOf();
    nowMs += 9_999;
    await app.close();
    app = await start();
    expect(await keyOf()).toBe(first);
    nowMs += 1;
    expect(await keyOf()).not.toBe(first);
  });

  it("H6 takes no secret that is short", async () => {
    app = await startApp();
    await expect(startApp({ plainIngressSecret: "short" })).rejects.toMatchObject({ code: "invalid_option" });
  });
});
