import { describe, expect, it } from "vitest";
import { renderTemplates } from "../src/automations/template.js";

const loops = (of: string) => `{% for i in (1..1000) %}${of}{% endfor %}`;
const LINE = "0123456789".repeat(1_000);

describe("templates of automations", () => {
  it("E16 end when one text writes too much", async () => {
    await expect(renderTemplates({ text: loops(LINE) }, {})).rejects.toThrow("writes more than 524288 characters");
    const captured = `{% capture x %}${loops(LINE)}{% endcapture %}`;
    await expect(renderTemplates(captured, {})).rejects.toThrow("writes more than 524288 characters");
  });

  it("E16 end when all texts together make too much, also out of values that stay whole", async () => {
    const data = { big: "x".repeat(100_000) };
    for (const output of ["{{ data }}", "{{ data.big }}", "-{{ data.big }}"]) {
      await expect(renderTemplates([output, output], { data })).resolves.toHaveLength(2);
      const many = Array.from({ length: 6 }, () => output);
      await expect(renderTemplates({ deep: many }, { data }), output).rejects.toThrow("more than 524288 characters");
    }
  });

  it("E16 end when a list is nested in itself again and again", async () => {
    const doubled = `{% assign a = data %}${"{% assign a = a | push: a %}".repeat(40)}`;
    for (const output of ["{{ a }}", "{{ a | json }}", "{{ a | upcase }}"]) {
      await expect(renderTemplates(doubled + output, { data: ["a"] }), output).rejects.toThrow("more than 1000000");
    }
  });
});
