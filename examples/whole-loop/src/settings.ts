import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateSecret } from "@hookline/webhook-signing";
import { z } from "zod";

const secretsSchema = z.object({
  encryptionKey: z.string(),
  apiKey: z.string(),
  ingressSecret: z.string(),
  componentSecret: z.string(),
  receiverSecret: z.string(),
});

export type Secrets = z.infer<typeof secretsSchema>;

/** The secrets of this checkout: made on the first start, kept readable for the owner alone. */
export function readSecrets(directory: string): Secrets {
  const file = join(directory, "secrets.json");
  if (existsSync(file)) return secretsSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const secrets: Secrets = {
    encryptionKey: randomBytes(32).toString("base64"),
    apiKey: `hk_${randomBytes(24).toString("base64url")}`,
    ingressSecret: randomBytes(32).toString("base64url"),
    componentSecret: randomBytes(32).toString("base64url"),
    receiverSecret: generateSecret(),
  };
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}
