import { defineDestination } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TENANT } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

/** Takes rooms, and stores their names in small letters. */
const rooms = defineDestination<{ readonly room: string }>({
  id: "rooms",
  parseTarget(target) {
    const { room } = (target ?? {}) as { readonly room?: unknown };
    if (typeof room !== "string") return { issues: [{ message: "is { room }" }] };
    if (room === "attic") return { issues: [{ path: ["room"], message: "is one that there is" }] };
    return { value: { room: room.toLowerCase() } };
  },
  plan: () => null,
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = () => openHttp(databases, { destinations: [rooms as never] }, { destinations: ["rooms"] });
  const endpoint = { tenantId: TENANT, destination: "rooms", events: ["*"] };
  const refusal = (path: string) => ({ code: "invalid_endpoint", issues: [{ path }] });

  it("W1 stores a target as its destination reads it, when an endpoint is made and when it is changed", async () => {
    const { dispatcher } = await open();
    const made = await dispatcher.endpoints.create({ ...endpoint, target: { room: "Hall" } });
    expect(made.target).toEqual({ room: "hall" });
    expect((await dispatcher.endpoints.update(made, { target: { room: "KITCHEN" } })).target).toEqual({
      room: "kitchen",
    });
    await dispatcher.subscribe({ ...endpoint, key: "k", target: { room: "Cellar" } });
    const { endpoints } = await dispatcher.endpoints.list({ tenantId: TENANT });
    expect(endpoints.map(({ target }) => target)).toEqual([{ room: "kitchen" }, { room: "cellar" }]);
  });

  it("W1 refuses a target that its destination does not take, at the field's path, and stores nothing", async () => {
    const { dispatcher } = await open();
    const { create, update, get } = dispatcher.endpoints;
    await expect(create({ ...endpoint, target: { room: "attic" } })).rejects.toMatchObject(refusal("target.room"));
    await expect(create({ ...endpoint, target: null })).rejects.toMatchObject(refusal("target"));
    await expect(dispatcher.subscribe({ ...endpoint, key: "k", target: 1 })).rejects.toMatchObject(refusal("target"));
    expect((await dispatcher.endpoints.list({ tenantId: TENANT })).endpoints).toEqual([]);
    const made = await create({ ...endpoint, target: { room: "hall" } });
    await expect(update(made, { target: { room: "attic" } })).rejects.toMatchObject(refusal("target.room"));
    expect((await get(made))?.target).toEqual({ room: "hall" });
  });

  it("refuses a direct send whose target its destination does not take, and stores nothing", async () => {
    const { dispatcher } = await open();
    const send = (target: unknown) => dispatcher.send({ tenantId: TENANT, destination: "rooms", target, data: {} });
    const refused = { code: "invalid_message", issues: [{ path: "target.room" }] };
    await expect(send({ room: "attic" })).rejects.toMatchObject(refused);
    expect((await dispatcher.deliveries.list({ tenantId: TENANT })).deliveries).toEqual([]);
    await expect(send({ room: "Hall" })).resolves.toMatchObject({ duplicate: false });
  });

  it("W8 answers 400 with a pointer to the field of the target", async () => {
    const { call } = await open();
    const body = { destination: "rooms", events: ["*"], target: { room: "attic" } };
    const refused = { status: 400, body: { code: "invalid_endpoint", errors: [{ pointer: "/body/target/room" }] } };
    expect(await call("POST", "/v1/endpoints", { body })).toMatchObject(refused);
    const made = await call("POST", "/v1/endpoints", { body: { ...body, target: { room: "hall" } } });
    const { target } = body;
    expect(await call("PATCH", `/v1/endpoints/${made.body.id}`, { body: { target } })).toMatchObject(refused);
  });
});
