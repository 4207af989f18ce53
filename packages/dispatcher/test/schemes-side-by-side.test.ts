import { describeMatrix } from "@hookline/postgres/testing";
import { standardWebhooks, verify, xtsystems } from "@hookline/webhook-signing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReceivedRequest } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };
const SCHEMES = { xtsystems, "standard-webhooks": standardWebhooks };

function accepts({ body, headers }: ReceivedRequest, name: keyof typeof SCHEMES, secret: string): boolean {
  try {
    verify(body, headers, { scheme: SCHEMES[name], secrets: [secret] });
    return true;
  } catch {
    return false;
  }
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("E14 W8 signs by two schemes at once, until the receiver has moved from one to the other", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const receiver = await openReceiver();
    const made = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url, scheme: ["xtsystems", "standard-webhooks"] },
      events: ["*"],
    });
    const old = made.secret ?? "";
    await dispatcher.publish(EVENT);
    await receiver.waitFor(1);
    const { secret: young } = await dispatcher.endpoints.rotateSecret({ tenantId: TENANT, id: made.id });
    await dispatcher.publish(EVENT);
    await receiver.waitFor(2);
    await dispatcher.endpoints.update(made, { targetChanges: { scheme: "standard-webhooks" } });
    await dispatcher.publish(EVENT);
    const requests = await receiver.waitFor(3);

    const verdicts = requests.map((request) =>
      [old, young].flatMap((secret) => [
        accepts(request, "xtsystems", secret),
        accepts(request, "standard-webhooks", secret),
      ]),
    );
    expect(verdicts).toEqual([
      [true, true, false, false],
      // XTSystems' header holds one signature: that of the new secret.
      [false, true, true, true],
      [false, true, false, true],
    ]);
    expect(requests.map(({ headers }) => "x-xtsystems-timestamp" in headers)).toEqual([true, true, false]);
  });

  it("W1 W8 shows and takes a list of schemes over HTTP, and says what is wrong with one", async () => {
    const { call } = await openHttp(databases, {});
    const scheme = ["xtsystems", "standard-webhooks"];
    const endpoint = { url: "https://example.com/hook", events: ["*"], scheme };
    const made = await call("POST", "/v1/endpoints", { body: endpoint });
    expect(made).toMatchObject({ status: 201, body: { scheme } });
    const path = `/v1/endpoints/${made.body.id}`;
    expect(await call("PATCH", path, { body: { scheme: "svix" } })).toMatchObject({ body: { scheme: "svix" } });
    const wrong: readonly (readonly [Record<string, unknown>, string])[] = [
      [{ scheme: ["xtsystems", "x"] }, "/body/scheme/1"],
      [{ scheme: ["svix", "svix"] }, "/body/scheme/1"],
      [{ scheme: ["erxes", "github"] }, "/body/scheme/1"],
      [{ scheme, headers: { "Webhook-Id": "mine" } }, "/body/headers/Webhook-Id"],
      [{ scheme: ["github", "standard-webhooks"], secret: "short-pw" }, "/body/secret"],
    ];
    for (const [fields, pointer] of wrong) {
      expect(await call("POST", "/v1/endpoints", { body: { ...endpoint, ...fields } })).toMatchObject({
        status: 400,
        body: { code: "invalid_endpoint", errors: [{ pointer }] },
      });
    }
    const none = await call("POST", "/v1/endpoints", { body: { ...endpoint, scheme: [] } });
    expect(none).toMatchObject({ status: 400 });
  });

  it("W1 refuses an empty list of schemes", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const target = { url: "https://example.com/hook", scheme: [] };
    await expect(dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] })).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path: "target.scheme", message: "names at least one scheme" }],
    });
  });
});
