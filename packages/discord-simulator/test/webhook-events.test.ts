import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { verifyKey } from "discord-interactions";
import { describe, expect, it, onTestFinished } from "vitest";
import type { DiscordSimulator } from "../src/index.js";
import { simulatorFactory, until } from "./started-simulator.js";
import { createTestClock } from "./test-clock.js";

const REDIRECT = "http://127.0.0.1:4000/callback";

interface Received {
  readonly type: number;
  readonly event?: { readonly type: string; readonly timestamp: string; readonly data: Record<string, unknown> };
}

/** An application that answers events with these statuses, then with 204. */
async function startApp(simulator: DiscordSimulator, statuses: number[] = [], ping = 204) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const { headers } = request;
      const [signature, timestamp] = [headers["x-signature-ed25519"], headers["x-signature-timestamp"]].map(String);
      const body = Buffer.concat(chunks);
      if (!(await verifyKey(body, signature ?? "", timestamp ?? "", simulator.application.publicKeyHex))) {
        response.writeHead(401).end();
        return;
      }
      const payload = JSON.parse(body.toString()) as Received;
      if (payload.type === 0) {
        response.writeHead(ping).end();
        return;
      }
      received.push(payload);
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received };
}

function authorize(simulator: DiscordSimulator, member: string, scope: string): Promise<string> {
  const { id } = simulator.application;
  const query = new URLSearchParams({ client_id: id, response_type: "code", redirect_uri: REDIRECT, scope });
  return simulator.member(member).authorize(`${simulator.url}/oauth2/authorize?${query}`);
}

describe("Webhook Events", () => {
  const start = simulatorFactory();

  it("N8 tells who authorized the application and who removed it, signed", async () => {
    const simulator = await start({ redirectUris: [REDIRECT] });
    const app = await startApp(simulator);
    await simulator.setWebhookEventsUrl(app.url);
    await authorize(simulator, "owner", "bot applications.commands");
    await authorize(simulator, "anna", "identify");
    await simulator.member("anna").deauthorize();
    await until(() => app.received.length === 3);
    const [guild] = (await simulator.state()).guilds;
    // Their order is not promised.
    const byTime = (a: Received, b: Received) => String(a.event?.timestamp).localeCompare(String(b.event?.timestamp));
    const told = app.received.toSorted(byTime).map(({ event }) => event);
    expect(told).toMatchObject([
      {
        type: "APPLICATION_AUTHORIZED",
        data: { integration_type: 0, guild: { id: guild?.id }, scopes: ["bot", "applications.commands"] },
      },
      { type: "APPLICATION_AUTHORIZED", data: { user: { username: "anna" }, scopes: ["identify"] } },
      { type: "APPLICATION_DEAUTHORIZED", data: { user: { username: "anna" } } },
    ]);
    expect(told[1]?.data).not.toHaveProperty("guild");
    expect(told[0]?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
    await until(async () => (await simulator.webhookEvents()).every(({ status }) => status === "delivered"));
    await simulator.sendWebhookEventsAgain();
    await until(() => app.received.length === 6);
    expect(app.received.slice(3).toSorted(byTime)).toEqual(app.received.slice(0, 3).toSorted(byTime));
  });

  it("N8 sends only the types that were asked for", async () => {
    const simulator = await start({ redirectUris: [REDIRECT] });
    const app = await startApp(simulator);
    await simulator.setWebhookEventsUrl(app.url, ["APPLICATION_DEAUTHORIZED"]);
    await authorize(simulator, "anna", "identify");
    await simulator.member("anna").deauthorize();
    expect(await simulator.webhookEvents()).toMatchObject([{ type: "APPLICATION_DEAUTHORIZED" }]);
  });

  it("N8 saves only a URL that answers PING with 204 and a wrong signature with 401", async () => {
    const simulator = await start();
    const careless = await startApp(simulator, [], 200);
    const refused = { code: "webhook_events_url_refused" };
    await expect(simulator.setWebhookEventsUrl(careless.url)).rejects.toMatchObject(refused);
    await expect(simulator.setWebhookEventsUrl("http://127.0.0.1:1/")).rejects.toMatchObject(refused);
    const trusting = createServer((_request, response) => response.writeHead(204).end());
    await new Promise<void>((resolve) => trusting.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void trusting.close());
    const url = `http://127.0.0.1:${(trusting.address() as AddressInfo).port}/`;
    await expect(simulator.setWebhookEventsUrl(url)).rejects.toMatchObject(refused);
    const good = await startApp(simulator);
    const saved = await fetch(`${simulator.url}/api/v10/applications/@me`, {
      method: "PATCH",
      headers: { authorization: `Bot ${simulator.application.botToken}`, "content-type": "application/json" },
      body: JSON.stringify({ event_webhooks_url: good.url, event_webhooks_types: ["APPLICATION_AUTHORIZED"] }),
    });
    expect(await saved.json()).toMatchObject({ event_webhooks_url: good.url, event_webhooks_status: 2 });
  });

  it("N8 tries again with growing pauses, and gives up after ten minutes", async () => {
    const clock = createTestClock();
    const simulator = await start({ redirectUris: [REDIRECT], clock });
    const app = await startApp(simulator, [500, 503]);
    await simulator.setWebhookEventsUrl(app.url);
    await authorize(simulator, "anna", "identify");
    const answers = async (index: number) => (await simulator.webhookEvents())[index]?.answers ?? [];
    await until(async () => (await answers(0)).length === 1);
    clock.advance(1_000);
    await until(async () => (await answers(0)).length === 2);
    clock.advance(1_999);
    expect(await answers(0)).toEqual([500, 503]);
    clock.advance(1);
    await until(async () => (await answers(0)).length === 3);
    expect((await simulator.webhookEvents())[0]).toMatchObject({ status: "delivered", answers: [500, 503, 204] });

    const failing = await startApp(simulator, Array(20).fill(500));
    await simulator.setWebhookEventsUrl(failing.url);
    await authorize(simulator, "ben", "identify");
    for (let pauseMs = 1_000, tries = 1; pauseMs <= 256_000; pauseMs *= 2, tries += 1) {
      await until(async () => (await answers(1)).length === tries);
      clock.advance(pauseMs);
    }
    await until(async () => (await simulator.webhookEvents())[1]?.status === "failed");
  });
});
