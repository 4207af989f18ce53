import { DiscordSimulatorError } from "../errors.js";

/** A file that a person puts into a modal. */
export interface FileInput {
  readonly filename: string;
  /** What is in it, in base64. */
  readonly base64: string;
  /** Such as `image/png`; `application/octet-stream` when absent. */
  readonly contentType?: string | undefined;
}

/** What Discord takes of somebody without Nitro. */
const MAX_BYTES = 10_485_760;

/** Throws `invalid_field` for what a client would not upload. */
export function toFile({ filename, base64, contentType = "application/octet-stream" }: FileInput): File {
  const bytes = Buffer.from(base64, "base64");
  if (filename.trim() === "" || bytes.length > MAX_BYTES) {
    throw new DiscordSimulatorError("invalid_field", `A file has a name and at most ${MAX_BYTES} bytes.`);
  }
  return new File([bytes], filename, { type: contentType });
}
