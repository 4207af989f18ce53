import { defineSource } from "@hookline/core";
import type { TestDatabases } from "@hookline/postgres/testing";
import { sign, standardWebhooks } from "@hookline/webhook-signing";
import { z } from "zod";
import { type AppOptions, createApp, type EngineSource } from "../../src/index.js";
import { listen, openWorld, type World, type WorldOptions } from "./world.js";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
export const TOKEN = "a-token-that-is-long-enough";

const order = z.object({ number: z.string(), email: z.email(), lines: z.array(z.object({ count: z.number() })) });
export const ORDER = { number: "A-1", email: "Jo@Example.com", lines: [{ count: 2 }] };

export const orders = (over: Partial<EngineSource> = {}): EngineSource => ({
  ...defineSource({
    id: "orders",
    path: "/hooks/orders",
    tenantId: "acme",
    scheme: standardWebhooks,
    secrets: [SECRET, OLD_SECRET],
    schema: order,
    transform: ({ number, email }) => [
      {
        type: "order.placed",
        timestamp: new Date(Date.UTC(2026, 0, 1)),
        idempotencyKey: `order:${number}`,
        identities: [{ kind: "email", value: email }],
        data: { number },
      },
      { type: "stock.changed", idempotencyKey: `stock:${number}`, data: { number } },
    ],
  }),
  ...over,
});

export const bearerOnly = (over: Partial<EngineSource> = {}): EngineSource => {
  const { scheme: _scheme, secrets: _secrets, ...rest } = orders();
  return { ...rest, id: "tokens", path: "/hooks/tokens", bearer: ["another-token-of-the-past", TOKEN], ...over };
};

let messages = 0;
export interface Signing {
  readonly secret?: string;
  readonly id?: string;
  readonly ageSeconds?: number;
  readonly nowMs?: number;
}
export function signed(
  body: string | Uint8Array,
  { secret = SECRET, id, ageSeconds = 0, nowMs = Date.now() }: Signing = {},
) {
  return sign(body, {
    scheme: standardWebhooks,
    secrets: [secret],
    id: id ?? `msg_${messages++}`,
    timestamp: Math.floor(nowMs / 1000) - ageSeconds,
  });
}

/** A world with these sources, served. */
export async function openSources(
  databases: TestDatabases,
  sources: readonly EngineSource[],
  options: WorldOptions & { readonly app?: AppOptions } = {},
) {
  const world = await openWorld(databases, { ...options, sources });
  return { ...world, ...(await serveApp(world, options.app)) };
}

export async function serveApp(world: Pick<World, "engine">, options: AppOptions = {}) {
  const url = await listen(createApp(world.engine, options));
  const post = (path: string, body: string | Uint8Array, headers: Record<string, string>) =>
    fetch(`${url}${path}`, { method: "POST", body, headers });
  const send = (body: unknown, signing: Signing = {}) => {
    const text = JSON.stringify(body);
    return post("/hooks/orders", text, signed(text, signing));
  };
  return { url, post, send };
}
