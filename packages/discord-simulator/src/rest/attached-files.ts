import type { Context } from "hono";
import type { Simulation } from "../simulation.js";
import type { Body } from "./payload-check.js";
import { parseJson, readBody } from "./rest-context.js";

/** Files that came with messages; the newest ones only. */
export interface FileStore {
  add(id: string, file: File): void;
  get(id: string): File | undefined;
}

const KEPT = 100;

export function createFileStore(): FileStore {
  const files = new Map<string, File>();
  return {
    add(id, file) {
      files.set(id, file);
      const [oldest] = files.keys();
      if (files.size > KEPT && oldest !== undefined) {
        files.delete(oldest);
      }
    },
    get: (id) => files.get(id),
  };
}

/** The JSON of a message or of an interaction's answer. With files it lies in `payload_json`; they are kept. */
export async function readMessage(c: Context, simulation: Simulation): Promise<Body> {
  if (!c.req.header("content-type")?.startsWith("multipart/")) {
    return readBody(c);
  }
  const form = await c.req.parseBody();
  const body = typeof form.payload_json === "string" ? (parseJson(form.payload_json) as Body) : {};
  const holder = (typeof body.type === "number" ? (body.data ?? {}) : body) as Body;
  const described = Array.isArray(holder.attachments) ? (holder.attachments as Body[]) : [];
  const kept = described.filter(({ id }) => form[`files[${String(id)}]`] === undefined);
  const added = Object.entries(form).flatMap(([field, file]) => {
    const index = /^files\[(\d+)\]$/.exec(field)?.[1];
    return index !== undefined && file instanceof File
      ? [attach(simulation, file, described.find(({ id }) => String(id) === index) ?? {})]
      : [];
  });
  const attachments = [...kept, ...added];
  return holder === body ? { ...body, attachments } : { ...body, data: { ...holder, attachments } };
}

/** Keeps a file; answers Discord's attachment of it. */
export function attach({ snowflake, files, origin }: Simulation, file: File, described: Body = {}): Body {
  const id = snowflake();
  files.add(id, file);
  const url = `${origin()}/attachments/${id}/${encodeURIComponent(file.name)}`;
  return {
    ...described,
    id,
    filename: file.name,
    size: file.size,
    content_type: file.type,
    url,
    proxy_url: url,
  };
}
