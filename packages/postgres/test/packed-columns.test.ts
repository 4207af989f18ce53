import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packColumn, unpackColumns } from "../dist/index.js";
import { describeMatrix } from "../dist/testing.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("takes many rows packed as one text for each column, in order, absent cells as null", async () => {
    const { database } = await databases.open();
    const rows = [
      { id: 'a","\\b', size: 9007199254740991, json: { text: "\u001e\n" } },
      { id: "ö", size: null, json: {} },
      { id: undefined, size: 0, json: { x: [1] } },
    ];
    const columns = [
      ["id", "text"],
      ["size", "int8"],
      ["json", "jsonb"],
    ] as const;
    const found = await database.query(
      `select $1::text as first, id, size, json from ${unpackColumns(columns, 2)} order by position`,
      [
        "1",
        packColumn(rows, ({ id }) => id),
        packColumn(rows, ({ size }) => size),
        packColumn(rows, ({ json }) => JSON.stringify(json)),
      ],
    );
    expect(found).toEqual(rows.map(({ id = null, size, json }) => ({ first: "1", id, size, json })));
  });
});
