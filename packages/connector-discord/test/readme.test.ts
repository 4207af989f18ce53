import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("..", import.meta.url));

it("H6 the README's example runs as it stands and shows the routes", async () => {
  const readme = await readFile(`${folder}README.md`, "utf8");
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", example], {
    cwd: folder,
    env: {
      ...process.env,
      DISCORD_APPLICATION_ID: "100000000000000001",
      DISCORD_CLIENT_SECRET: "client-secret",
      DISCORD_PUBLIC_KEY: "ab".repeat(32),
      CONNECTOR_INGRESS_SECRET: "ingress-secret-with-more-than-32-characters",
      COMPONENT_SECRET: "component-secret-of-more-than-32-characters",
    },
  });
  expect(stdout.trim().split("\n")).toEqual([
    "POST /v1/connectors/discord/ingress",
    "POST /v1/connectors/discord/shard-leases",
    "POST /v1/connectors/discord/interactions",
    "POST /v1/connectors/discord/webhook-events",
    "GET /v1/connectors/discord/oauth/start",
    "POST /v1/connectors/discord/oauth/start",
    "GET /v1/connectors/discord/oauth/callback",
    "POST /v1/connectors/discord/oauth/callback",
  ]);
});
