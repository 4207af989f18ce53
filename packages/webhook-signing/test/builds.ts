import { describe } from "vitest";
import * as node from "../src/index.js";
import * as web from "../src/web/index.js";

/** Node's synchronous face as the asynchronous one, so that one suite runs on both. */
const nodeBuild: typeof web = {
  ...node,
  sign: async (body, options) => node.sign(body, options),
  verify: async (body, headers, options) => node.verify(body, headers, options),
  verifyAny: async (body, headers, ways) => node.verifyAny(body, headers, ways),
  generateKeyPair: async () => node.generateKeyPair(),
};

/** Runs a suite once on node:crypto and once on WebCrypto. */
export function describeBuilds(title: string, suite: (build: typeof web) => void): void {
  describe.each([
    { on: "node:crypto", build: nodeBuild },
    { on: "WebCrypto", build: web },
  ])(`${title} ($on)`, ({ build }) => suite(build));
}
