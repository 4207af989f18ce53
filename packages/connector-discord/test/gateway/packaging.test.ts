import { spawn } from "node:child_process";
import { cp, mkdir, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "./support/temporary-directory.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

describe("built package", () => {
  test("H8 the main entry loads neither a WebSocket client nor the spool", async () => {
    const seen = new Map<string, string>();
    const visit = async (file: string): Promise<void> => {
      if (seen.has(file)) {
        return;
      }
      const text = await readFile(file, "utf8");
      seen.set(file, text);
      for (const [, relative] of text.matchAll(/from ?["'](\.[^"']+)["']/g)) {
        await visit(resolve(dirname(file), relative ?? ""));
      }
    };
    await visit(join(root, "dist/index.js"));
    const text = [...seen.values()].join("\n");
    expect(text).toContain("createDiscordConnector");
    expect(text).not.toMatch(/["'](@discordjs\/\w+|classic-level|ws|undici|discord\.js)["']/);
  });

  test("H9 start() says what to install when the optional peers are missing", async () => {
    const directory = await temporaryDirectory();
    const modules = join(directory, "node_modules");
    await mkdir(join(modules, "@hookline/connector-discord"), { recursive: true });
    for (const part of ["dist", "package.json"]) {
      await cp(join(root, part), join(modules, "@hookline/connector-discord", part), { recursive: true });
    }
    for (const name of [
      "@hookline/core",
      "@hookline/webhook-signing",
      "classic-level",
      "discord-api-types",
      "undici",
      "zod",
    ]) {
      await symlink(await realpath(join(root, "node_modules", name)), join(modules, name));
    }
    await writeFile(
      join(directory, "main.mjs"),
      `import { createDiscordGatewayWorker } from "@hookline/connector-discord/gateway";
       const worker = createDiscordGatewayWorker({
         botToken: "a.b.c", apiPublicUrl: "http://127.0.0.1:9", ingressSecret: "x".repeat(32),
         spoolDirectory: ${JSON.stringify(join(directory, "spool"))},
       });
       await worker.start().catch((error) => console.log(JSON.stringify({ code: error.code, message: error.message })));`,
    );
    const child = spawn(process.execPath, [join(directory, "main.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const exitCode = await new Promise((done) => child.once("close", done));
    expect(exitCode).toBe(0);
    expect(JSON.parse(output)).toMatchObject({
      code: "missing_peer",
      message: expect.stringContaining("npm install @discordjs/ws@2 @discordjs/rest@2"),
    });
  });
});
