import { afterEach, describe, expect, it } from "vitest";
import type { UnlinkRequest } from "../src/index.js";
import { press, slash, startApp, type TestApp } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";

let app: TestApp;
afterEach(() => app.close());

async function asked(unlink: (request: UnlinkRequest) => Promise<unknown>) {
  app = await startApp({ unlink });
  const { body } = await app.interact(slash("unlink"));
  const [disconnect, keep] = body.data.components[0].components;
  return { body, disconnect: disconnect.custom_id as string, keep: keep.custom_id as string };
}

describe("/unlink", () => {
  it("N8 asks once more, privately, before anything happens", async () => {
    const requests: UnlinkRequest[] = [];
    const { body, keep } = await asked(async (request) => requests.push(request));
    expect(body).toMatchObject({ type: 4, data: { flags: 64, content: expect.stringContaining("?") } });
    expect(await faultsByDiscord("CreateMessageInteractionCallbackRequestSchema", body)).toEqual([]);
    const kept = await app.interact(press(keep));
    expect(kept.body).toMatchObject({ type: 7, data: { content: "Nothing was changed.", components: [] } });
    expect(requests).toEqual([]);
  });

  it("N8 ends the connection of who presses the button, and says the same when it had ended before", async () => {
    const requests: UnlinkRequest[] = [];
    const { disconnect } = await asked(async (request) => requests.push(request));
    for (const id of ["1450000000000000001", "1450000000000000002"]) {
      expect((await app.interact(press(disconnect, { id }))).body).toEqual({ type: 6 });
    }
    expect(await app.deliver()).toEqual([["delivered"], ["delivered"]]);
    expect(requests).toEqual(
      ["1450000000000000001", "1450000000000000002"].map((requestId) => ({
        discordUserId: "400000000000000001",
        tenantId: "default",
        reason: "member",
        requestId,
      })),
    );
    expect(app.discord.calls.map(({ method, body }) => [method, body.content, body.components])).toEqual(
      [1, 2].map(() => ["PATCH", expect.stringContaining("not connected to an email address any more"), []]),
    );
  });

  it("N8 tries again with the same request when it fails, and apologises at last", async () => {
    const requests: UnlinkRequest[] = [];
    const { disconnect } = await asked(async (request) => {
      requests.push(request);
      throw new Error("the store is away");
    });
    await app.interact(press(disconnect));
    expect(await app.deliver()).toEqual([["retry", "retry", "dead"]]);
    expect(new Set(requests.map(({ requestId }) => requestId)).size).toBe(1);
    expect(app.discord.calls.at(-1)?.body.content).toContain("went wrong");
  });

  it("is not there where nobody can unlink", async () => {
    app = await startApp();
    expect((await app.interact(slash("unlink"))).body.data.content).toBe("This command is not known here any more.");
  });
});
