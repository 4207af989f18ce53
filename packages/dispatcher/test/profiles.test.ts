import { createHmac, timingSafeEqual } from "node:crypto";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReceivedRequest } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT } from "./open-dispatcher.js";

const SECRET = "a secret of those services";
const TICKET = { id: "t1", title: "Network issue", priority: "high", note: "Straße 😀" };

const hmac = (text: string) => createHmac("sha256", SECRET).update(text).digest("hex");

function isSame(given: string | undefined, expected: string): boolean {
  return given?.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

type Got = Pick<ReceivedRequest, "headers" | "body">;

/** The bot of seed 001: headline of a notification, or null when it refuses the request. */
function botReceives({ headers, body }: Got): string | null {
  const timestamp = headers["x-xtsystems-timestamp"] ?? "";
  const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
  if (!isFresh || !isSame(headers["x-xtsystems-signature"], `sha256=${hmac(timestamp + body)}`)) return null;
  const { event_type: type, data } = JSON.parse(body) as { event_type: string; data: { title?: string } };
  return `${type}: ${data.title}`;
}

/** The receiver that seed 003 describes: the ticket's text, or null when it refuses the request. */
function supportReceives({ headers, body }: Got): string | null {
  if (!isSame(headers["x-webhook-signature"], hmac(body))) return null;
  const { event, data } = JSON.parse(body) as { event: string; data: { ticket: { title?: string } } };
  return event === headers["x-webhook-event"] ? `${event}: ${data.ticket.title}` : null;
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  /** What endpoints of the three profiles get of one event. */
  async function send(type: string, data: unknown) {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const receivers = {
      xtsystems: await openReceiver(),
      support: await openReceiver(),
      standard: await openReceiver(),
    };
    const schemes = { xtsystems: "xtsystems", support: "ai-support", standard: "github" };
    for (const profile of ["xtsystems", "support", "standard"] as const) {
      const target = { url: receivers[profile].url, scheme: schemes[profile], profile };
      await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], secret: SECRET });
    }
    const timestamp = new Date("2026-01-15T10:30:00.400Z");
    await dispatcher.publish({ tenantId: TENANT, type, data, timestamp });
    const [xtsystems] = await receivers.xtsystems.waitFor(1);
    const [support] = await receivers.support.waitFor(1);
    const [standard] = await receivers.standard.waitFor(1);
    if (!xtsystems || !support || !standard) throw new Error("A request is missing.");
    return { xtsystems, support, standard };
  }

  it.each([
    { how: "flat", data: TICKET },
    { how: "under its name", data: { ticket: TICKET } },
  ])(
    "W4 X1 A3 A5 the receivers of both services accept and read a ticket that was published $how",
    async ({ data }) => {
      const { xtsystems, support, standard } = await send("ticket.created", data);
      expect(botReceives(xtsystems)).toBe("ticket.created: Network issue");
      expect(supportReceives(support)).toBe("ticket.created: Network issue");
      // Byte for byte: compact, and in this order.
      expect(xtsystems.body).toBe(
        JSON.stringify({ event_type: "ticket.created", data: TICKET, company_id: TENANT, timestamp: 1768473000 }),
      );
      expect(xtsystems.headers).toMatchObject({
        "user-agent": "XTSystems-Webhook/1.0",
        "content-type": "application/json",
      });
      expect(support.body).toBe(
        JSON.stringify({ event: "ticket.created", timestamp: "2026-01-15T10:30:00.400Z", data: { ticket: TICKET } }),
      );
      expect(support.headers).toMatchObject({
        "user-agent": "AI-Support-Autoresponder/1.0",
        "x-webhook-event": "ticket.created",
        "content-type": "application/json",
      });
      expect(standard.json()).toMatchObject({ type: "ticket.created", data });

      for (const receives of [botReceives, supportReceives]) {
        const request = receives === botReceives ? xtsystems : support;
        expect(receives({ ...request, body: request.body.replace("high", "low") })).toBeNull();
      }
    },
  );

  it.each([
    { type: "ai.response.rejected", data: { ticket: TICKET, ai_response: { id: "r1" }, reason: "wrong" } },
    { type: "invoice.paid", data: { invoice: { id: "i1" } } },
    { type: "ticket.escalated", data: { ticket: TICKET, by: "rule" } },
    { type: "ticket.count", data: [1, 2], support: { ticket: [1, 2] } },
  ])("W4 leaves the data of $type alone where neither service has another place for them", async (sent) => {
    const { xtsystems, support } = await send(sent.type, sent.data);
    expect((xtsystems.json() as { data: unknown }).data).toEqual(sent.data);
    expect((support.json() as { data: unknown }).data).toEqual(sent.support ?? sent.data);
  });
});
