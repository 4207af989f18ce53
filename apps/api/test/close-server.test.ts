import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { serve } from "@hono/node-server";
import { expect, it } from "vitest";
import { closeServer } from "../src/close-server.js";

it("X8 stopping cuts off a client that never ends its request", async () => {
  const server = serve({
    fetch: async (request) => new Response(await request.text()),
    hostname: "127.0.0.1",
    port: 0,
  });
  await once(server, "listening");
  const slow = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const ended = once(slow, "close");
  slow.on("error", () => {});
  slow.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
  await once(server, "request");
  expect(await closeServer(server, { limitMs: 20 })).toEqual({ cut: true });
  await ended;
});
