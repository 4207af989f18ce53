import type { ZodMiniType } from "zod/mini";

/** Checks a body against Discord's own description, which is not ours; answers what is wrong with it. */
export async function faultsByDiscord(schema: string, body: unknown): Promise<string[]> {
  // @ts-expect-error the package ships its schemas as plain JavaScript
  const schemas: Record<string, ZodMiniType | undefined> = await import("discord-api-spec/zod");
  const found = schemas[schema];
  if (found === undefined) throw new Error(`discord-api-spec has no ${schema}.`);
  const result = found.safeParse(body);
  return result.success ? [] : result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
}
