import type { Clock } from "@hookline/core";
import type { World } from "../world/model.js";
import { postSigned } from "./post.js";
import { signRequest, spoilSignature } from "./signing.js";

/** Why an interactions URL was refused, or null when it is fine. */
export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

interface ProbeInput {
  readonly world: World;
  readonly url: string;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly snowflake: () => string;
}

/** Asks as Discord does before it saves a URL: a good PING must get PONG, a wrong signature 401. */
export async function probeInteractionsUrl(input: ProbeInput): Promise<ProbeResult> {
  const { world, url, clock } = input;
  const body = JSON.stringify({
    id: input.snowflake(),
    application_id: world.application.id,
    type: 1,
    token: "probe",
    version: 1,
    user: world.application.bot,
    entitlements: [],
    authorizing_integration_owners: {},
  });
  const request = signRequest(world.application.secretKey, body, Math.floor(clock.now() / 1000));
  const good = await postSigned({ ...input, request });
  if (good.kind !== "answered") {
    return refused(`the PING got no answer from ${url}: ${good.detail}`);
  }
  if (good.status < 200 || good.status > 299) {
    return refused(`the PING was answered ${good.status} instead of 200`);
  }
  if (typeOf(good.body) !== 1) {
    return refused("the PING was not answered with PONG, { type: 1 }");
  }
  const bad = await postSigned({ ...input, request: spoilSignature(request) });
  if (bad.kind !== "answered" || bad.status !== 401) {
    const got = bad.kind === "answered" ? String(bad.status) : bad.detail;
    return refused(`a wrong signature must be answered 401, got ${got}`);
  }
  return { ok: true };
}

function refused(reason: string): ProbeResult {
  return { ok: false, reason };
}

function typeOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { type?: unknown } | null)?.type;
  } catch {
    return undefined;
  }
}
