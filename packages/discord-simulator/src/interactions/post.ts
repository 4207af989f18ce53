import type { Clock } from "@hookline/core";
import type { SignedRequest } from "./signing.js";

export type PostResult =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  | { readonly kind: "timed_out"; readonly detail: string }
  | { readonly kind: "unreachable"; readonly detail: string };

interface PostInput {
  readonly url: string;
  readonly request: SignedRequest;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Posts to the application; the time limit covers the body too. */
export async function postSigned({ url, request, fetch, clock, timeoutMs }: PostInput): Promise<PostResult> {
  const abort = new AbortController();
  const cancelTimer = clock.setTimer(() => abort.abort(), timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: request.headers,
      body: request.body,
      redirect: "manual",
      signal: abort.signal,
    });
    return { kind: "answered", status: response.status, body: await response.text() };
  } catch (error) {
    if (abort.signal.aborted) {
      return { kind: "timed_out", detail: `no answer within ${timeoutMs} ms` };
    }
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return { kind: "unreachable", detail: cause instanceof Error ? cause.message : String(cause) };
  } finally {
    cancelTimer();
  }
}
