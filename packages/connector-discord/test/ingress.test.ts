import { afterEach, describe, expect, it } from "vitest";
import { INGRESS_LIMITS } from "../src/index.js";
import {
  APPLICATION_ID,
  CHANNEL_ID,
  GUILD_ID,
  INGRESS_SECRET,
  snowflake,
  startApp,
  type TestApp,
} from "./support/app.js";
import { createKeptState } from "./support/kept-state.js";
import { ANNA, BEN, item, message, RECEIVED_AT, reaction, statuses } from "./support/packets.js";

let app: TestApp;
afterEach(() => app.close());

describe("the transform", () => {
  it("H1 turns MESSAGE_CREATE into discord.message_sent at the time of the message's id, without its text", async () => {
    app = await startApp();
    const answer = await app.ingress([item("MESSAGE_CREATE", message())]);
    expect(statuses(answer)).toEqual(["stored"]);
    expect(app.ingested).toHaveLength(1);
    const [input] = app.ingested;
    expect(input).toMatchObject({
      tenantId: "default",
      type: "discord.message_sent",
      timestamp: new Date("2026-01-15T10:30:00.000Z"),
      identities: [{ kind: "discord", value: ANNA.id }],
      data: { guildId: GUILD_ID, channelId: CHANNEL_ID, hasContent: true, attachmentCount: 0 },
    });
    expect(input?.contactProperties).toEqual({
      discord: {
        id: ANNA.id,
        last_seen: "2026-01-15T10:30:00.000Z",
        username: "anna",
        global_name: "Anna",
        avatar: "a1b2",
        joined_at: "2025-01-01T00:00:00.000Z",
        roles: ["500000000000000001"],
      },
    });
    expect(JSON.stringify(app.ingested)).not.toContain("hello");
  });

  it("H1 stores a message's text only by opt-in", async () => {
    app = await startApp({ storeMessageText: true });
    await app.ingress([item("MESSAGE_CREATE", message()), item("MESSAGE_CREATE", message({ content: "" }))]);
    expect(app.ingested.map((input) => input.data.text)).toEqual(["hello", undefined]);
    expect(app.ingested.map((input) => input.data.hasContent)).toEqual([true, false]);
  });

  it("H1 H2 never writes null and leaves out what is not known", async () => {
    app = await startApp();
    const author = { id: ANNA.id, username: "anna", global_name: null, avatar: null };
    await app.ingress([item("MESSAGE_CREATE", message({ author, member: { joined_at: null, roles: [] } }))]);
    expect(app.ingested[0]?.contactProperties).toEqual({
      discord: { id: ANNA.id, last_seen: "2026-01-15T10:30:00.000Z", username: "anna", roles: [] },
    });
  });

  it("H1 turns MESSAGE_REACTION_ADD into reaction_added for the member and reaction_received for the author", async () => {
    app = await startApp();
    const answer = await app.ingress([item("MESSAGE_REACTION_ADD", reaction())]);
    expect(statuses(answer)).toEqual(["stored"]);
    expect(app.ingested.map((input) => [input.type, input.identities[0]?.value])).toEqual([
      ["discord.reaction_added", ANNA.id],
      ["discord.reaction_received", BEN],
    ]);
    expect(app.ingested[0]?.timestamp).toEqual(new Date(RECEIVED_AT));
    // To be reacted to is no sign of life.
    expect(app.ingested[1]?.contactProperties).toEqual({ discord: { id: BEN } });
    expect(app.ingested[1]?.data).toMatchObject({ reactedByUserId: ANNA.id, emoji: { name: "👍" } });
  });

  it("H1 tells two emoji of the same name apart by their ids", async () => {
    app = await startApp();
    const one = item("MESSAGE_REACTION_ADD", reaction({ emoji: { id: "800000000000000001", name: "party" } }));
    const two = { ...one, d: reaction({ emoji: { id: "800000000000000002", name: "party" } }) };
    expect(statuses(await app.ingress([one, two]))).toEqual(["stored", "stored"]);
  });

  it("H1 counts a reaction that was given again, and not the same packet sent again", async () => {
    app = await startApp();
    const first = item("MESSAGE_REACTION_ADD", reaction());
    const removed = item("MESSAGE_REACTION_REMOVE", reaction({ member: undefined, message_author_id: undefined }));
    const again = item("MESSAGE_REACTION_ADD", reaction());
    expect(statuses(await app.ingress([first, removed, again]))).toEqual(["stored", "stored", "stored"]);
    expect(statuses(await app.ingress([first, removed, again]))).toEqual(["duplicate", "duplicate", "duplicate"]);
    expect(app.ingested.filter((input) => input.type === "discord.reaction_added")).toHaveLength(2);
    expect(app.ingested.filter((input) => input.type === "discord.reaction_removed")).toHaveLength(1);
  });

  it("H1 has no reaction_received where members react to themselves", async () => {
    app = await startApp();
    await app.ingress([item("MESSAGE_REACTION_ADD", reaction({ message_author_id: ANNA.id }))]);
    expect(app.ingested.map((input) => input.type)).toEqual(["discord.reaction_added"]);
  });

  it("H1 counts a join once though it comes twice 400 ms apart, and a rejoin again", async () => {
    app = await startApp();
    const join = (joinedAt: string) =>
      item("GUILD_MEMBER_ADD", { guild_id: GUILD_ID, user: ANNA, roles: [], joined_at: joinedAt });
    const answer = await app.ingress([
      // On both sides of a ten-second mark.
      join("2026-01-15T10:29:59.800000+00:00"),
      join("2026-01-15T10:30:00.200000+00:00"),
      join("2026-01-15T10:45:00.000000+00:00"),
    ]);
    expect(statuses(answer)).toEqual(["stored", "duplicate", "stored"]);
    expect(app.ingested[0]).toMatchObject({
      type: "discord.member_joined",
      timestamp: new Date("2026-01-15T10:29:59.800Z"),
      data: { guildId: GUILD_ID },
    });
  });

  it("H1 collapses presence to active, whatever kind, and drops offline", async () => {
    app = await startApp();
    const presence = (status: string) => item("PRESENCE_UPDATE", { guild_id: GUILD_ID, user: { id: ANNA.id }, status });
    const answer = await app.ingress(["online", "idle", "dnd", "offline", "invisible"].map(presence));
    expect(statuses(answer)).toEqual(["stored", "stored", "stored", "ignored", "ignored"]);
    expect(app.ingested[0]).toMatchObject({ type: "discord.presence_active", timestamp: new Date(RECEIVED_AT) });
    expect(app.ingested[0]?.contactProperties).toEqual({ discord: { id: ANNA.id, last_seen: RECEIVED_AT } });
  });

  it("H1 drops bots, webhooks, system messages and direct messages, and bots' reactions", async () => {
    app = await startApp();
    const bot = { id: "400000000000000009", username: "helper", bot: true };
    const answer = await app.ingress([
      item("MESSAGE_CREATE", message({ author: bot })),
      item(
        "MESSAGE_CREATE",
        message({ webhook_id: "900000000000000009", author: { ...ANNA, id: "900000000000000009" } }),
      ),
      item("MESSAGE_CREATE", message({ type: 7 })),
      item("MESSAGE_CREATE", message({ author: { ...ANNA, system: true } })),
      item("MESSAGE_CREATE", message({ guild_id: undefined })),
      item(
        "MESSAGE_REACTION_ADD",
        reaction({ user_id: "400000000000000008", member: { user: { ...bot, id: "400000000000000008" } } }),
      ),
      // The packet does not say that this is a bot; an earlier one did.
      item("MESSAGE_REACTION_REMOVE", reaction({ user_id: bot.id, member: undefined })),
      item("GUILD_MEMBER_ADD", { guild_id: GUILD_ID, user: bot, joined_at: RECEIVED_AT, roles: [] }),
      item("PRESENCE_UPDATE", { guild_id: GUILD_ID, user: { id: bot.id }, status: "online" }),
      item("TYPING_START", {}),
      item("__proto__", {}),
    ]);
    expect(new Set(statuses(answer))).toEqual(new Set(["ignored"]));
    expect(app.ingested).toEqual([]);
    await app.ingress([item("MESSAGE_REACTION_ADD", reaction({ message_author_id: bot.id }))]);
    expect(app.ingested.map((input) => input.type)).toEqual(["discord.reaction_added"]);
  });

  it("H1 keeps bots, webhooks and system messages by opt-in, says which they are, and never keeps its own", async () => {
    const bot = { id: "400000000000000009", username: "helper", bot: true };
    const hook = { id: "900000000000000009", username: "hook", bot: true };
    const own = { id: APPLICATION_ID, username: "hookline", bot: true };
    const noise = () => [
      item("MESSAGE_CREATE", message({ id: snowflake(), author: bot })),
      item("MESSAGE_CREATE", message({ id: snowflake(), author: hook, webhook_id: hook.id })),
      item("MESSAGE_CREATE", message({ id: snowflake(), type: 7 })),
      item("MESSAGE_CREATE", message({ id: snowflake(), author: own })),
      item("MESSAGE_CREATE", message({ id: snowflake(), author: own, webhook_id: own.id })),
      // Through a webhook that our application has made.
      ...["MESSAGE_CREATE", "MESSAGE_UPDATE"].map((type) =>
        item(type, {
          ...message({ id: snowflake(), author: hook, webhook_id: hook.id, application_id: APPLICATION_ID }),
          edited_timestamp: "2026-01-15T10:31:00+00:00",
        }),
      ),
      item("MESSAGE_REACTION_ADD", reaction({ user_id: bot.id, message_author_id: null, member: { user: bot } })),
      item("GUILD_MEMBER_ADD", { guild_id: GUILD_ID, user: bot, joined_at: RECEIVED_AT, roles: [] }),
    ];
    app = await startApp({ keep: { systemMessages: true } });
    expect(statuses(await app.ingress(noise())).map((status) => status === "stored")).toEqual([
      ...[false, false, true, false, false, false, false, false, false],
    ]);
    await app.close();
    app = await startApp({ keep: { bots: true, webhooks: true, systemMessages: true } });
    expect(statuses(await app.ingress([...noise(), item("MESSAGE_CREATE", message({ id: snowflake() }))]))).toEqual([
      ...["stored", "stored", "stored", "ignored", "ignored", "ignored", "ignored", "stored", "stored", "stored"],
    ]);
    expect(app.ingested.map(({ type, data }) => [type, (data as { sender?: string }).sender])).toEqual([
      ["discord.message_sent", "bot"],
      ["discord.message_sent", "webhook"],
      ["discord.message_sent", "system"],
      ["discord.reaction_added", undefined],
      ["discord.member_joined", undefined],
      ["discord.message_sent", undefined],
    ]);
  });

  it("H1 keeps what bots answer to commands with the webhooks, and its edits alike", async () => {
    const helper = { id: "400000000000000009", username: "helper", bot: true };
    const answers = (types: number[], from: object) =>
      types.flatMap((type) => {
        const said = message({ id: snowflake(), type, author: helper, ...from });
        return [
          item("MESSAGE_CREATE", said),
          item("MESSAGE_UPDATE", { ...said, edited_timestamp: "2026-01-15T10:31:00+00:00" }),
        ];
      });
    app = await startApp({ keep: { webhooks: true } });
    const viaWebhook = { webhook_id: helper.id, application_id: helper.id };
    expect(statuses(await app.ingress(answers([20, 23, 7], viaWebhook)))).toEqual([
      ...["stored", "stored", "stored", "stored", "ignored", "ignored"],
    ]);
    const stored = ["discord.message_sent", "discord.message_edited"].map((type) => [type, "webhook"]);
    expect(app.ingested.map(({ type, data }) => [type, (data as { sender?: string }).sender])).toEqual([
      ...stored,
      ...stored,
    ]);
    expect(statuses(await app.ingress(answers([20], { author: ANNA })))).toEqual(["ignored", "ignored"]);
  });

  it("H1 knows a bot, and a join on both sides of a window's edge, that another process has seen", async () => {
    const state = createKeptState();
    app = await startApp({}, { state });
    const other = await startApp({}, { state });
    try {
      const bot = { id: "400000000000000009", username: "helper", bot: true };
      const join = (joinedAt: string) =>
        item("GUILD_MEMBER_ADD", { guild_id: GUILD_ID, user: ANNA, roles: [], joined_at: joinedAt });
      await other.ingress([item("MESSAGE_CREATE", message({ author: bot })), join("2026-01-15T10:29:59.800Z")]);
      const answer = await app.ingress([
        item("MESSAGE_REACTION_REMOVE", reaction({ user_id: bot.id, member: undefined })),
        item("PRESENCE_UPDATE", { guild_id: GUILD_ID, user: { id: bot.id }, status: "online" }),
        item("MESSAGE_REACTION_ADD", reaction({ message_author_id: bot.id })),
        join("2026-01-15T10:30:00.200Z"),
      ]);
      expect(statuses(answer)).toEqual(["ignored", "ignored", "stored", "stored"]);
      expect(app.ingested.map((input) => input.type)).toEqual(["discord.reaction_added", "discord.member_joined"]);
      expect(app.ingested[1]?.idempotencyKey).toBe(other.ingested[0]?.idempotencyKey);
      // Keys outlive the erasure of a member.
      for (const { idempotencyKey } of app.ingested) expect(idempotencyKey).not.toContain(ANNA.id);
    } finally {
      await other.close();
    }
  });

  it("H1 keeps a reply, which is what people write", async () => {
    app = await startApp();
    await app.ingress([
      item("MESSAGE_CREATE", message({ type: 19, message_reference: { message_id: "700000000000000001" } })),
    ]);
    expect(app.ingested[0]?.data).toMatchObject({ repliedToMessageId: "700000000000000001" });
  });

  it("serves several servers, each for its tenant, and ignores one that nobody owns", async () => {
    app = await startApp({ resolveTenant: (guildId) => (guildId === GUILD_ID ? "acme" : null) });
    const answer = await app.ingress([
      item("MESSAGE_CREATE", message()),
      item("MESSAGE_CREATE", message({ guild_id: "200000000000000002" })),
    ]);
    expect(statuses(answer)).toEqual(["stored", "ignored"]);
    expect(app.ingested.map((input) => input.tenantId)).toEqual(["acme"]);
  });

  it("N2 tells each tenant of a gap once, with its own servers", async () => {
    const owners: Record<string, string> = {
      [GUILD_ID]: "acme",
      "200000000000000002": "acme",
      "200000000000000003": "beta",
    };
    app = await startApp({ resolveTenant: (guildId) => owners[guildId ?? ""] ?? null });
    const lost = { from: "2026-01-15T10:00:00.000Z", to: "2026-01-15T10:05:00.000Z", reason: "session_expired" };
    const answer = await app.ingress([
      item("HOOKLINE_GAP", { ...lost, guildIds: [...Object.keys(owners), "200000000000000004"] }),
      item("HOOKLINE_GAP", { ...lost, guildIds: ["200000000000000004"] }),
      item("HOOKLINE_GAP", { ...lost, from: "some time ago" }),
    ]);
    expect(statuses(answer)).toEqual(["stored", "ignored", "rejected"]);
    expect(app.published.map((event) => [event.tenantId, (event.data as { guildIds: string[] }).guildIds])).toEqual([
      ["acme", [GUILD_ID, "200000000000000002"]],
      ["beta", ["200000000000000003"]],
    ]);
  });

  it("N2 publishes discord.gap without a contact, once", async () => {
    app = await startApp();
    const gap = item("HOOKLINE_GAP", {
      from: "2026-01-15T10:00:00.000Z",
      to: "2026-01-15T10:05:00.000Z",
      reason: "session_invalid",
      guildIds: [],
    });
    expect(statuses(await app.ingress([gap]))).toEqual(["stored"]);
    expect(statuses(await app.ingress([gap]))).toEqual(["duplicate"]);
    expect(app.ingested).toEqual([]);
    expect(app.published).toHaveLength(1);
    expect(app.published[0]).toMatchObject({
      type: "discord.gap",
      tenantId: "default",
      data: { from: "2026-01-15T10:00:00.000Z", to: "2026-01-15T10:05:00.000Z", reason: "session_invalid", shard: 0 },
    });
  });
});

