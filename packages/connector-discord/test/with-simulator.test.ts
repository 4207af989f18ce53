import { randomBytes } from "node:crypto";
import type { ConnectorContext } from "@hookline/core";
import { createDiscordSimulator, type DiscordSimulator } from "@hookline/discord-simulator";
import { createDispatcher, type Dispatcher } from "@hookline/dispatcher";
import type { Database } from "@hookline/postgres";
import { openTestPglite } from "@hookline/postgres/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  button,
  type ConfirmRequest,
  createDiscordConnector,
  type DiscordConnector,
  defineButton,
  defineCommand,
  defineMessageCommand,
  defineModal,
  defineSelect,
  discordDestination,
  markdown,
  reply,
  select,
  showModal,
  updateMessage,
} from "../src/index.js";
import { COMPONENT_SECRET, INGRESS_SECRET } from "./support/app.js";
import { createKeptState } from "./support/kept-state.js";
import { type Served, serve } from "./support/serve.js";

let simulator: DiscordSimulator;
let database: Database;
let dispatcher: Dispatcher;
let dyingDispatcher: Dispatcher;
let acceptedBy: Dispatcher;
let connector: DiscordConnector;
let served: Served;
let failures = 0;
const asked: ConfirmRequest[] = [];

const ticketModal = defineModal({
  name: "ticket",
  title: "Open a ticket",
  fields: {
    title: { kind: "text", label: "Title", maxLength: 200 },
    description: { kind: "text", label: "Description", style: "paragraph" },
    priority: {
      kind: "select",
      label: "Priority",
      options: ["Low", "Normal", "High", "Urgent"].map((label, value) => ({ label, value: String(value) })),
    },
  },
  answer: "deferred",
  run: async ({ fields, id }) => {
    if (failures > 0) {
      failures -= 1;
      throw new Error("the desk is away");
    }
    return reply(markdown`Ticket **${fields.title}** with priority ${fields.priority}, asked by ${id.length} digits`);
  },
});
const ticket = defineCommand({
  name: "ticket",
  description: "Open a ticket",
  answer: "immediate",
  run: () => showModal(ticketModal),
});
const approve = defineButton({
  name: "machine-approve",
  params: ["machineId"],
  requires: ["ManageGuild"],
  refusal: "Only moderators decide.",
  answer: "deferred-update",
  run: async ({ params, user }) => updateMessage({ content: `${params.machineId} approved by ${user.username}` }),
});

const named = (name: string) => ({ name, value: name });
const report = defineModal({
  name: "report",
  title: "Report",
  fields: {
    what: { kind: "radio", label: "What", options: ["Spam", "Fault"].map((label) => ({ label, value: label })) },
    who: { kind: "users", label: "Who" },
    proof: { kind: "file", label: "Proof", required: false },
  },
  params: ["messageId"],
  answer: "deferred",
  run: async ({ fields: { what, who, proof }, params }) => {
    const names = who.map(({ username }) => username).join();
    const sizes = proof.map(({ name, sizeBytes }) => `${name} of ${sizeBytes}`).join();
    return reply(`${what} by ${names} in ${params.messageId} (${sizes})`);
  },
});
const reportMessage = defineMessageCommand({
  name: "Report",
  answer: "immediate",
  run: ({ target }) => showModal(report, { params: { messageId: target.id } }),
});
const assign = defineSelect({
  name: "assign",
  choose: "users",
  maxValues: 2,
  placeholder: "Assign to",
  answer: "deferred-update",
  run: async ({ values }) =>
    updateMessage({ content: `assigned to ${values.map(({ username }) => username).join(" and ")}` }),
});
const assignCommand = defineCommand({
  name: "assign",
  description: "Assigns",
  options: {
    queue: {
      type: "string",
      description: "Which",
      required: true,
      autocomplete: ({ value }) => ["first", "second"].filter((one) => one.startsWith(value)).map(named),
    },
  },
  answer: "immediate",
  run: ({ options }) => reply({ content: options.queue, selects: [select(assign)] }),
});

