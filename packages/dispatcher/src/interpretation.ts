import type { DestinationResponse, Interpretation } from "@hookline/core";
import type { AttemptErrorCode } from "./delivery.js";

/**
 * What an answer's status says by itself: only 2xx is success, 410 disables the endpoint, and all but 2xx is tried again,
 * of a disabled endpoint when it is enabled.
 */
export function interpretStatus(response: DestinationResponse): Interpretation<never> {
  const { status } = response;
  if (status >= 200 && status < 300) return { outcome: "delivered" };
  if (status === 410) {
    // It is held as soon as somebody looks at it again.
    return { outcome: "retry", retryInMs: 0, disableEndpoint: true, reason: "The endpoint answered 410: it is gone." };
  }
  if (status >= 300 && status < 400) {
    return { outcome: "retry", reason: `The endpoint answered ${status}; redirects are not followed.` };
  }
  return { outcome: "retry", reason: `The endpoint answered ${status}.` };
}

/** What an answer that did not succeed is called in the attempt log. */
export function errorCodeOf(status: number): AttemptErrorCode {
  if (status >= 200 && status < 300) return "refused";
  return status >= 300 && status < 400 ? "redirect" : "http_status";
}
