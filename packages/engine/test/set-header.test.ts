import { Hono } from "hono";
import { expect, it } from "vitest";
import { createApp } from "../src/index.js";
import { describeEmbedded, listen, openWorld } from "./support/world.js";

describeEmbedded("headers that middleware adds", (databases) => {
  it("H7 stand in every response, also in one whose own can't be changed", async () => {
    const { engine } = await openWorld(databases);
    const upstream = await listen(new Hono().get("/", (c) => c.text("from upstream", 200, { "x-own": "kept" })));
    const routes = new Hono()
      .get("/plain", () => new Response("plain", { headers: { "x-frame-options": "SAMEORIGIN" } }))
      .get("/passed-on", () => fetch(upstream));
    const url = await listen(createApp(engine, { routes: [routes] }));

    const plain = await fetch(`${url}/plain`);
    expect(plain.headers.get("x-content-type-options")).toBe("nosniff");
    expect(plain.headers.get("x-frame-options")).toBe("SAMEORIGIN");
    const passedOn = await fetch(`${url}/passed-on`);
    expect(await passedOn.text()).toBe("from upstream");
    expect(passedOn.headers.get("x-own")).toBe("kept");
    expect(passedOn.headers.get("x-content-type-options")).toBe("nosniff");
    expect(passedOn.headers.get("x-request-id")).toMatch(/./);
  });
});
