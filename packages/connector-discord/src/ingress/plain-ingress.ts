import { createHash, timingSafeEqual } from "node:crypto";
import { problemResponse, type SharedState } from "@hookline/core";
import { z } from "zod";
import type { IngressItem } from "../ingress-contract.js";
import { readJson } from "./signed-json.js";

const SECRET_HEADER = "x-hogsend-ingress-secret";
/** A packet of the same content within this time is the same packet; later it is a new one, such as a reaction again. */
const REPEAT_WINDOW_MS = 10_000;

const packetSchema = z.object({ __t: z.string().min(1).max(100), d: z.unknown() });

type PlainPacket =
  | { readonly ok: true; readonly item: IngressItem }
  | { readonly ok: false; readonly response: Response };

export function isPlain(request: Request): boolean {
  return request.headers.has(SECRET_HEADER);
}

/**
 * One packet as `@hogsend/plugin-discord` forwards it, with the secret itself in a header. It says neither session nor
 * place, so it is known again by its content and the moment only.
 */
export async function readPlainPacket(
  request: Request,
  options: {
    readonly secret: string | null;
    readonly nowMs: number;
    readonly maxBodyBytes: number;
    readonly state: SharedState;
  },
): Promise<PlainPacket> {
  const given = request.headers.get(SECRET_HEADER) ?? "";
  if (options.secret === null || !timingSafeEqual(digest(given), digest(options.secret))) {
    const detail = `The secret in ${SECRET_HEADER} is not accepted.`;
    return { ok: false, response: problemResponse({ status: 401, code: "secret_mismatch", detail }) };
  }
  const body = new Uint8Array(await request.arrayBuffer());
  const read = await readJson(request, body, options.maxBodyBytes);
  if (!read.ok) return read;
  const parsed = packetSchema.safeParse(read.value);
  if (!parsed.success) {
    const detail = "The body is { __t, d }: a packet's type and its payload.";
    return { ok: false, response: problemResponse({ status: 400, code: "invalid_packet", detail }) };
  }
  const hash = digest(body).toString("hex").slice(0, 32);
  const firstAtMs = await firstOf(hash, options);
  return {
    ok: true,
    item: {
      key: `plain:${hash}:${firstAtMs}`,
      sessionId: "plain",
      shard: 0,
      seq: 0,
      type: parsed.data.__t,
      receivedAt: new Date(options.nowMs).toISOString(),
      d: parsed.data.d,
    },
  };
}

/** When it came first, if that is no longer ago than a repetition may be. All processes share the moment. */
async function firstOf(hash: string, { state, nowMs }: { state: SharedState; nowMs: number }): Promise<number> {
  const key = `plain-packet:${hash}`;
  for (;;) {
    const known = (await state.get([key])).get(key);
    const knownAtMs = Number(known?.value ?? Number.NaN);
    if (Math.abs(nowMs - knownAtMs) < REPEAT_WINDOW_MS) return knownAtMs;
    const entry = { value: String(nowMs), ttlSeconds: (2 * REPEAT_WINDOW_MS) / 1000, ifVersion: known?.version ?? 0 };
    if ((await state.put(key, entry)) !== null) return nowMs;
  }
}

function digest(content: string | Uint8Array): Buffer {
  return createHash("sha256").update(content).digest();
}
