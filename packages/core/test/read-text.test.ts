import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { readText } from "../src/index.js";

let stop = async () => {};
afterEach(() => stop());

async function serve(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_request, response) => answer(response)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("readText", () => {
  it("reads a body that fits, also one that ends in the middle of the limit's last character", async () => {
    const url = await serve((response) => response.end("für"));
    expect(await readText(await fetch(url), { maxBytes: 4 })).toEqual({ text: "für", complete: true });
    expect(await readText(await fetch(url), { maxBytes: 3 })).toEqual({ text: "fü", complete: false });
    expect(await readText(new Response(null), { maxBytes: 3 })).toEqual({ text: "", complete: true });
  });

  it("ends a body without an end at the limit, and its connection", async () => {
    let ended: Promise<void> = Promise.resolve();
    const url = await serve((response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(1_024)));
      };
      response.on("drain", more);
      ended = new Promise((resolve) => response.once("close", resolve));
      more();
    });
    const { text, complete } = await readText(await fetch(url), { maxBytes: 10_000 });
    expect([text.length, complete]).toEqual([10_000, false]);
    await ended;
  });

  it("counts what comes out of decompression", async () => {
    const packed = gzipSync("x".repeat(10_000_000));
    const url = await serve((response) => response.setHeader("content-encoding", "gzip").end(packed));
    const { text, complete } = await readText(await fetch(url), { maxBytes: 100_000 });
    expect(packed.length).toBeLessThan(100_000);
    expect([text.length, complete]).toEqual([100_000, false]);
  });

  it("rejects when the body breaks off", async () => {
    const url = await serve((response) => {
      response.writeHead(200, { "content-length": 10 });
      response.write("half", () => response.destroy());
    });
    await expect(fetch(url).then((answer) => readText(answer, { maxBytes: 100 }))).rejects.toThrow();
  });
});
