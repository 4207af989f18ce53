import { el } from "./elements.js";

/** Shows a modal of an application; resolves with its fields, or null when it was closed. */
export function askModal(dialog, modal) {
  return new Promise((resolve) => {
    const inputs = modal.fields.map((field) => ({ field, input: inputOf(field) }));
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", {}, modal.title),
      ...inputs.flatMap(({ field, input }) => [
        el("label", { for: input.id }, field.label, field.required ? el("span", { class: "hint" }, " *") : ""),
        input,
      ]),
      el(
        "div",
        { class: "actions" },
        el("button", { type: "button", class: "plain", onclick: () => dialog.close("cancel") }, "Cancel"),
        el("button", { type: "submit", class: "primary", value: "submit" }, "Submit"),
      ),
    );
    dialog.replaceChildren(form);
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "submit" ? valuesOf(inputs) : null), {
      once: true,
    });
    dialog.returnValue = "";
    dialog.showModal();
  });
}

function inputOf(field) {
  const common = { id: `field-${field.customId}`, required: field.required && field.kind !== "checkbox" };
  if (field.kind === "text") {
    const limits = { maxlength: field.maxLength, placeholder: field.placeholder };
    const input = el(field.multiline ? "textarea" : "input", {
      ...common,
      ...limits,
      rows: field.multiline ? 4 : null,
    });
    input.value = field.value ?? "";
    return input;
  }
  if (field.kind === "checkbox") {
    return el("input", { ...common, type: "checkbox" });
  }
  if (field.kind === "entities" || field.kind === "file") {
    return el("input", {
      ...common,
      placeholder: field.kind === "file" ? "no files here" : "names, with commas between",
    });
  }
  return el(
    "select",
    { ...common, multiple: field.kind === "checkboxes" },
    ...field.options.map(({ label, value }) => el("option", { value }, label)),
  );
}

function valuesOf(inputs) {
  return Object.fromEntries(
    inputs.map(({ field, input }) => {
      if (field.kind === "checkbox") {
        return [field.customId, input.checked];
      }
      if (field.kind === "entities" || field.kind === "file") {
        return [field.customId, input.value.split(/\s*,\s*/).filter(Boolean)];
      }
      return [
        field.customId,
        field.kind === "text" ? input.value : [...input.selectedOptions].map(({ value }) => value),
      ];
    }),
  );
}