beforeAll(async () => {
  simulator = createDiscordSimulator();
  const { url } = await simulator.start();
  const { application } = simulator;
  const shared = { componentSecret: COMPONENT_SECRET, botToken: application.botToken, restBaseUrl: `${url}/api/v10` };
  database = await openTestPglite();
  const dispatching = {
    database,
    encryptionKey: randomBytes(32).toString("base64"),
    addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
    retrySchedule: { delaysMs: Array.from({ length: 8 }, () => 50), jitterRatio: 0 },
    pollMs: 50,
  };
  dispatcher = createDispatcher(dispatching);
  // Takes deliveries and never makes one, as a process that dies right after its commit.
  const dying = createDispatcher(dispatching);
  acceptedBy = dispatcher;
  connector = createDiscordConnector({
    ...shared,
    applicationId: application.id,
    clientSecret: application.clientSecret,
    publicKeyHex: application.publicKeyHex,
    ingressSecrets: [INGRESS_SECRET],
    redirectUri: "http://127.0.0.1/v1/connectors/discord/oauth/callback",
    studioIntegrationsUrl: "http://127.0.0.1/studio/integrations",
    saveDerived: async () => {},
    resolveContact: async () => {},
    requestConfirm: async (request) => {
      asked.push(request);
      return { ok: true };
    },
    commands: [ticket, reportMessage, assignCommand],
    components: [ticketModal, approve, report, assign],
  });
  const messages = discordDestination({
    ...shared,
    templates: {
      "machine.registered": {
        entity: ({ data }) => data.id,
        message: ({ data }) => ({
          embeds: [{ title: "New machine", fields: [{ name: "Host", value: data.hostname }] }],
          buttons: [button(approve, { label: "Approve", style: "success", params: { machineId: data.id } })],
        }),
      },
      "machine.approved": { entity: ({ data }) => data.id, message: () => ({ content: "approved in place" }) },
    },
  });
  for (const destination of [messages, ...connector.destinations]) {
    dispatcher.use(destination);
    dying.use(destination);
  }
  dyingDispatcher = dying;
  await dispatcher.migrate();
  await dispatcher.start();

  const accepted = new Set<string>();
  const context: ConnectorContext = {
    get outbox() {
      return acceptedBy;
    },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    ingest: async () => [],
    transaction: database.transaction,
    acceptOnce: async (key) => accepted.size !== accepted.add(key).size,
    state: createKeptState(),
    countUse: async () => ({ allowed: true, resetMs: 0 }),
  };
  served = await serve(async (request) => {
    const { pathname } = new URL(request.url);
    const route = connector.routes.find((one) => one.path === pathname && one.method === request.method);
    return route?.handle(request, context) ?? new Response(null, { status: 404 });
  });
  await connector.registerCommands();
  // The simulator probes as Discord does: a PING that is well signed, and one that is not.
  await simulator.setInteractionsUrl(`${served.url}/interactions`);
});

afterAll(async () => {
  await dispatcher?.stop();
  await database?.close();
  await served?.close();
  await simulator?.close();
});

beforeEach(() => simulator.faults.clear());

const fields = { title: "Printer *broken*", description: "No paper", priority: "High" };

