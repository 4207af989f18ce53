import { type LeaseAnswer, type LeaseRequest, leaseAnswerSchema } from "../lease-contract.js";
import { describeFailure } from "./ingress-client.js";
import type { SignedPost } from "./signed-post.js";

export type LeaseOutcome =
  | { readonly ok: true; readonly leases: LeaseAnswer["leases"] }
  | { readonly ok: false; readonly reason: string };

/** Asks the API for leases; never throws. */
export type LeaseClient = (request: LeaseRequest, signal: AbortSignal) => Promise<LeaseOutcome>;

export function createLeaseClient(options: { readonly url: string; readonly post: SignedPost }): LeaseClient {
  return async (request, signal) => {
    try {
      const { status, text } = await options.post(options.url, JSON.stringify(request), signal);
      if (status !== 200) {
        return { ok: false, reason: `HTTP ${status}` };
      }
      return { ok: true, leases: leaseAnswerSchema.parse(JSON.parse(text)).leases };
    } catch (error) {
      return { ok: false, reason: describeFailure(error) };
    }
  };
}
