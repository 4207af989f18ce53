import { PGlite, type PGliteOptions, protocol, messages as wire } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { DatabaseError } from "../errors.js";
import { type Decoder, decoderOf } from "../values/decode-value.js";
import type { EncodedParameter } from "../values/encode-parameter.js";
import { type FileSync, makeFilesDurable, type NodeFileSystem } from "./durable-files.js";
import { createWalWriter } from "./wal-writer.js";
import type { WorkerRunResult } from "./worker-protocol.js";

const { serialize, Parser } = protocol;

/** PGlite spoken to in Postgres's wire protocol, so that values are read the same way as from a server. */
export interface PgliteEngine {
  run(statement: EngineStatement): Promise<WorkerRunResult>;
  /** The whole database as one tar file. */
  dump(): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface EngineStatement {
  readonly text: string;
  readonly params: readonly EncodedParameter[];
  /** Keeps the statement prepared under this name. */
  readonly name: string | undefined;
}

export interface EngineOptions {
  /** Absent: in memory. */
  readonly directory: string | undefined;
  /** How a commit reaches the disk; absent: left to the operating system. */
  readonly fileSync: FileSync | undefined;
  /** What {@link PgliteEngine.dump} answered, to start from. */
  readonly snapshot?: Blob | undefined;
  readonly onNotify: (channel: string, payload: string) => void;
}

export async function createPgliteEngine(options: EngineOptions): Promise<PgliteEngine> {
  const { directory, fileSync, snapshot, onNotify } = options;
  const stderr: string[] = [];
  const pglite = new PGlite({
    ...filesOf(directory, fileSync),
    ...(snapshot === undefined ? {} : { loadDataDir: snapshot }),
    onStderr(text) {
      if (stderr.push(text) > 20) stderr.shift();
      return false;
    },
  });
  try {
    await pglite.waitReady;
  } catch (error) {
    throw new DatabaseError("directory_corrupt", reasonOf(error, stderr));
  }
  const prepared = new Set<string>();

  async function exchange(statement: EngineStatement): Promise<Answer> {
    const answer = createAnswer(onNotify);
    const parser = new Parser();
    await pglite.execProtocolRawStream(encode(statement, prepared), {
      syncToFs: false,
      onRawData: (bytes) => parser.parse(bytes, answer.read),
    });
    if (statement.name !== undefined && answer.parsed()) prepared.add(statement.name);
    return answer;
  }

  const walWriter =
    directory === undefined
      ? null
      : createWalWriter({
          isInTransaction: () => pglite.isInTransaction(),
          run: async (text) => (await exchange({ text, params: [], name: undefined })).result(),
        });

  return {
    async run(statement) {
      walWriter?.noteRun();
      const answer = await exchange(statement);
      const { failure } = answer;
      if (failure()?.sqlState !== "0A000" || statement.name === undefined || pglite.isInTransaction()) {
        return answer.result();
      }
      // The table under a prepared statement changed, and nothing was done: prepare it anew.
      prepared.delete(statement.name);
      await exchange({ text: `DEALLOCATE "${statement.name}"`, params: [], name: undefined });
      return (await exchange(statement)).result();
    },
    async dump() {
      const file = await pglite.dumpDataDir("none");
      return new Uint8Array(await file.arrayBuffer());
    },
    close() {
      walWriter?.stop();
      return pglite.close();
    },
  };
}

/** Collects what the engine answers to one exchange; the last statement's rows stay. */
interface Answer {
  readonly read: (message: { readonly name: string }) => void;
  readonly parsed: () => boolean;
  readonly failure: () => DatabaseError | undefined;
  /** @throws DatabaseError */
  readonly result: () => WorkerRunResult;
}

function createAnswer(onNotify: EngineOptions["onNotify"]): Answer {
  let names: readonly string[] = [];
  let decoders: readonly Decoder[] = [];
  let rows: Record<string, unknown>[] = [];
  let result: WorkerRunResult = { rows: [], rowCount: 0, command: "" };
  let parsed = false;
  let failure: unknown;

  function readRow({ fields }: wire.DataRowMessage): void {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < fields.length; index++) {
      const text = fields[index] ?? null;
      row[names[index] ?? ""] = text === null ? null : decoders[index]?.(text);
    }
    rows.push(row);
  }

  return {
    parsed: () => parsed,
    failure: () => (failure instanceof DatabaseError ? failure : undefined),
    read(message) {
      if (message instanceof wire.NotificationResponseMessage) onNotify(message.channel, message.payload);
      if (failure !== undefined) return;
      try {
        if (message instanceof wire.DataRowMessage) readRow(message);
        else if (message instanceof wire.RowDescriptionMessage) {
          names = message.fields.map((field) => field.name);
          decoders = message.fields.map((field) => decoderOf(field.dataTypeID));
          rows = [];
        } else if (message instanceof wire.CommandCompleteMessage) {
          const words = message.text.split(" ");
          result = { rows, rowCount: Number(words.at(-1)) || 0, command: words[0] ?? "" };
          rows = [];
        } else if (message instanceof wire.DatabaseError) {
          failure = new DatabaseError("query_failed", message.message, {
            sqlState: message.code,
            constraint: message.constraint,
          });
        } else if (message.name === "parseComplete") parsed = true;
      } catch (error) {
        failure = error;
      }
    },
    result() {
      if (failure !== undefined) throw failure;
      return result;
    },
  };
}

function encode({ text, params, name }: EngineStatement, prepared: ReadonlySet<string>): Uint8Array {
  if (params.length === 0) return serialize.query(text);
  const statement = name ?? "";
  const parts = [
    serialize.bind({ statement, values: params.map(toWire) }),
    serialize.describe({ type: "P" }),
    serialize.execute({}),
    serialize.sync(),
  ];
  if (name === undefined || !prepared.has(name)) parts.unshift(serialize.parse({ text, name: statement }));
  return Buffer.concat(parts);
}

function toWire(param: EncodedParameter): string | ArrayBufferView | null {
  return param;
}

function filesOf(directory: string | undefined, fileSync: FileSync | undefined): PGliteOptions {
  if (directory === undefined) return {};
  const files = new NodeFS(directory);
  if (!fileSync) return { fs: files };
  const init = files.init.bind(files);
  files.init = async (pglite, options) => {
    const { emscriptenOpts } = await init(pglite, options);
    // Before Postgres starts, since recovery after a crash has to reach the disk too.
    const preRun = [
      ...(emscriptenOpts.preRun ?? []),
      (module: PostgresModule) => makeFilesDurable(module.NODEFS, fileSync),
    ];
    return { emscriptenOpts: { ...emscriptenOpts, preRun } };
  };
  const startParams = PGlite.defaultStartParams.filter((param) => param !== "-F");
  // The other methods of syncing the log do not pass through the file system's own operation.
  return { fs: files, startParams: [...startParams, "-c", "wal_sync_method=fsync"] };
}

interface PostgresModule {
  readonly NODEFS: NodeFileSystem;
}

function reasonOf(error: unknown, stderr: readonly string[]): string {
  const fatal = stderr.findLast((line) => /FATAL|PANIC/.test(line));
  return fatal?.trim() ?? (error instanceof Error ? error.message : String(error));
}
