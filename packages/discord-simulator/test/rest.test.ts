import { RateLimitError, REST } from "@discordjs/rest";
import { type APIGuildMember, type APIMessage, Routes } from "discord-api-types/v10";
import { describe, expect, it } from "vitest";
import { simulatorFactory } from "./started-simulator.js";
import { createTestClock } from "./test-clock.js";

describe("REST", () => {
  const start = simulatorFactory();

  async function connected(options: Parameters<typeof start>[0] = {}) {
    const simulator = await start({ rateLimits: false, ...options });
    const state = await simulator.state();
    const [guild] = state.guilds;
    const channelId = (name: string) => guild?.channels.find((channel) => channel.name === name)?.id ?? "";
    const memberId = (name: string) => guild?.members.find(({ username }) => username === name)?.id ?? "";
    const roleId = (name: string) => guild?.roles.find((role) => role.name === name)?.id ?? "";
    const rest = new REST({ api: `${simulator.url}/api`, retries: 0 }).setToken(simulator.application.botToken);
    const send = (body: object, channel = "general") =>
      rest.post(Routes.channelMessages(channelId(channel)), { body }) as Promise<APIMessage>;
    return { simulator, rest, send, guildId: guild?.id ?? "", channelId, memberId, roleId };
  }

  it("N6 answers 401 in Discord's shape without the right token", async () => {
    const { simulator } = await connected();
    for (const authorization of [undefined, "Bot wrong", simulator.application.botToken]) {
      const response = await fetch(`${simulator.url}/api/v10/users/@me`, {
        headers: authorization === undefined ? {} : { authorization },
      });
      expect([response.status, await response.json()]).toEqual([401, { message: "401: Unauthorized", code: 0 }]);
    }
  });

  it("N6 answers unknown things with Discord's codes", async () => {
    const { rest, guildId, channelId, memberId } = await connected();
    const code = (request: Promise<unknown>) =>
      request.then(
        () => 0,
        (error: { code: number }) => error.code,
      );
    const general = channelId("general");
    expect(await code(rest.get(Routes.channel("1")))).toBe(10003);
    expect(await code(rest.get(Routes.guild("1")))).toBe(10004);
    expect(await code(rest.get(Routes.guildMember(guildId, "1")))).toBe(10007);
    expect(await code(rest.get(Routes.channelMessage(general, "1")))).toBe(10008);
    expect(await code(rest.put(Routes.guildMemberRole(guildId, memberId("anna"), "1")))).toBe(10011);
    expect(await code(rest.get(Routes.user("1")))).toBe(10013);
    expect(await code(rest.post(Routes.webhook("1", "x"), { body: { content: "x" } }))).toBe(10015);
    expect(await code(rest.post(Routes.interactionCallback("1", "x"), { body: { type: 5 } }))).toBe(10062);
  });

  it("N6 refuses a body with every limit it breaks, each at its place", async () => {
    const { send } = await connected();
    const refused = send({
      content: "x".repeat(2001),
      nonce: "n".repeat(26),
      embeds: [
        {
          title: "x".repeat(257),
          description: "x".repeat(4096),
          fields: [{ name: "", value: "x".repeat(1024) }],
          url: "nonsense",
        },
        { description: "x".repeat(1000) },
      ],
      components: [
        {
          type: 1,
          components: [
            { type: 2, style: 1, label: "One", custom_id: "same" },
            { type: 2, style: 1, label: "x".repeat(81), custom_id: "same" },
            { type: 2, style: 5, label: "Link" },
          ],
        },
      ],
    });
    await expect(refused).rejects.toMatchObject({
      status: 400,
      code: 50035,
      rawError: {
        message: "Invalid Form Body",
        errors: {
          content: { _errors: [{ code: "BASE_TYPE_MAX_LENGTH", message: "Must be 2000 or fewer in length." }] },
          nonce: { _errors: [{ code: "BASE_TYPE_MAX_LENGTH" }] },
          embeds: {
            _errors: [{ code: "MAX_EMBED_SIZE_EXCEEDED" }],
            0: {
              title: { _errors: [{ message: "Must be 256 or fewer in length." }] },
              url: { _errors: [{ code: "URL_TYPE_INVALID_URL" }] },
              fields: { 0: { name: { _errors: [{ code: "BASE_TYPE_REQUIRED" }] } } },
            },
          },
          components: {
            0: {
              components: {
                1: {
                  label: { _errors: [{ message: "Must be 80 or fewer in length." }] },
                  custom_id: { _errors: [{ code: "COMPONENT_CUSTOM_ID_DUPLICATED" }] },
                },
                2: { url: { _errors: [{ code: "BUTTON_COMPONENT_URL_REQUIRED" }] } },
              },
            },
          },
        },
      },
    });
  });

  it("N6 accepts what is just within the limits", async () => {
    const { send } = await connected();
    const sent = await send({
      content: "x".repeat(2000),
      embeds: [
        {
          title: "t".repeat(256),
          description: "d".repeat(4096),
          fields: [{ name: "n".repeat(256), value: "v".repeat(1024) }],
        },
        { footer: { text: "f".repeat(368) } },
      ],
    });
    expect(sent.content).toHaveLength(2000);
  });

  it("N6 refuses empty messages, wrong JSON and what is not an object", async () => {
    const { simulator, send, channelId } = await connected();
    await expect(send({})).rejects.toMatchObject({ code: 50006 });
    const post = async (body: string) => {
      const response = await fetch(`${simulator.url}/api/v10/channels/${channelId("general")}/messages`, {
        method: "POST",
        headers: { authorization: `Bot ${simulator.application.botToken}`, "content-type": "application/json" },
        body,
      });
      return ((await response.json()) as { code: number }).code;
    };
    expect(await post("{")).toBe(50109);
    expect(await post("[]")).toBe(50035);
  });

  it("N6 posts a message once when its nonce is enforced, until some minutes later", async () => {
    const clock = createTestClock();
    const { send } = await connected({ clock });
    const body = { content: "once", nonce: "delivery-1", enforce_nonce: true };
    const first = await send(body);
    clock.advance(60_000);
    expect((await send({ ...body, content: "again" })).id).toBe(first.id);
    expect((await send({ content: "free", nonce: "delivery-1" })).id).not.toBe(first.id);
    clock.advance(10 * 60_000);
    expect((await send(body)).id).not.toBe(first.id);
  });

  it("N6 mentions only whom allowed_mentions lets through", async () => {
    const { send, memberId, roleId } = await connected();
    const content = `<@${memberId("anna")}> <@&${roleId("Moderator")}> @everyone`;
    expect(await send({ content })).toMatchObject({ mentions: [{ username: "anna" }], mention_everyone: true });
    expect(await send({ content, allowed_mentions: { parse: [] } })).toMatchObject({
      mentions: [],
      mention_roles: [],
      mention_everyone: false,
    });
  });

  it("N6 edits, lists and deletes messages, the bot's own only", async () => {
    const { simulator, rest, send, channelId } = await connected();
    const mine = await send({ content: "mine" });
    const hers = await simulator.member("anna").say("general", "hers");
    const route = (id: string) => Routes.channelMessage(channelId("general"), id);
    expect(await rest.patch(route(mine.id), { body: { content: "changed" } })).toMatchObject({
      content: "changed",
      edited_timestamp: expect.stringMatching(/Z$/),
    });
    await expect(rest.patch(route(hers.id), { body: { content: "x" } })).rejects.toMatchObject({ code: 50005 });
    await rest.put(`${route(hers.id)}/reactions/${encodeURIComponent("👍")}/@me`);
    const list = (await rest.get(Routes.channelMessages(channelId("general")))) as APIMessage[];
    expect(list.map(({ id }) => id)).toEqual([hers.id, mine.id]);
    expect(list[0]?.reactions).toMatchObject([{ emoji: { id: null, name: "👍" }, count: 1, me: true }]);
    await rest.delete(route(mine.id));
    await expect(rest.get(route(mine.id))).rejects.toMatchObject({ code: 10008 });
  });

  it("N6 gives and takes roles below the bot's own, and refuses the others with 50013", async () => {
    const { simulator, rest, guildId, memberId, roleId } = await connected();
    const route = (role: string) => Routes.guildMemberRole(guildId, memberId("anna"), roleId(role));
    await rest.put(route("Verified"));
    await rest.put(route("Verified"));
    expect(await simulator.rolesOf("anna")).toEqual(["Verified"]);
    const member = (await rest.get(Routes.guildMember(guildId, memberId("anna")))) as APIGuildMember;
    expect(member.roles).toEqual([roleId("Verified")]);
    await rest.delete(route("Verified"));
    expect(await simulator.rolesOf("anna")).toEqual([]);
    await expect(rest.put(route("Hookline"))).rejects.toMatchObject({ status: 403, code: 50013 });
  });

  it("N6 keeps commands: upserts by name, never touches others, overwrites when asked", async () => {
    const { simulator, rest, guildId } = await connected();
    const { id } = simulator.application;
    const create = (name: string, description: string) =>
      rest.post(Routes.applicationCommands(id), { body: { name, description } }) as Promise<{ id: string }>;
    const link = await create("link", "Link");
    const ticket = await create("ticket", "Ticket");
    expect((await create("link", "Link your account")).id).toBe(link.id);
    await rest.post(Routes.applicationGuildCommands(id, guildId), { body: { name: "local", description: "Here" } });
    await rest.patch(Routes.applicationCommand(id, ticket.id), { body: { description: "Open a ticket" } });
    expect((await rest.get(Routes.applicationCommands(id))) as object[]).toMatchObject([
      { name: "link", description: "Link your account" },
      { name: "ticket", description: "Open a ticket" },
    ]);
    const overwritten = (await rest.put(Routes.applicationCommands(id), {
      body: [{ name: "link", description: "Only this" }],
    })) as { id: string }[];
    expect(overwritten.map((command) => command.id)).toEqual([link.id]);
    expect((await simulator.state()).commands.map(({ name }) => name).sort()).toEqual(["link", "local"]);
    await rest.delete(Routes.applicationCommand(id, link.id));
    await expect(rest.get(Routes.applicationCommand(id, link.id))).rejects.toMatchObject({ code: 10063 });
    await expect(create("Not A Name", "x")).rejects.toMatchObject({ code: 50035 });
    await expect(rest.get(Routes.applicationCommands("1"))).rejects.toMatchObject({ code: 10002 });
  });

  it("N6 executes incoming webhooks, waits if asked, and edits and deletes what they sent", async () => {
    const { simulator, rest, channelId, send } = await connected();
    const hook = (await rest.post(Routes.channelWebhooks(channelId("ops")), { body: { name: "Alerts" } })) as {
      id: string;
      token: string;
      url: string;
    };
    const post = (query: string, body: object) =>
      fetch(`${hook.url}${query}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    expect((await post("", { content: "quiet" })).status).toBe(204);
    const sent = (await (await post("?wait=true", { content: "hello", username: "Robot" })).json()) as APIMessage;
    expect(sent).toMatchObject({ webhook_id: hook.id, author: { username: "Robot", bot: true } });
    const route = Routes.webhookMessage(hook.id, hook.token, sent.id);
    await rest.patch(route, { body: { content: "changed" }, auth: false });
    expect((await simulator.messages({ channel: "ops" })).map(({ content }) => content)).toEqual(["quiet", "changed"]);
    await rest.delete(route, { auth: false });
    await expect(rest.get(route, { auth: false })).rejects.toMatchObject({ code: 10008 });

    const thread = (await rest.post(Routes.threads(channelId("ops"), (await send({ content: "t" }, "ops")).id), {
      body: { name: "Incident" },
    })) as { id: string };
    await post(`?thread_id=${thread.id}`, { content: "in the thread" });
    expect((await simulator.messages({ channel: thread.id })).map(({ content }) => content)).toEqual(["in the thread"]);
    expect((await post("?thread_id=1", { content: "x" })).status).toBe(404);
    await rest.delete(Routes.webhook(hook.id));
    expect((await post("", { content: "x" })).status).toBe(404);
  });

  it("N6 wants a thread for what a webhook or the bot posts to a forum, and opens it", async () => {
    const { simulator, rest, channelId } = await connected();
    const { id: forum } = await simulator.addChannel({ name: "questions", type: "forum" });
    const hookIn = async (channel: string) => {
      const made = await rest.post(Routes.channelWebhooks(channel), { body: { name: "Alerts" } });
      const { id, token } = made as { id: string; token: string };
      return {
        id,
        token,
        post: (query: string, body: object) =>
          rest.post(Routes.webhook(id, token), {
            query: new URLSearchParams(query),
            body,
            auth: false,
          }) as Promise<APIMessage>,
      };
    };
    const { id, token, post } = await hookIn(forum);
    await expect(post("", { content: "x" })).rejects.toMatchObject({ status: 400, code: 220001 });
    const first = await post("wait=true", { content: "How?", thread_name: "A question" });
    expect(first).toMatchObject({ webhook_id: id, content: "How?", id: first.channel_id });
    expect(await rest.get(Routes.channel(first.channel_id))).toMatchObject({
      type: 11,
      name: "A question",
      parent_id: forum,
      owner_id: id,
    });
    const both = post(`thread_id=${first.channel_id}`, { content: "x", thread_name: "Another" });
    await expect(both).rejects.toMatchObject({ status: 400, code: 220002 });
    await expect(post("", { content: "x", thread_name: "x".repeat(101) })).rejects.toMatchObject({ code: 50035 });
    const ops = await hookIn(channelId("ops"));
    await expect(ops.post("", { content: "x", thread_name: "No" })).rejects.toMatchObject({ code: 220003 });
    const answer = await post(`wait=true&thread_id=${first.channel_id}`, { content: "So." });
    await rest.patch(`${Routes.webhookMessage(id, token, answer.id)}?thread_id=${first.channel_id}`, {
      body: { content: "So!" },
      auth: false,
    });
    const texts = async (channel: string) => (await simulator.messages({ channel })).map(({ content }) => content);
    expect(await texts(first.channel_id)).toEqual(["How?", "So!"]);

    await expect(rest.post(Routes.channelMessages(forum), { body: { content: "x" } })).rejects.toMatchObject({
      code: 50008,
    });
    const own = await rest.post(Routes.threads(forum), { body: { name: "News", message: { content: "It runs" } } });
    expect(own).toMatchObject({ name: "News", message: { content: "It runs" } });
    const { id: annas } = await simulator.member("anna").startThread("questions", "Mine", { text: "Why?" });
    await simulator.member("ben").say(annas, "Because");
    expect(await texts(annas)).toEqual(["Why?", "Because"]);
    await expect(simulator.member("anna").say("questions", "x")).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("N6 fails and limits the next requests on demand, and keeps a log of them all", async () => {
    const { simulator, rest, send } = await connected();
    await simulator.faults.failRequests({ count: 1, status: 502, path: "/messages" });
    await expect(send({ content: "lost" })).rejects.toMatchObject({ status: 502 });
    await simulator.faults.rateLimitRequests({ count: 1, retryAfterSeconds: 0.2 });
    const limited = new REST({ api: `${simulator.url}/api`, retries: 0, rejectOnRateLimit: () => true }).setToken(
      simulator.application.botToken,
    );
    await expect(limited.get(Routes.user())).rejects.toBeInstanceOf(RateLimitError);
    expect(await rest.get(Routes.user())).toMatchObject({ bot: true });
    expect((await simulator.requests()).map(({ method, status }) => [method, status])).toEqual([
      ["POST", 502],
      ["GET", 429],
      ["GET", 200],
    ]);
  });

  it("N6 sends files along with a message", async () => {
    const { rest, channelId } = await connected();
    const sent = (await rest.post(Routes.channelMessages(channelId("general")), {
      body: { content: "see file", attachments: [{ id: "0", description: "A log" }] },
      files: [{ name: "log.txt", data: Buffer.from("hello"), contentType: "text/plain" }],
    })) as APIMessage;
    expect(sent.attachments).toMatchObject([{ filename: "log.txt", size: 5, description: "A log" }]);
    const file = await fetch(sent.attachments[0]?.url ?? "");
    expect(await file.text()).toBe("hello");
  });
});