describe("against the simulated Discord", () => {
  it("H5 passes the probe with wrong signatures", async () => {
    expect(await simulator.probeInteractionsUrl()).toEqual({ ok: true, reason: null });
  });

  it("E6 registers its commands and then has nothing to send", async () => {
    expect((await simulator.state()).commands.map((command) => command.name).sort()).toEqual([
      "Report",
      "assign",
      "link",
      "ticket",
    ]);
    expect(await connector.registerCommands()).toEqual({
      created: [],
      changed: [],
      removed: [],
      unchanged: ["link", "ticket", "Report", "assign"],
    });
  });

  it("E1 E3 a member opens a ticket and reads the private answer", async () => {
    const opened = await simulator.member("anna").slash("ticket");
    expect(opened.modal?.fields.map((field) => [field.label, field.kind])).toEqual([
      ["Title", "text"],
      ["Description", "text"],
      ["Priority", "select"],
    ]);
    const answer = await (await opened.submitModal(fields)).reply();
    expect(answer.content).toContain("Ticket **Printer \\*broken\\*** with priority 2");
    expect(answer.ephemeral).toBe(true);
  });

  it("E4 the answer comes though the handler fails twice and Discord does not know the interaction for a moment", async () => {
    failures = 2;
    await simulator.faults.holdFollowUps({ forMs: 400 });
    const opened = await simulator.member("anna").slash("ticket");
    const answer = await (await opened.submitModal(fields)).reply();
    expect(answer.content).toContain("Ticket");
  });

  it("nobody is left with thinking when the handler keeps failing", async () => {
    failures = 3;
    const opened = await simulator.member("anna").slash("ticket");
    const answer = await (await opened.submitModal(fields)).reply();
    expect(answer.content).toContain("Something went wrong");
    expect(failures).toBe(0);
  });

  it("the follow-up outlives the process that accepted the interaction", async () => {
    const opened = await simulator.member("anna").slash("ticket");
    acceptedBy = dyingDispatcher;
    try {
      const answer = await (await opened.submitModal(fields)).reply();
      expect(answer.content).toContain("Ticket");
    } finally {
      acceptedBy = dispatcher;
    }
  });

  it("takes a command of a message's menu, a radio, a member and a file through a modal", async () => {
    const anna = simulator.member("anna");
    const message = await simulator.member("ben").say("#general", "Buy now");
    const opened = await anna.useOnMessage("Report", message);
    const proof = [{ filename: "proof.txt", base64: Buffer.from("seen").toString("base64") }];
    const answer = await (await opened.submitModal({ What: "Spam", Who: ["ben"], Proof: proof })).reply();
    expect(answer.content.replaceAll("\\", "")).toBe(`Spam by ben in ${message.id} (proof.txt of 4)`);
  });

  it("X4 offers choices while an option is typed, and changes the message whose menu was used", async () => {
    const anna = simulator.member("anna");
    expect(await anna.autocomplete("assign", { option: "queue", text: "se" })).toEqual([named("second")]);
    const shown = await anna.slash("assign", { queue: "second" });
    await shown.select("Assign to", ["ben", "mod"]);
    await expect.poll(async () => (await shown.reply()).content).toBe("assigned to ben and mod");
  });

  it("H3 a member asks for a confirm mail and reads no address back", async () => {
    const opened = await simulator.member("ben").slash("link");
    const answer = await (await opened.submitModal({ email: "ben@example.com" })).reply();
    expect(answer.content).toContain("Check your inbox");
    expect(answer.content).not.toContain("@");
    expect(asked).toMatchObject([{ discordUserName: "ben", email: "ben@example.com", tenantId: "default" }]);
  });

  it("E5 H12 an event becomes a message whose button acts for moderators only, and a later event edits it", async () => {
    const channel = (await simulator.state()).guilds[0]?.channels.find((one) => one.name === "ops");
    await dispatcher.endpoints.create({
      tenantId: "default",
      destination: "discord",
      target: { channelId: channel?.id },
      events: ["machine.*"],
    });
    const data = { id: "mac_1", hostname: "DESKTOP_001" };
    await dispatcher.publish({ tenantId: "default", type: "machine.registered", data });
    const message = await simulator.waitForMessage((one) => one.embeds.length > 0, { channel: "ops" });
    expect(message.embeds[0]?.title).toBe("New machine");

    const refusal = await (await simulator.member("anna").click(message, "Approve")).reply();
    expect(refusal).toMatchObject({ content: "Only moderators decide.", ephemeral: true });
    const changed = await (await simulator.member("mod").click(message, "Approve")).reply();
    expect(changed).toMatchObject({ id: message.id, content: "mac\\_1 approved by mod", components: [] });

    await dispatcher.publish({ tenantId: "default", type: "machine.approved", data });
    const edited = await simulator.waitForMessage((one) => one.content === "approved in place", { channel: "ops" });
    expect(edited.id).toBe(message.id);
    expect(await simulator.messages({ channel: "ops" })).toHaveLength(2);
  });

  it("H3 grants a role, and tells why it can't", async () => {
    const guild = (await simulator.state()).guilds[0];
    const guildId = guild?.id ?? "";
    const userId = guild?.members.find((one) => one.username === "ben")?.id ?? "";
    const roleId = guild?.roles.find((one) => one.name === "Verified")?.id ?? "";
    expect(await connector.actions.grantRole({ guildId, userId, roleId })).toEqual({ ok: true });
    expect(await simulator.rolesOf("ben")).toContain("Verified");
    const stranger = { guildId, userId: "999999999999999999", roleId };
    expect(await connector.actions.grantRole(stranger)).toMatchObject({ ok: false, code: "unknown_member" });
  });
});
