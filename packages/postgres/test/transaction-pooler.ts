import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import pg from "pg";

const READY = "Z".charCodeAt(0);
const NOTIFICATION = "A".charCodeAt(0);
const TERMINATE = "X".charCodeAt(0);
const IDLE = "I".charCodeAt(0);
const AUTHENTICATED = Buffer.from("R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", "latin1");

export interface TransactionPooler {
  readonly url: string;
  close(): Promise<void>;
}

interface Waiting {
  readonly client: Socket;
  readonly bytes: Buffer;
}

/**
 * A pooler in transaction mode: whoever is in a transaction has one of a few connections, the next transaction has the
 * next one. It knows nothing of prepared statements, and drops notifications that come between transactions.
 */
export async function startTransactionPooler(connectionString: string, size = 3): Promise<TransactionPooler> {
  const queue: Waiting[] = [];
  const idle: ((next: Waiting) => void)[] = [];
  const clients = new Set<Socket>();
  const servers = await Promise.all(Array.from({ length: size }, () => connectRaw(connectionString)));
  for (const server of servers) serve(server.socket);

  function serve(socket: Socket): void {
    let served: Waiting | undefined;
    const take = (next: Waiting): void => {
      served = next;
      socket.write(next.bytes);
      next.client.on("data", forward);
    };
    const forward = (bytes: Buffer): void => {
      socket.write(bytes);
    };
    const read = framesOf((frame) => {
      if (served === undefined) return;
      served.client.write(frame);
      if (frame[0] !== READY || frame[5] !== IDLE) return;
      const { client } = served;
      served = undefined;
      client.removeListener("data", forward);
      wait(client);
      idle.push(take);
      handOut();
    });
    socket.on("data", read);
    idle.push(take);
  }

  function wait(client: Socket): void {
    client.once("data", (bytes: Buffer) => {
      if (bytes[0] === TERMINATE) return;
      queue.push({ client, bytes });
      handOut();
    });
  }

  function handOut(): void {
    while (queue.length > 0 && idle.length > 0) idle.shift()?.(queue.shift() as Waiting);
  }

  const listener = createServer((client) => {
    clients.add(client);
    client.on("error", () => {});
    client.once("data", () => {
      client.write(AUTHENTICATED);
      wait(client);
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  return {
    url: `postgres://pooled@127.0.0.1:${port}/pooled`,
    async close() {
      for (const client of clients) client.destroy();
      listener.close();
      await Promise.all(servers.map((server) => server.end()));
    },
  };
}

/** A connection that node-postgres has logged in, and nobody reads any more. */
async function connectRaw(connectionString: string): Promise<{ readonly socket: Socket; end(): Promise<void> }> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  const { stream: socket } = (client as unknown as { connection: { stream: Socket } }).connection;
  socket.removeAllListeners("data");
  return {
    socket,
    async end() {
      socket.destroy();
      await once(socket, "close");
    },
  };
}

/** Cuts what a server sends into its messages, without those that come at any time. */
function framesOf(take: (frame: Buffer) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
      const end = rest.readUInt32BE(1) + 1;
      const frame = rest.subarray(0, end);
      rest = rest.subarray(end);
      if (frame[0] !== NOTIFICATION) take(frame);
    }
  };
}
