import { createHash, timingSafeEqual } from "node:crypto";
import { problemResponse } from "@hookline/core";
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
  options: { readonly secret: string | null; readonly nowMs: number; readonly maxBodyBytes: number },
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
  const window = Math.floor(options.nowMs / REPEAT_WINDOW_MS);
  return {
    ok: true,
    item: {
      key: `plain:${hash}:${window}`,
      sessionId: "plain",
      shard: 0,
      seq: 0,
      type: parsed.data.__t,
      receivedAt: new Date(options.nowMs).toISOString(),
      d: parsed.data.d,
    },
  };
}

function digest(content: string | Uint8Array): Buffer {
  return createHash("sha256").update(content).digest();
}
