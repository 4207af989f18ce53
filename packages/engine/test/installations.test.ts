import { expect, it } from "vitest";
import { createEngine } from "../src/index.js";
import { describeMatrix, ENCRYPTION_KEY, fixedClock, openWorld } from "./support/world.js";

const key = { connectorId: "discord", installationId: "200000000000000001" };

describeMatrix("installations", (databases) => {
  it("H11 X10 keeps whose each server is; a tenant may have several", async () => {
    const { engine } = await openWorld(databases);
    const { installations } = engine;
    expect(await installations.tenantOf(key)).toBeNull();
    const saved = await installations.save({ ...key, tenantId: "acme", name: "Acme", settings: { roleId: "5" } });
    expect(saved).toMatchObject({ ok: true, installation: { ...key, tenantId: "acme", name: "Acme" } });
    const second = { ...key, installationId: "200000000000000002" };
    await installations.save({ ...second, tenantId: "acme" });
    await installations.save({ ...key, connectorId: "other", tenantId: "beta" });
    expect(await installations.tenantOf(key)).toBe("acme");
    const listed = await installations.list({ connectorId: "discord", tenantId: "acme" });
    expect(listed.map(({ installationId }) => installationId)).toEqual([key.installationId, second.installationId]);
    expect(await installations.tenants("discord")).toEqual(["acme"]);
    expect(await installations.list({ connectorId: "discord", tenantId: "beta" })).toEqual([]);
  });

  it("H11 never takes a server from another tenant, also when two ask at once", async () => {
    const { installations } = (await openWorld(databases)).engine;
    const asked = await Promise.all(
      ["acme", "beta", "acme", "beta"].map((tenantId) => installations.save({ ...key, tenantId })),
    );
    const owner = await installations.tenantOf(key);
    expect(asked.map((answer) => answer.ok)).toEqual(["acme", "beta", "acme", "beta"].map((one) => one === owner));
    const other = owner === "acme" ? "beta" : "acme";
    expect(await installations.remove({ ...key, tenantId: other })).toBe(false);
    expect(await installations.remove({ ...key, tenantId: owner ?? "" })).toBe(true);
    expect(await installations.tenantOf(key)).toBeNull();
    expect(await installations.save({ ...key, tenantId: other })).toMatchObject({ ok: true });
  });

  it("H11 keeps name and settings that a later save does not name, and writes the acts down", async () => {
    const { engine } = await openWorld(databases);
    const { installations, audit } = engine;
    await installations.save({ ...key, tenantId: "acme", name: "Acme", settings: { roleId: "5" }, actor: "user:jo" });
    await installations.save({ ...key, tenantId: "acme" });
    expect(await installations.get(key)).toMatchObject({ name: "Acme", settings: { roleId: "5" } });
    await installations.remove({ ...key, tenantId: "acme", actor: "user:jo" });
    const { entries } = await audit.list({ tenantId: "acme" });
    expect(entries.map(({ action, actor }) => [action, actor])).toEqual([
      ["installation.removed", "user:jo"],
      ["installation.saved", "system"],
      ["installation.saved", "user:jo"],
    ]);
  });

  it("H11 loses none of the settings that are changed at once, and changes none of another tenant", async () => {
    const { engine } = await openWorld(databases);
    const { installations, audit } = engine;
    await installations.save({ ...key, tenantId: "acme", name: "Acme", settings: { roleId: "5", kept: [1] } });
    const names = Array.from({ length: 8 }, (_, nth) => `setting${nth}`);
    const changes = await Promise.all(
      names.map((name) => installations.changeSettings({ ...key, tenantId: "acme", settings: { [name]: name } })),
    );
    expect(changes.map((changed) => changed?.tenantId)).toEqual(names.map(() => "acme"));
    const changed = await installations.changeSettings({
      ...key,
      tenantId: "acme",
      settings: { roleId: null },
      actor: "user:jo",
    });
    const all = { roleId: null, kept: [1], ...Object.fromEntries(names.map((name) => [name, name])) };
    expect(changed).toMatchObject({ ...key, name: "Acme", settings: all });
    expect((await audit.list({ tenantId: "acme" })).entries[0]).toMatchObject({
      action: "installation.saved",
      actor: "user:jo",
    });
    expect(await installations.changeSettings({ ...key, tenantId: "beta", settings: { roleId: "6" } })).toBeNull();
    expect((await installations.get(key))?.settings).toEqual(all);
    await installations.remove({ ...key, tenantId: "acme" });
    expect(await installations.changeSettings({ ...key, tenantId: "acme", settings: { roleId: "7" } })).toBeNull();
    expect(await installations.get(key)).toBeNull();
  });

  it("H11 sees what another process installs after two seconds, and what it removes after fifteen", async () => {
    const clock = fixedClock();
    const { engine, database, schema, dispatcher } = await openWorld(databases, { clock });
    const other = createEngine({
      database,
      schema,
      outbox: dispatcher,
      eventLog: dispatcher.events,
      encryptionKey: ENCRYPTION_KEY,
      clock,
    });
    expect(await other.installations.tenantOf(key)).toBeNull();
    await engine.installations.save({ ...key, tenantId: "acme" });
    expect(await other.installations.tenantOf(key)).toBeNull();
    clock.advance(2_000);
    expect(await other.installations.tenantOf(key)).toBe("acme");
    await engine.installations.remove({ ...key, tenantId: "acme" });
    expect(await engine.installations.tenantOf(key)).toBeNull();
    clock.advance(14_999);
    expect(await other.installations.tenantOf(key)).toBe("acme");
    clock.advance(1);
    expect(await other.installations.tenantOf(key)).toBeNull();
  });
});
