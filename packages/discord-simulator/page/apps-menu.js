import { el } from "./elements.js";

/** The application's commands for a member (2) or a message (3), behind a button; nothing where there are none. */
export function appsMenu(type, view, use) {
  const commands = view.acting ? view.menuCommands(type) : [];
  if (commands.length === 0) {
    return "";
  }
  const menu = el(
    "details",
    { class: "apps" },
    el("summary", { title: "Apps", "aria-label": "Apps" }, "⋯"),
    el(
      "div",
      { class: "apps-list" },
      ...commands.map(({ name }) =>
        el(
          "button",
          {
            type: "button",
            onclick: () => {
              menu.open = false;
              return use(name);
            },
          },
          name,
        ),
      ),
    ),
  );
  return menu;
}