describe("the ingress", () => {
  it("H6 answers one result for each item in order, and a bad item harms no neighbour", async () => {
    app = await startApp();
    const good = item("MESSAGE_CREATE", message());
    const answer = await app.ingress([
      item("MESSAGE_CREATE", { id: "not an id" }, { key: "bad-payload" }),
      good,
      { key: "bad-item", type: "MESSAGE_CREATE" },
      item("RESUMED", {}, { key: "noise" }),
    ]);
    expect(answer.status).toBe(200);
    expect(answer.body.results).toEqual([
      { key: "bad-payload", status: "rejected", code: "invalid_payload", message: expect.any(String) },
      { key: good.key, status: "stored" },
      { key: "bad-item", status: "rejected", code: "invalid_item", message: expect.any(String) },
      { key: "noise", status: "ignored" },
    ]);
  });

  it("N2 stores what people did and what is of nobody in the order of the batch", async () => {
    const order: string[] = [];
    const withPublished = (type: string) => `${type} behind ${app.published.length} of nobody`;
    app = await startApp(
      {},
      {
        async ingest(inputs) {
          order.push(...inputs.map(({ type }) => withPublished(type)));
          return inputs.map((_, index) => ({ status: "stored", eventId: `evt_${index}`, contactId: "con_1" }));
        },
      },
    );
    const deletion = (id: string) => item("MESSAGE_DELETE", { id, channel_id: CHANNEL_ID, guild_id: GUILD_ID });
    const ids = [1, 2, 3].map((nth) => `70000000000000000${nth}`);
    const [first = "", second = "", third = ""] = ids;
    const batch = [
      item("MESSAGE_CREATE", message({ id: first })),
      item("RESUMED", {}, { key: "noise" }),
      deletion(first),
      deletion(second),
      { key: "bad-item", type: "MESSAGE_CREATE" },
      item("MESSAGE_CREATE", message({ id: third })),
      item("MESSAGE_CREATE", message({ id: snowflake() })),
      deletion(third),
    ];
    const answer = await app.ingress(batch);
    expect(answer.body.results.map(({ key, status }: { key: string; status: string }) => [key, status])).toEqual(
      batch.map(({ key }) => [key, key === "noise" ? "ignored" : key === "bad-item" ? "rejected" : "stored"]),
    );
    expect(order).toEqual([
      "discord.message_sent behind 0 of nobody",
      "discord.message_sent behind 2 of nobody",
      "discord.message_sent behind 2 of nobody",
    ]);
    expect(app.published.map(({ data }) => (data as { messageId: string }).messageId)).toEqual(ids);
  });

  it.each([
    ["a wrong secret", { secret: "another-secret-of-more-than-32-characters" }, "signature_mismatch"],
    ["an old timestamp", { timestamp: Math.floor(Date.now() / 1000) - 400 }, "timestamp_too_old"],
    ["a timestamp ahead", { timestamp: Math.floor(Date.now() / 1000) + 400 }, "timestamp_too_new"],
    ["a malformed signature", { headers: { "x-hookline-ingress-signature": "v1=nothex" } }, "malformed_header"],
    ["no signature", { headers: { "x-hookline-ingress-signature": "" } }, "missing_header"],
  ])("refuses %s with 401 before it parses", async (_what, options, code) => {
    app = await startApp();
    const answer = await app.ingress([], { rawBody: "not even JSON", ...options });
    expect(answer).toMatchObject({ status: 401, body: { code } });
  });

  it("takes both secrets during a rotation", async () => {
    const next = "the-next-ingress-secret-of-32-characters-or-more";
    app = await startApp({ ingressSecrets: [next, INGRESS_SECRET] });
    expect((await app.ingress([], { secret: next })).status).toBe(200);
    expect((await app.ingress([], { secret: INGRESS_SECRET })).status).toBe(200);
  });

  it.each([
    ["a body that is not JSON", { rawBody: "{" }, "invalid_json"],
    ["a body without items", { rawBody: "[]" }, "invalid_batch"],
    ["another content type", { contentType: "text/plain" }, "unsupported_content_type"],
    [
      "more items than a batch holds",
      { rawBody: JSON.stringify({ items: Array.from({ length: INGRESS_LIMITS.maxItems + 1 }, () => ({})) }) },
      "too_many_items",
    ],
  ])("refuses %s with 400", async (_what, options, code) => {
    app = await startApp();
    expect(await app.ingress([], options)).toMatchObject({ status: 400, body: { code } });
    expect(app.ingested).toEqual([]);
  });
});
