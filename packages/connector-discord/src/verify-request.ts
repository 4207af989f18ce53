import { type Clock, problemResponse } from "@hookline/core";
import { discord, isWebhookVerificationError, verify } from "@hookline/webhook-signing";

export interface VerifyRequestOptions {
  readonly publicKeyHex: string;
  readonly toleranceSeconds: number;
  readonly clock: Clock;
}

/** The JSON body of a request that Discord has signed, or what to answer to one that it has not. */
export async function verifyRequest(
  request: Request,
  { publicKeyHex, toleranceSeconds, clock }: VerifyRequestOptions,
): Promise<{ readonly ok: true; readonly received: unknown } | { readonly ok: false; readonly response: Response }> {
  const body = new Uint8Array(await request.arrayBuffer());
  try {
    const verified = verify(body, request.headers, {
      scheme: discord,
      secrets: [publicKeyHex],
      toleranceSeconds,
      now: new Date(clock.now()),
    });
    return { ok: true, received: verified.json() };
  } catch (error) {
    if (!isWebhookVerificationError(error)) throw error;
    const { statusCode: status, code, message: detail } = error;
    return { ok: false, response: problemResponse({ status, code, detail }) };
  }
}
