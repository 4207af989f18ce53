import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { openDatabase } from "@hookline/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSetting, freePort, type Setting, spawnApi, untilReady } from "./running-api.js";

/** A first start makes a database, which takes seconds of CPU. */
const START_TIMEOUT_MS = 120_000;

describe("the API's start", () => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await createSetting();
  });
  afterAll(() => setting.close());

  it("names each variable that is missing or wrong, and never a value", async () => {
    const { API_KEY: _, ...environment } = setting.environment;
    const api = spawnApi({ ...environment, ENCRYPTION_KEY: "not-a-key-but-secret", PORT: "99999" });
    expect(await api.exited).toBe(1);
    expect(api.output()).toContain("(invalid_environment)");
    for (const name of ["API_KEY", "ENCRYPTION_KEY", "PORT"]) expect(api.output()).toContain(`  ${name}: `);
    expect(api.output()).not.toContain("not-a-key-but-secret");
  });

  it("says where in a variable's JSON something is wrong", async () => {
    const api = spawnApi({
      ...setting.environment,
      TICKET_FIELDS: '[{"name":"category"}]',
      DISCORD_WEBHOOK_CHANNELS: '{"ticket.created":["1","CHANNEL_ID"]}',
    });
    expect(await api.exited).toBe(1);
    expect(api.output()).toContain("  TICKET_FIELDS: 0.label ");
    expect(api.output()).toContain("  DISCORD_WEBHOOK_CHANNELS: ticket.created.1 must be a channel id");
  });

  it("H11 refuses an ingress secret below 32 characters", async () => {
    const api = spawnApi({ ...setting.environment, CONNECTOR_INGRESS_SECRET: "short" });
    expect(await api.exited).toBe(1);
    expect(api.output()).toContain("CONNECTOR_INGRESS_SECRET: must have at least 32 characters");
  });

  it(
    "says that its port is in use and ends with exit code 1",
    async () => {
      const holder = createServer();
      await new Promise<void>((resolve) => holder.listen(Number(setting.environment.PORT), "127.0.0.1", resolve));
      const api = spawnApi(setting.environment);
      expect(await api.exited).toBe(1);
      expect(api.output()).toContain("(port_in_use)");
      await new Promise((resolve) => holder.close(resolve));
    },
    START_TIMEOUT_MS,
  );

  it(
    "refuses a data directory that another process holds, and leaves that process alone",
    async () => {
      const first = spawnApi(setting.environment);
      await untilReady(first);
      const port = String(await freePort());
      const second = spawnApi({ ...setting.environment, PORT: port, API_PUBLIC_URL: `http://127.0.0.1:${port}` });
      expect(await second.exited).toBe(1);
      expect(second.output()).toContain("(directory_locked)");
      expect((await fetch(`${first.url}/ready`)).status).toBe(200);
      first.child.kill("SIGTERM");
      expect(await first.exited).toBe(0);
    },
    START_TIMEOUT_MS,
  );

  it(
    "X8 a stop finishes the request that is under way and the delivery that is being sent",
    async () => {
      const receiver = await openReceiver();
      const { API_KEY: key, PORT, DATABASE_URL } = setting.environment;
      const api = spawnApi({
        ...setting.environment,
        ADDRESS_GUARD_ALLOW: "127.0.0.0/8",
        ADDRESS_GUARD_ALLOW_HTTP: "true",
      });
      await untilReady(api);
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const post = (path: string, body: unknown) =>
        fetch(api.url + path, { method: "POST", headers, body: JSON.stringify(body) });
      expect((await post("/v1/endpoints", { url: receiver.url, events: ["ticket.created"] })).status).toBe(201);
      const ticket = { title: "Printer", description: "It burns.", priority: "low", created_by: "anna" };
      expect((await post("/v1/tickets", ticket)).status).toBe(201);
      const answerDelivery = await receiver.received;

      const body = JSON.stringify({ ...ticket, title: "Under way" });
      const request = connect(Number(PORT), "127.0.0.1").setEncoding("utf8");
      let answer = "";
      request.on("data", (text) => (answer += text));
      const head = Object.entries({ host: "x", ...headers, "content-length": body.length, expect: "100-continue" });
      const lines = ["POST /v1/tickets HTTP/1.1", ...head.map(([name, value]) => `${name}: ${value}`), "", ""];
      request.write(lines.join("\r\n"));
      await expect.poll(() => answer).toContain("100 Continue");

      api.child.kill("SIGTERM");
      await expect.poll(() => api.output(), { timeout: 10_000 }).toContain('"stopping"');
      await expect(fetch(`${api.url}/health`)).rejects.toThrow();
      request.write(body);
      await expect.poll(() => answer, { timeout: 10_000 }).toContain("201 Created");
      answerDelivery();
      expect(await api.exited).toBe(0);
      await receiver.close();

      const database = await openDatabase(DATABASE_URL);
      const titles = await database.query("select title from desk.tickets order by id");
      expect(titles).toEqual([{ title: "Printer" }, { title: "Under way" }]);
      const sql = "select attempt, outcome, status from hookline.attempts order by delivery_id, attempt limit 1";
      expect(await database.query(sql)).toEqual([{ attempt: 1, outcome: "delivered", status: 200 }]);
      await database.close();
    },
    START_TIMEOUT_MS,
  );

  it(
    "refuses a data directory that it can't read, and changes nothing in it",
    async () => {
      const data = join(setting.directory, "corrupt");
      mkdirSync(data);
      writeFileSync(join(data, "PG_VERSION"), "not a version\n");
      writeFileSync(join(data, "precious"), "keep me\n");
      const api = spawnApi({ ...setting.environment, DATABASE_URL: `pglite://${data}` });
      expect(await api.exited).toBe(1);
      expect(api.output()).toContain("(directory_corrupt)");
      expect(readFileSync(join(data, "precious"), "utf8")).toBe("keep me\n");
      expect(readFileSync(join(data, "PG_VERSION"), "utf8")).toBe("not a version\n");
      expect(readdirSync(data)).toEqual(expect.arrayContaining(["PG_VERSION", "precious"]));
    },
    START_TIMEOUT_MS,
  );
});

/** A receiver that answers its first request when it is told to, and every other at once. */
async function openReceiver() {
  let isFirst = true;
  let hand = (_answer: () => void) => {};
  const received = new Promise<() => void>((resolve) => {
    hand = resolve;
  });
  const server = createHttpServer((request, response) => {
    request.resume();
    const answer = () => void response.writeHead(200).end();
    if (!isFirst) return answer();
    isFirst = false;
    hand(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves to what answers the first request, once that is here. */
    received,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
