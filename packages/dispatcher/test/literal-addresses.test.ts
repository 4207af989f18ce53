import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDispatcher, TENANT } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

const STRICT = { addressGuard: { allowHttp: true } };
const OF_THIS_MACHINE = [
  "http://10.0.0.1/",
  "https://169.254.169.254/latest/meta-data",
  "http://[::1]/",
  "http://[::ffff:10.0.0.1]:8080/hook",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://127.1.:9/",
];
const toUrl = (url: string) => ({ tenantId: TENANT, target: { url }, events: ["*"] });
const REFUSED = {
  name: "DispatcherError",
  code: "address_refused",
  issues: [{ path: "target.url", message: "holds an address that is not public" }],
};

describeMatrix({ describe, beforeAll, afterAll }, ["pglite"], (databases) => {
  it.each(OF_THIS_MACHINE)("N3 W8 refuses to make an endpoint at %s, or to move one there", async (url) => {
    const { dispatcher } = await openDispatcher(databases, STRICT);
    const { create, update, get } = dispatcher.endpoints;
    await expect(create(toUrl(url))).rejects.toMatchObject(REFUSED);
    const made = await create(toUrl("https://example.com/"));
    await expect(update(made, { target: { url } })).rejects.toMatchObject(REFUSED);
    await expect(update(made, { targetChanges: { url } })).rejects.toMatchObject(REFUSED);
    expect(await get(made)).toMatchObject({ target: { url: "https://example.com/" } });
  });

  it("N3 says which address it is that a URL stands for", async () => {
    const { dispatcher } = await openDispatcher(databases, STRICT);
    await expect(dispatcher.endpoints.create(toUrl("http://2130706433/"))).rejects.toThrow(
      "The endpoint's target.url is refused. The address 127.0.0.1 is not public.",
    );
  });

  it("N3 takes addresses that are public or allowed, and names, which are judged when they are connected to", async () => {
    const { dispatcher } = await openDispatcher(databases, {
      addressGuard: { allowHttp: true, allow: ["10.0.0.0/8", "::1/128"] },
    });
    const fit = ["http://10.0.0.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "https://1.1.1.1/", "http://db/"];
    for (const url of fit) {
      expect(await dispatcher.endpoints.create(toUrl(url))).toMatchObject({ target: { url } });
    }
    await expect(dispatcher.endpoints.create(toUrl("http://127.0.0.1/"))).rejects.toMatchObject(REFUSED);
  });

  it("W1 lets an endpoint whose address is no longer allowed be disabled, renamed and moved", async () => {
    const { dispatcher, another } = await openDispatcher(databases);
    const made = await dispatcher.endpoints.create(toUrl("http://127.0.0.1:9/"));
    const { update } = another(STRICT).endpoints;
    expect(await update(made, { active: false, name: "old" })).toMatchObject({ active: false, name: "old" });
    await expect(update(made, { targetChanges: { headers: { "x-team": "a" } } })).rejects.toMatchObject(REFUSED);
    const moved = { targetChanges: { url: "https://example.com/" } };
    expect(await update(made, moved)).toMatchObject({ target: { url: "https://example.com/" } });
  });

  it.each([
    ["/v1/endpoints", "PATCH"],
    ["/v1/webhooks", "PUT"],
  ])("W1 W2 answers 400 to such a URL at %s, and changes nothing", async (path, method) => {
    const { call } = await openHttp(databases, STRICT);
    const body = { name: "Bot", url: "https://example.com/", events: ["*"] };
    const refused = {
      status: 400,
      body: { status: 400, code: "address_refused", errors: [{ pointer: "/body/url" }] },
    };
    const url = "http://10.0.0.1/";
    expect(await call("POST", path, { body: { ...body, url } })).toMatchObject(refused);
    const { id } = (await call("POST", path, { body })).body;
    expect(await call(method, `${path}/${id}`, { body: { name: "Other", url } })).toMatchObject(refused);
    expect((await call("GET", `${path}/${id}`)).body).toMatchObject(body);
  });
});
