import { type APISelectMenuComponent, ComponentType } from "discord-api-types/v10";
import { DiscordConnectorError } from "../errors.js";
import type { CustomIds } from "../interactions/custom-id.js";
import { placeholderOf, renderEntities, renderOptions } from "../interactions/render-field.js";
import { orderedParams } from "./ordered-params.js";
import type { SelectMenu } from "./select-menu.js";

/** A menu as Discord takes it in a message. */
export function renderSelect(menu: SelectMenu, customIds: CustomIds): APISelectMenuComponent {
  const { name, params, choose, minValues, maxValues, channelTypes } = menu.definition;
  const chosen = menu.chosen ?? undefined;
  const common = {
    custom_id: customIds.encode({ kind: "select", name, params: orderedParams(name, params, menu.params) }),
    disabled: menu.disabled,
    ...placeholderOf(menu.placeholder),
  };
  if (typeof choose !== "string") {
    const options = typeof choose === "function" ? menu.options : choose;
    if (options === null) {
      const message = `The menu "${name}" asks what it offers, so only an answer to an interaction can show it.`;
      throw new DiscordConnectorError("invalid_option", message);
    }
    return {
      ...common,
      type: ComponentType.StringSelect,
      // A function may offer fewer than the definition lets people choose.
      min_values: Math.min(minValues, options.length),
      max_values: Math.min(maxValues, options.length),
      options: renderOptions(options, chosen),
    };
  }
  const counts = { min_values: minValues, max_values: maxValues };
  return { ...common, ...counts, ...renderEntities(choose, { channelTypes, chosen }) } as APISelectMenuComponent;
}
