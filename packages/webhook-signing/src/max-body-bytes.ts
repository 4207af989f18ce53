import { WebhookVerificationError } from "./errors.js";

/** Where an adapter that reads the body itself stops reading. */
export interface BodyLimit {
  /** Longer bodies are refused with `body_too_large`. Default 1,048,576. */
  readonly maxBodyBytes?: number | undefined;
}

export const defaultMaxBodyBytes = 1_048_576;

export function tooLarge(maxBodyBytes: number): WebhookVerificationError {
  return new WebhookVerificationError("body_too_large", `The body is longer than ${maxBodyBytes} bytes.`);
}

/** The sender's length, before a byte is read. */
export function checkContentLength(length: string | null | undefined, maxBodyBytes: number): void {
  if (Number(length) > maxBodyBytes) throw tooLarge(maxBodyBytes);
}
