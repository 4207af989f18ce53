import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import * as main from "../src/index.js";

const run = promisify(execFile);
const dist = fileURLToPath(new URL("../dist/", import.meta.url));

describe("the main entry", () => {
  it("exports these names and no others", () => {
    expect(Object.keys(main).sort()).toMatchInlineSnapshot(`
      [
        "DISCORD_FOLLOW_UP_DESTINATION_ID",
        "DISCORD_INTENTS",
        "DISCORD_PROVIDER_ID",
        "DiscordConnectorError",
        "INGRESS_LIMITS",
        "button",
        "code",
        "createDiscordConnector",
        "createDiscordRateLimits",
        "defineButton",
        "defineCommand",
        "defineCommandGroup",
        "defineMessageCommand",
        "defineMessageTemplate",
        "defineModal",
        "defineSelect",
        "defineUserCommand",
        "discordDestination",
        "discordEvents",
        "escapeMarkdown",
        "ingressScheme",
        "isDiscordConnectorError",
        "linkButton",
        "markdown",
        "reply",
        "select",
        "showModal",
        "updateMessage",
      ]
    `);
  });

  it("asks for the intents of messages, reactions and members, and not of presence", () => {
    expect(main.DISCORD_INTENTS).toBe(1 + 2 + 512 + 1024 + 32768);
  });

  it.each([
    ["ESM", listImports(`${dist}index.js`)],
    ["CommonJS", `require(${JSON.stringify(`${dist}index.cjs`)}); console.log(Object.keys(require.cache).join("\\n"))`],
  ])("H8 loads neither a WebSocket client nor anything of @discordjs, as built for %s", async (kind, script) => {
    const args = kind === "ESM" ? ["--input-type=module", "-e", script] : ["-e", script];
    const { stdout } = await run(process.execPath, args, { cwd: dist });
    const loaded = stdout.trim().split("\n");
    expect(loaded.some((url) => url.includes("discord-api-types"))).toBe(true);
    expect(
      loaded.filter((url) => /@discordjs|discord\.js|\/ws\/|\/undici\/|classic-level|\/gateway\/index/.test(url)),
    ).toEqual([]);
  });
});

/** Prints the address of every module that an import of `entry` resolves to. */
function listImports(entry: string): string {
  const hooks = `
    let port;
    export async function initialize(data) { port = data.port; }
    export async function resolve(specifier, context, next) {
      const resolved = await next(specifier, context);
      port.postMessage(resolved.url);
      return resolved;
    }`;
  return `
    import { register } from "node:module";
    import { pathToFileURL } from "node:url";
    const { port1, port2 } = new MessageChannel();
    const urls = [];
    port1.on("message", (url) => urls.push(url));
    port1.unref();
    register("data:text/javascript,${encodeURIComponent(hooks)}", { parentURL: import.meta.url, data: { port: port2 }, transferList: [port2] });
    await import(pathToFileURL(${JSON.stringify(entry)}).href);
    await new Promise((resolve) => setImmediate(resolve));
    console.log(urls.join("\\n"));`;
}
