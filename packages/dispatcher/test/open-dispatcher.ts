import type { Database } from "@hookline/postgres";
import type { TestDatabases } from "@hookline/postgres/testing";
import { it, onTestFinished } from "vitest";
import { createDispatcher, type Dispatcher, type DispatcherOptions } from "../src/index.js";
import { createReceiver, type Receiver, type ReceiverAnswer, type ReceiverOptions } from "../src/testing.js";

export const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");
export const TENANT = "acme";

/** A deadline for what happens at once on a quiet machine. */
const PATIENCE_MS = 25_000;

type Options = Omit<Partial<DispatcherOptions>, "database" | "schema">;

export interface OpenedDispatcher {
  readonly dispatcher: Dispatcher;
  readonly database: Database;
  readonly schema: string;
  readonly url: string | undefined;
  /** Another one on the same tables, not started. */
  another(options?: Options): Dispatcher;
  /** Warnings and errors of all of them. */
  readonly logged: { readonly level: string; readonly message: string; readonly fields: object }[];
}

/** A migrated dispatcher that may send to this machine; stopped when the test ends. */
export async function openDispatcher(databases: TestDatabases, options: Options = {}): Promise<OpenedDispatcher> {
  const { database, schema, url } = await databases.open();
  const logged: { level: string; message: string; fields: object }[] = [];
  const log = (level: string) => (fields: object, message: string) => void logged.push({ level, message, fields });
  const another = (more: Options = {}): Dispatcher => {
    const dispatcher = createDispatcher({
      database,
      schema,
      encryptionKey: ENCRYPTION_KEY,
      addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
      logger: { debug() {}, info() {}, warn: log("warn"), error: log("error") },
      ...options,
      ...more,
    });
    onTestFinished(() => dispatcher.stop());
    return dispatcher;
  };
  const dispatcher = another();
  await dispatcher.migrate();
  return { dispatcher, database, schema, url, another, logged };
}

/** How many rows one of its tables has. */
export async function countRows({ database, schema }: OpenedDispatcher, table: string): Promise<number | undefined> {
  const [row] = await database.query<{ n: number }>(`select count(*)::int as n from ${schema}.${table}`);
  return row?.n;
}

/** A receiver that ends with the test, and waits as long as {@link until} does. */
export async function openReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const receiver = await createReceiver(options);
  onTestFinished(() => receiver.close());
  const waitFor: Receiver["waitFor"] = (count, timeoutMs = PATIENCE_MS) => receiver.waitFor(count, timeoutMs);
  return { ...receiver, waitFor };
}

/** A receiver that answers nothing until it is told to, and takes signatures of any time. */
export async function openWaitingReceiver(answer: ReceiverAnswer): Promise<{ receiver: Receiver; answer(): void }> {
  let goOn = () => {};
  const answered = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const receiver = await openReceiver({
    answer: async () => {
      await answered;
      return answer;
    },
    toleranceSeconds: Number.POSITIVE_INFINITY,
  });
  return { receiver, answer: goOn };
}

/** An endpoint at a receiver, which verifies with its secret. */
export async function subscribeReceiver(dispatcher: Dispatcher, receiver: Receiver, events: readonly string[] = ["*"]) {
  const endpoint = await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events });
  receiver.useSecret(endpoint.secret ?? "");
  return endpoint;
}

/** Asks again until there is an answer; fails after so many seconds of real time. */
export async function until<T>(
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutSeconds = PATIENCE_MS / 1_000,
): Promise<T> {
  const endMs = performance.now() + timeoutSeconds * 1_000;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (performance.now() > endMs) throw new Error(`Nothing within ${timeoutSeconds} seconds: ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The only delivery there is, once it is as wanted. */
export function untilDelivery(
  dispatcher: Dispatcher,
  isWanted: (delivery: Awaited<ReturnType<Dispatcher["deliveries"]["list"]>>["deliveries"][number]) => boolean,
) {
  return until(async () => {
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
    const [delivery] = deliveries;
    if (deliveries.length !== 1 || delivery === undefined || !isWanted(delivery)) return null;
    return dispatcher.deliveries.get({ tenantId: TENANT, id: delivery.id });
  });
}

/** \`it\` for what only one kind of database has; on the other there is no such test, and so none that is skipped. */
export function onlyOn(
  databases: TestDatabases,
  kind: TestDatabases["kind"],
): (title: string, run: () => Promise<void>) => void {
  return databases.kind === kind ? it : () => {};
}
