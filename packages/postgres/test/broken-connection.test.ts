import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../src/index.js";

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** Lets everybody in and goes down in the same breath, as a backend does whose server is killed. */
const LAST_WORDS = Buffer.concat([
  message("R", Buffer.alloc(4)),
  message("Z", Buffer.from("I")),
  message("E", Buffer.from("SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0", "latin1")),
]);

it("answers connection_failed, and does not end the process, when a server goes down as it lets a client in", async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => socket.end(LAST_WORDS));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const opening = openDatabase(`postgres://nobody@127.0.0.1:${port}/nothing`);
  // An error that nobody listens for fails the whole run, whatever is expected here.
  await expect(opening).rejects.toMatchObject({ name: "DatabaseError", code: "connection_failed" });
});
