import { REST } from "@discordjs/rest";
import { type APIChannel, Routes } from "discord-api-types/v10";
import { describe, expect, it } from "vitest";
import type { DiscordSimulator } from "../src/index.js";
import { identifyPayload, openRawClient } from "./gateway-client.js";
import { simulatorFactory } from "./started-simulator.js";
import { createTestClock } from "./test-clock.js";

describe("trouble on demand", () => {
  const start = simulatorFactory();

  function restOf(simulator: DiscordSimulator) {
    return new REST({ api: `${simulator.url}/api`, retries: 0 }).setToken(simulator.application.botToken);
  }

  /** A client that is told of what is said. */
  async function listener(simulator: DiscordSimulator) {
    const client = await openRawClient(simulator);
    client.send(2, identifyPayload(simulator));
    await client.next(({ t }) => t === "GUILD_CREATE");
    return async (count: number) => {
      const said: string[] = [];
      while (said.length < count) {
        const { d, s } = await client.next(({ t }) => t === "MESSAGE_CREATE");
        said.push(`${s} ${d.content}`);
      }
      return said;
    };
  }

  it("N6 sends a packet twice, each with a number of its own", async () => {
    const simulator = await start();
    const hear = await listener(simulator);
    const anna = simulator.member("anna");
    await simulator.faults.duplicatePackets({ count: 1, type: "MESSAGE_CREATE" });
    await anna.say("#general", "one");
    await anna.say("#general", "two");
    expect(await hear(3)).toEqual(["3 one", "4 one", "5 two"]);
  });

  it("N6 sends a packet late, behind what came after it, and only of the type that is asked for", async () => {
    const clock = createTestClock();
    const simulator = await start({ clock });
    const hear = await listener(simulator);
    const anna = simulator.member("anna");
    await simulator.faults.delayPackets({ count: 1, forMs: 5_000, type: "MESSAGE_CREATE" });
    await simulator.member("ben").setPresence("idle");
    await anna.say("#general", "late");
    await anna.say("#general", "on time");
    expect(await hear(1)).toEqual(["4 on time"]);
    clock.advance(5_000);
    expect(await hear(1)).toEqual(["5 late"]);
  });

  it("N6 answers a request late", async () => {
    const clock = createTestClock();
    const simulator = await start({ clock });
    const rest = restOf(simulator);
    await simulator.faults.delayRequests({ count: 1, forMs: 3_000, path: "/users/@me" });
    const answered: string[] = [];
    const late = rest.get(Routes.user()).then(() => answered.push("late"));
    await rest.get(Routes.gatewayBot()).then(() => answered.push("on time"));
    clock.advance(3_000);
    await late;
    expect(answered).toEqual(["on time", "late"]);
  });

  it("N6 takes all trouble back", async () => {
    const simulator = await start();
    const hear = await listener(simulator);
    await simulator.faults.duplicatePackets({ count: 5 });
    await simulator.faults.delayRequests({ count: 5, forMs: 600_000 });
    await simulator.faults.clear();
    await simulator.member("anna").say("#general", "one");
    await simulator.member("anna").say("#general", "two");
    expect(await hear(2)).toEqual(["3 one", "4 two"]);
    expect(await restOf(simulator).get(Routes.user())).toMatchObject({ bot: true });
  });

  it("N6 refuses to write to people who take no direct messages, until they do again", async () => {
    const simulator = await start();
    const rest = restOf(simulator);
    const { guilds } = await simulator.state();
    const recipient = guilds[0]?.members.find(({ username }) => username === "anna")?.id;
    const channel = (await rest.post(Routes.userChannels(), { body: { recipient_id: recipient } })) as APIChannel;
    const write = () => rest.post(Routes.channelMessages(channel.id), { body: { content: "psst" } });
    await simulator.member("anna").setDirectMessages(false);
    await expect(write()).rejects.toMatchObject({ status: 403, code: 50007 });
    await simulator.member("anna").setDirectMessages(true);
    expect(await write()).toMatchObject({ content: "psst" });
  });

  it("N6 keeps the bot out of a channel, or from writing there", async () => {
    const simulator = await start();
    const rest = restOf(simulator);
    const hidden = await simulator.addChannel({ name: "hidden", deniedToBot: ["ViewChannel"] });
    const silent = await simulator.addChannel({ name: "silent", deniedToBot: ["SendMessages"] });
    const write = ({ id }: { id: string }) => rest.post(Routes.channelMessages(id), { body: { content: "hello" } });
    await expect(write(hidden)).rejects.toMatchObject({ status: 403, code: 50001 });
    await expect(write(silent)).rejects.toMatchObject({ status: 403, code: 50013 });
    expect(await rest.get(Routes.channelMessages(silent.id))).toEqual([]);
  });
});
