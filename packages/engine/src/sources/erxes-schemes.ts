import { bodyHmac, defineScheme, erxes, type Scheme } from "@hookline/webhook-signing";

/** Where the erxes server looks for a signature of the body. */
const SERVER_HEADERS = ["x-hub-signature-256", "x-signature", "signature"] as const;
const signaturePrefix = "sha256=";

/**
 * The ways in which callers of an erxes automation sign: first as its documentation says, with a signed time, then as
 * its server really checks. There the time (milliseconds, asked for where replays are prevented) is not signed, so that
 * nothing but the body tells a request from its copy.
 */
export function erxesSchemes({ preventReplay }: { readonly preventReplay: boolean }): readonly Scheme[] {
  return [
    erxes,
    ...SERVER_HEADERS.map((signatureHeader) => {
      const form = { name: "erxes-server", signatureHeader, signaturePrefix };
      return preventReplay
        ? defineScheme({ ...form, timestampHeader: "x-timestamp", timestampUnit: "milliseconds" })
        : bodyHmac(form);
    }),
  ];
}
