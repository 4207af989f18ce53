import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { erxesIntake } from "../src/desk/erxes-intake.js";

const TICKET = {
  tenantId: "default",
  requestKey: "discord:1",
  title: "Cannot sign in",
  description: "White page.",
  priority: 1,
  further: {},
  requesterId: "1",
  userId: "1",
  userName: "anna",
  channelName: "support",
  submittedAt: new Date(),
};

const silent = () => {};
const logger = { debug: silent, info: silent, warn: silent, error: silent };
const untouched = (): never => {
  throw new Error("nothing is stored of a ticket that was not taken");
};
const store = { database: { transaction: untouched }, outbox: {}, linkContact: untouched } as never;
const intakeAt = (url: string, timeoutMs: number) =>
  erxesIntake({ url, bearerToken: "t".repeat(16), secret: "s".repeat(16), store, logger, timeoutMs });

describe("erxesIntake", () => {
  it("E3 says that a ticket may have arrived where the answer does not come in time", async () => {
    const server = createServer(silent).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const outcome = await intakeAt(url, 50).submit(TICKET, AbortSignal.timeout(60_000));
    expect(outcome).toMatchObject({ ok: false, retry: true, mayHaveArrived: true });
    server.closeAllConnections();
    server.close();
  });

  it("E3 says that a ticket did not arrive where nobody listens", async () => {
    const server = createServer(silent).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const outcome = await intakeAt(`http://127.0.0.1:${port}/`, 60_000).submit(TICKET, AbortSignal.timeout(60_000));
    expect(outcome).toEqual({ ok: false, retry: true, reason: "The ticket system can't be reached." });
  });
});
