import type { Clock } from "@hookline/core";
import type { World } from "../world/model.js";
import { postSigned } from "./post.js";
import { signRequest, spoilSignature } from "./signing.js";

/** Whether a URL may be saved, and why not. */
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
export function probeInteractionsUrl(input: ProbeInput): Promise<ProbeResult> {
  const { world } = input;
  const ping = {
    id: input.snowflake(),
    application_id: world.application.id,
    type: 1,
    token: "probe",
    version: 1,
    user: world.application.bot,
    entitlements: [],
    authorizing_integration_owners: {},
  };
  return probe(input, ping, ({ status, body }) => {
    if (status < 200 || status > 299) {
      return `the PING was answered ${status} instead of 200`;
    }
    return typeOf(body) === 1 ? null : "the PING was not answered with PONG, { type: 1 }";
  });
}

/** The same for Webhook Events, whose PING is answered 204 without a body. */
export function probeEventsUrl(input: Omit<ProbeInput, "snowflake">): Promise<ProbeResult> {
  const ping = { version: 1, application_id: input.world.application.id, type: 0 };
  return probe(input, ping, ({ status, body }) =>
    status === 204 && body === "" ? null : `the PING was answered ${status} instead of 204 without a body`,
  );
}

async function probe(
  input: Omit<ProbeInput, "snowflake">,
  ping: object,
  faultOf: (answer: { readonly status: number; readonly body: string }) => string | null,
): Promise<ProbeResult> {
  const { world, url, clock } = input;
  const request = signRequest(world.application.secretKey, JSON.stringify(ping), Math.floor(clock.now() / 1000));
  const good = await postSigned({ ...input, request });
  if (good.kind !== "answered") {
    return refused(`the PING got no answer from ${url}: ${good.detail}`);
  }
  const fault = faultOf(good);
  if (fault !== null) {
    return refused(fault);
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
