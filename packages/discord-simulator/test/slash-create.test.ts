import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import {
  type BaseSlashCreator,
  type CommandContext,
  CommandOptionType,
  GenericServer,
  SlashCommand,
  SlashCreator,
} from "slash-create";
import { afterEach, describe, expect, it } from "vitest";
import type { DiscordSimulator } from "../src/index.js";
import { simulatorFactory } from "./started-simulator.js";

class GreetCommand extends SlashCommand {
  constructor(creator: BaseSlashCreator) {
    super(creator, {
      name: "greet",
      description: "Greets",
      options: [{ type: CommandOptionType.STRING, name: "who", description: "Whom", required: true }],
    });
  }

  override async run(context: CommandContext): Promise<void> {
    const { who } = context.options;
    if (who === "later") {
      await context.defer(true);
      await context.send("I was thinking.");
      await context.send("And this comes after.");
      return;
    }
    await context.send({
      content: `Hello, ${who}!`,
      components: [{ type: 1, components: [{ type: 2, style: 1, label: "Again", custom_id: "again" }] }],
    });
  }
}

describe("an unmodified slash-create application over HTTP", () => {
  const start = simulatorFactory();
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    }
  });

  async function serveApplication(simulator: DiscordSimulator, publicKey = simulator.application.publicKeyHex) {
    const creator = new SlashCreator({
      applicationID: simulator.application.id,
      publicKey,
      token: simulator.application.botToken,
      rest: { baseURL: `${simulator.url}/api/v10` },
    });
    const generic = new GenericServer();
    creator.withServer(generic);
    creator.registerCommand(GreetCommand);
    creator.registerGlobalComponent("again", (pressed) => {
      pressed
        .editParent({ content: "Hello again!", components: [] })
        .catch((error: unknown) => creator.emit("error", error as Error));
    });
    await creator.syncCommands();
    const server = serve({ fetch: generic.endpoint, port: 0, hostname: "127.0.0.1" }) as Server;
    servers.push(server);
    await new Promise<void>((resolve) => (server.listening ? resolve() : server.once("listening", () => resolve())));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/interactions`;
  }

  it("N6 registers its commands, passes the probe of its address, and answers with a button that works", async () => {
    const simulator = await start();
    await simulator.setInteractionsUrl(await serveApplication(simulator));
    expect((await simulator.state()).commands.map(({ name }) => name)).toEqual(["greet"]);
    const greet = await simulator.member("anna").slash("greet", { who: "Anna" });
    expect(await greet.reply()).toMatchObject({ content: "Hello, Anna!" });
    const again = await greet.click("Again");
    expect(await again.reply()).toMatchObject({ content: "Hello again!", components: [] });
  });

  it("N6 answers later by REST, with a follow-up", async () => {
    const simulator = await start();
    await simulator.setInteractionsUrl(await serveApplication(simulator));
    const greet = await simulator.member("ben").slash("greet", { who: "later" });
    expect(greet.answer).toBe("deferred");
    expect(await greet.reply()).toMatchObject({ content: "I was thinking.", ephemeral: true });
    await expect
      .poll(async () => (await greet.followUps()).map(({ content }) => content))
      .toEqual(["And this comes after."]);
  });

  it("N6 is not let in with the key of another application", async () => {
    const simulator = await start();
    const url = await serveApplication(simulator, "ab".repeat(32));
    await expect(simulator.setInteractionsUrl(url)).rejects.toMatchObject({ code: "interactions_url_refused" });
  });
});
